"""X-Ray's filter expressions, parsed into conditions on a trace.

    service("ecs-mesh/frontend") { fault OR responsetime > 0.5 } AND http.url CONTAINS "/api"

Source: the X-Ray developer guide, "Using filter expressions". Keywords and operators may be written in either case,
strings stand in double quotes, AND binds closer than OR and may be left out, as in `ok !partial duration < 3`.
Root causes (`rootcause.…`) are not known here.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, NoReturn, TypeVar

from localaws.xray import keywords
from localaws.xray.keywords import Condition, Kind, Pattern
from localaws.xray.trace import Part, Trace

_T = TypeVar("_T")

# The condition of the group that `group.name` or `group.arn` names; a LookupError where there is none.
Groups = Callable[[str, str], Condition[Trace]]

_TOKENS = re.compile(
    r"""(?P<space>\s+)
    |(?P<string>"(?:[^"\\]|\\.)*")
    |(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    |(?P<word>[A-Za-z_][\w.]*)
    |(?P<sign>!=|<=|>=|[=<>!(){}\[\],:])""",
    re.VERBOSE,
)
_DEEPEST = 50  # parentheses, braces and negations within each other


class ExpressionError(Exception):
    """What is wrong with an expression."""


class Selector(NamedTuple):
    """What an entity selector chooses: a service, or where there is a target, the edge to it."""

    source: Pattern
    target: Pattern | None = None


def parse_filter(text: str, groups: Groups, account: str) -> Condition[Trace]:
    """Return the condition on traces that an expression states; an empty one is met by all.

    Raises:
        ExpressionError: it is no such expression; the message names what is wrong and where.

    """
    parser = _Parser(text, groups, account)
    return parser.whole(lambda: parser.alternatives(keywords.OF_TRACE)) if text.strip() else lambda _: True


def parse_selector(text: str, account: str) -> Selector:
    """Return what `service(…)`, `edge(…, …)` or `id(…)` selects.

    Raises:
        ExpressionError: it is none of these.

    """
    parser = _Parser(text, _no_groups, account)
    return parser.whole(parser.selector)


def _no_groups(kind: str, name: str) -> NoReturn:
    raise LookupError(kind, name)


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


class _Parser:
    """Reads one expression from left to right."""

    def __init__(self, text: str, groups: Groups, account: str) -> None:
        self._groups = groups
        self._account = account
        self._tokens = list(_tokens(text))
        self._next = 0
        self._depth = 0

    def whole(self, read: Callable[[], _T]) -> _T:
        """Return what is read, which has to be all."""
        found = read()
        if self._token.kind != "end":
            raise _unexpected(self._token)
        return found

    def alternatives(self, known: Mapping[str, keywords.Keyword[Any]]) -> Condition[Any]:
        """Read conditions joined by OR, in the keywords of a trace or of a part of it."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ExpressionError(f"more than {_DEEPEST} levels within each other")
        met = [self._together(known)]
        while self._took("or"):
            met.append(self._together(known))
        self._depth -= 1
        return met[0] if len(met) == 1 else lambda subject: any(one(subject) for one in met)

    def selector(self) -> Selector:
        """Read what selects a service or an edge."""
        word = self._token.text.lower()
        if word == "id":
            return Selector(self._pattern())
        self._next += 1
        if word == "service":
            return Selector(*self._arguments(1))
        if word == "edge":
            return Selector(*self._arguments(2))
        self._next -= 1
        raise _unexpected(self._token, "service(…), edge(…, …) or id(…)")

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _took(self, *texts: str) -> str:
        """Return the next word or sign if it is one of these, and go past it."""
        token = self._token
        if token.kind in ("word", "sign") and token.text.lower() in texts:
            self._next += 1
            return token.text.lower()
        return ""

    def _need(self, sign: str) -> None:
        if not self._took(sign):
            raise _unexpected(self._token, sign)

    def _value(self, kind: str) -> str:
        token = self._token
        if token.kind != kind:
            raise _unexpected(token, f"a {kind}")
        self._next += 1
        return _unquoted(token.text) if kind == "string" else token.text

    def _together(self, known: Mapping[str, keywords.Keyword[Any]]) -> Condition[Any]:
        met = [self._one(known)]
        while self._took("and") or self._begins_another():
            met.append(self._one(known))
        return met[0] if len(met) == 1 else lambda subject: all(one(subject) for one in met)

    def _begins_another(self) -> bool:
        token = self._token
        return (token.kind == "word" and token.text.lower() != "or") or (token.kind == "sign" and token.text in "!(")

    def _one(self, known: Mapping[str, keywords.Keyword[Any]]) -> Condition[Any]:
        negated = False
        while self._took("!", "not"):
            negated = not negated
        met = self._plain(known)
        return (lambda subject: not met(subject)) if negated else met

    def _plain(self, known: Mapping[str, keywords.Keyword[Any]]) -> Condition[Any]:
        if self._took("("):
            met = self.alternatives(known)
            self._need(")")
            return met
        token = self._token
        if token.kind != "word":
            raise _unexpected(token, "a keyword")
        self._next += 1
        word = token.text.lower()
        if known is keywords.OF_TRACE and word in ("service", "edge", "group.name", "group.arn"):
            return self._complex(word)
        if word == "annotation" or word.startswith("annotation."):
            return self._annotation(known is keywords.OF_TRACE, token.text)
        if word not in known:
            allowed = ", ".join(sorted(known))
            raise ExpressionError(f"unknown keyword {token.text} at position {token.at}; known here: {allowed}")
        return self._comparison(known[word])

    def _complex(self, word: str) -> Condition[Trace]:
        if word == "service":
            (service,) = self._arguments(1)
            return keywords.at_service(service, self._within())
        if word == "edge":
            source, target = self._arguments(2)
            return keywords.on_edge(source, target, self._within())
        self._need("=")
        name = self._value("string")
        try:
            return self._groups(word.removeprefix("group."), name)
        except LookupError as error:
            raise ExpressionError(f"there is no group {name}") from error

    def _within(self) -> Condition[Part]:
        if not self._took("{"):
            return lambda _: True
        if self._took("}"):
            return lambda _: True
        met = self.alternatives(keywords.OF_PART)
        self._need("}")
        return met

    def _arguments(self, most: int) -> list[Pattern]:
        self._need("(")
        found = [Pattern(self._account)] * most
        for position in range(most):
            if position:
                self._need(",")
            if self._token.text not in ("", ",", ")"):
                found[position] = self._pattern()
        self._need(")")
        return found

    def _pattern(self) -> Pattern:
        if not self._took("id"):
            return Pattern(self._account, name=self._value("string"))
        self._need("(")
        given: dict[str, str] = {}
        while not self._took(")"):
            if given:
                self._need(",")
            key = self._took("name", "type", "account.id")
            if not key:
                raise _unexpected(self._token, "name, type or account.id")
            self._need(":")
            given[key] = self._value("string")
        return Pattern(self._account, given.get("name"), given.get("type"), given.get("account.id"))

    def _annotation(self, of_trace: bool, word: str) -> Condition[Any]:  # noqa: FBT001
        key = word.partition(".")[2]
        if not key:
            self._need("[")
            key = self._value("string" if self._token.kind == "string" else "word")
            self._need("]")
        found = keywords.annotation(key, of_trace=of_trace)
        operator = self._took(*keywords.OPERATORS)
        if not operator:
            return lambda subject: any(value is not False for value in found(subject))
        token = self._token
        kind: Kind = "boolean" if token.kind == "word" else token.kind  # type: ignore[assignment]
        return keywords.comparison(found, operator, self._constant(kind, operator))

    def _comparison(self, keyword: keywords.Keyword[Any]) -> Condition[Any]:
        operator = self._took(*keywords.OPERATORS)
        if operator:
            constant = self._constant(keyword.kind, operator)
            return keywords.comparison(keyword.values, operator, constant)
        if keyword.kind == "boolean":
            return lambda subject: any(keyword.values(subject))
        return lambda subject: any(True for _ in keyword.values(subject))  # whether it is set

    def _constant(self, kind: Kind, operator: str) -> str | float | bool:
        token = self._tokens[self._next - 1]
        if kind not in keywords.OPERATORS.get(operator, ()):
            raise ExpressionError(f"{token.text} at position {token.at} does not compare with a {kind}")
        match kind:
            case "boolean":
                word = self._took("true", "false")
                if not word:
                    raise _unexpected(self._token, "true or false")
                return word == "true"
            case "number":
                return float(self._value("number"))
            case _:
                return self._value("string")


def _tokens(text: str) -> Iterable[_Token]:
    at = 0
    while at < len(text):
        match = _TOKENS.match(text, at)
        if match is None:
            what = "a string without its closing quote" if text[at] == '"' else f"{text[at]!r}"
            raise ExpressionError(f"{what} at position {at + 1}")
        if match.lastgroup != "space":
            yield _Token(str(match.lastgroup), match[0], at + 1)
        at = match.end()
    yield _Token("end", "", at + 1)


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)


def _unexpected(token: _Token, wanted: str = "") -> ExpressionError:
    found = "the end" if token.kind == "end" else f"{token.text} at position {token.at}"
    return ExpressionError(f"{found} where {wanted} should be" if wanted else f"{found} is one too many")
