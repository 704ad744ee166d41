"""Which stacks a run touches, and in which order. But for the graph of the services pure: names in, names out."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

from automation.errors import UsageError
from services import SERVICES

TAG = "tag:"  # before a tag, where a service may be named
_NAMED = 12  # services in an error
_NEAREST = 5


class Graph(Mapping[str, Sequence[str]]):
    """What each service needs, in an order of deployment. The fleet is read when it is first looked at."""

    def __getitem__(self, service: str) -> Sequence[str]:
        return SERVICES[service].needs

    def __iter__(self) -> Iterator[str]:
        return iter(SERVICES)

    def __len__(self) -> int:
        return len(SERVICES)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One stack of a run.

    ``needs`` holds the services of *this run* that must be done first; for a destruction these are the dependents.
    """

    service: str
    stack: str
    needs: tuple[str, ...]


def select(graph: Mapping[str, Sequence[str]], names: Iterable[str], environment: str) -> tuple[Step, ...]:
    """The steps for `names` (see `matching`; all services when empty), in the graph's order.

    Raises `UsageError` for a name that is no service, or where a stack would have the name of another one's.
    """
    patterns = tuple(names)
    chosen = dict.fromkeys(matching(graph, patterns) if patterns else graph)
    _check_names(graph, chosen, environment)
    return tuple(
        Step(
            service=service,
            stack=f"{environment}-{service}",
            needs=tuple(need for need in graph[service] if need in chosen),
        )
        for service in chosen
    )


def matching(
    graph: Collection[str], patterns: Iterable[str], tags: Mapping[str, Collection[str]] | None = None
) -> list[str]:
    """The services that any of the patterns means, in the graph's order: a name, a glob, or ``tag:`` and a tag.

    `tags` are those of each service. Raises `UsageError` for a pattern that means none.
    """
    chosen: set[str] = set()
    for pattern in sorted(set(patterns)):
        chosen.update(_meant(graph, pattern, tags or {}))
    return [service for service in graph if service in chosen]


def _meant(graph: Collection[str], pattern: str, tags: Mapping[str, Collection[str]]) -> Collection[str]:
    if pattern in graph:
        return [pattern]
    if pattern.startswith(TAG):
        tag = pattern.removeprefix(TAG)
        if found := [service for service in graph if tag in tags.get(service, ())]:
            return found
        known = sorted({each for some in tags.values() for each in some})
        raise _unmatched(f"No service has the tag '{tag}'.", "tags", tag, known)
    if found := [service for service in graph if fnmatchcase(service, pattern)]:
        return found
    is_glob = any(sign in pattern for sign in "*?[")
    what = f"No service fits '{pattern}'." if is_glob else f"Unknown service '{pattern}'."
    raise _unmatched(what, "services", pattern.strip("*?"), list(graph))


def _unmatched(what: str, kind: str, wanted: str, known: Sequence[str]) -> UsageError:
    """All that there are, or those that are nearest where they are many."""
    if not known:
        named = f"There are no {kind}"
    elif len(known) <= _NAMED:
        named = f"The {kind} are: {', '.join(known)}"
    else:
        near = get_close_matches(wanted, known, n=_NEAREST, cutoff=0.0)
        named = f"Of {len(known)} {kind} the nearest are: {', '.join(near)}"
    return UsageError(f"{what} {named}.", next_command="python automation/status.py")


def _check_names(graph: Collection[str], chosen: Iterable[str], environment: str) -> None:
    """Raise where a stack would have another one's name: `prod-web-api` is of `web-api` in `prod`."""
    ends = [environment[index + 1 :] for index, letter in enumerate(environment) if letter == "-"]
    for service in chosen if ends else ():
        for other in (f"{end}-{service}" for end in ends):
            if other in graph:
                message = f"'{service}' can't be in environment '{environment}': its stack would be that of '{other}'."
                raise UsageError(message, next_command="take another environment, or rename a service in fleet.yaml")


def require_prerequisites(
    steps: Sequence[Step], graph: Mapping[str, Sequence[str]], deployed: Collection[str], environment: str
) -> None:
    """Raise `UsageError` when a step needs a service that is neither deployed nor part of this run."""
    present = {step.service for step in steps} | set(deployed)
    for step in steps:
        missing = [need for need in graph[step.service] if need not in present]
        if missing:
            message = f"'{step.service}' needs {_names(missing)}, not deployed in environment '{environment}'."
            raise UsageError(
                message, next_command=f"python automation/enable.py {' '.join(missing)}{_env(environment)}"
            )


def require_existing(steps: Sequence[Step], stacks: Collection[str], environment: str) -> None:
    """Raise `UsageError` when a step's stack does not exist."""
    missing = [step.service for step in steps if step.stack not in stacks]
    if missing:
        message = (
            f"{_names(missing)} {'is' if len(missing) == 1 else 'are'} not deployed in environment '{environment}'."
        )
        raise UsageError(message, next_command=f"python automation/enable.py{_env(environment)}")


def for_destruction(
    steps: Sequence[Step], graph: Mapping[str, Sequence[str]], deployed: Collection[str], environment: str
) -> tuple[Step, ...]:
    """The same stacks turned round: dependents first, prerequisites last.

    Raises `UsageError` when a service outside this run still depends on one of them.
    """
    chosen = {step.service for step in steps}
    users = {step.service: [other for other in graph if step.service in graph[other]] for step in steps}
    for step in steps:
        left = [user for user in users[step.service] if user in deployed and user not in chosen]
        if left:
            message = f"'{step.service}' is still needed by {_names(left)} in environment '{environment}'."
            raise UsageError(message, next_command=f"python automation/destroy.py {' '.join(left)}{_env(environment)}")
    return tuple(
        Step(service=step.service, stack=step.stack, needs=tuple(u for u in users[step.service] if u in chosen))
        for step in reversed(steps)
    )


def levels(steps: Iterable[Step]) -> list[list[Step]]:
    """The steps, which come after what they need, by what can be done at the same time."""
    found: list[list[Step]] = []
    reached: dict[str, int] = {}
    for step in steps:
        reached[step.service] = level = 1 + max((reached[need] for need in step.needs), default=-1)
        if level == len(found):
            found.append([])
        found[level].append(step)
    return found


def _names(services: Sequence[str]) -> str:
    return " and ".join(f"'{service}'" for service in services)


def _env(environment: str) -> str:
    return "" if environment == "local" else f" --env {environment}"
