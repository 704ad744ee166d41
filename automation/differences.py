"""From an engine event to the properties that differ, value by value.

Source: StepEventMetadata of Pulumi's engine events. The engine has taken secrets out already; a value that it does not
know yet is one fixed text.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from automation.forecast import SECRET, Difference, Kind, Unknown

# What stands in events for values that are not known yet. Source: pulumi/sdk, resource/plugin/rpc.go.
_UNKNOWN_TEXTS = {
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # a boolean
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # a number
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9",  # a text
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # a list
    "030794c1-ac77-496b-92df-f27374a8bd58",  # an asset
    "e48ece36-62e2-4504-bad9-02848725956a",  # an archive
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # a map
}
_SECRET_TEXTS = {"[secret]", "[Secret]"}
_KINDS: Mapping[str, Kind] = {"add": "add", "delete": "delete", "update": "update"}
_STEP = re.compile(r'\.?([^.\[\]"]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]')


def differences(metadata: Any) -> tuple[Difference, ...]:
    """The properties that differ, by path; for a creation or deletion none: all of it comes or goes."""
    if metadata.old is None or metadata.new is None:
        return ()
    before, after = metadata.old.inputs or {}, metadata.new.inputs or {}
    keys = set(metadata.keys or ())
    return tuple(_one(path, diff, metadata, before, after, keys) for path, diff in _differing(metadata))


def known(value: Any) -> Any:
    """A value as the forecast has it: `Unknown` and `SECRET` in the places of what stands for them."""
    if isinstance(value, str):
        if value in _UNKNOWN_TEXTS:
            return Unknown()
        return SECRET if value in _SECRET_TEXTS else value
    if isinstance(value, Mapping):
        return {key: known(each) for key, each in value.items()}
    return [known(each) for each in value] if isinstance(value, list) else value


def _differing(metadata: Any) -> Iterator[tuple[str, Any]]:
    if metadata.detailed_diff:
        yield from sorted(metadata.detailed_diff.items())
    else:
        yield from ((path, None) for path in sorted(metadata.diffs or ()))


def _one(  # noqa: PLR0913, PLR0917 - all that is known of it
    path: str, diff: Any, metadata: Any, before: Mapping[str, Any], after: Mapping[str, Any], keys: set[str]
) -> Difference:
    told = getattr(diff.diff_kind, "value", diff.diff_kind) if diff else "update"
    # A difference of the provider's is between what AWS has (the old outputs) and what is asked for.
    old = before if diff is None or diff.input_diff else {**before, **(metadata.old.outputs or {})}
    return Difference(
        path=path,
        kind=_KINDS[told.removesuffix("-replace")],
        before=known(_at(path, old)),
        after=known(_at(path, after)),
        replaces=told.endswith("-replace") or path in keys,
    )


def _at(path: str, values: Any) -> Any:
    """The value at a path such as ``spec.listeners[0]["a.b"]``; None where there is none."""
    for name, number, quoted in _STEP.findall(path):
        if number and isinstance(values, list):
            values = values[int(number)] if int(number) < len(values) else None
        elif isinstance(values, Mapping):
            values = values.get(name or quoted.replace('\\"', '"'))
        else:
            return None
    return values
