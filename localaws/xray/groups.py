"""Groups: names for filter expressions. The group Default, of all traces, is always there.

A group applies to all traces that are kept, not only to those that came after it as on AWS.
"""

import uuid
from typing import Any

from localaws.xray import tagging
from localaws.xray.context import Context, Given, one_page
from localaws.xray.errors import invalid
from localaws.xray.expressions import ExpressionError, Groups, parse_filter
from localaws.xray.keywords import Condition
from localaws.xray.store import Reading
from localaws.xray.trace import Trace

_KIND = "group"
DEFAULT = "Default"
_MOST = 25  # X-Ray's quota
_NO_INSIGHTS = {"InsightsEnabled": False, "NotificationsEnabled": False}


def create_group(context: Context, given: Given) -> Given:
    """CreateGroup."""
    name = given["GroupName"]
    with context.store.writing() as writing:
        groups = _all(context, writing)
        if name in groups:
            raise invalid(f"Group with name {name} already exists.")
        if len(groups) > _MOST:
            raise invalid(f"There are {_MOST} groups already, which is the limit.")
        group = {
            "GroupName": name,
            "GroupARN": context.place.arn(f"group/{name}/{uuid.uuid4().hex.upper()}"),
            "FilterExpression": _checked(context, writing, given.get("FilterExpression", "")),
            "InsightsConfiguration": _NO_INSIGHTS | (given.get("InsightsConfiguration") or {}),
        }
        writing.record(context.scope, _KIND, name, group)
        tagging.put(writing, context.scope, group["GroupARN"], given.get("Tags") or [])
    return {"Group": group}


def get_group(context: Context, given: Given) -> Given:
    """GetGroup."""
    with context.store.reading() as reading:
        return {"Group": _chosen(context, reading, given)}


def get_groups(context: Context, given: Given) -> Given:
    """GetGroups."""
    one_page(given)
    with context.store.reading() as reading:
        return {"Groups": list(_all(context, reading).values())}


def update_group(context: Context, given: Given) -> Given:
    """UpdateGroup. Of the group Default, only the settings of insights."""
    with context.store.writing() as writing:
        group = _chosen(context, writing, given)
        expression = given.get("FilterExpression")
        if expression is not None:
            if group["GroupName"] == DEFAULT:
                raise invalid("The filter expression of the group Default cannot be changed.")
            group["FilterExpression"] = _checked(context, writing, expression)
        group["InsightsConfiguration"] |= given.get("InsightsConfiguration") or {}
        writing.record(context.scope, _KIND, group["GroupName"], group)
    return {"Group": group}


def delete_group(context: Context, given: Given) -> Given:
    """DeleteGroup."""
    with context.store.writing() as writing:
        group = _chosen(context, writing, given)
        if group["GroupName"] == DEFAULT:
            raise invalid("The group Default cannot be deleted.")
        writing.forget(context.scope, _KIND, group["GroupName"])
        tagging.forget(writing, context.scope, group["GroupARN"])
    return {}


def arns(context: Context, reading: Reading) -> set[str]:
    """Return the ARNs of all groups."""
    return {group["GroupARN"] for group in _all(context, reading).values()}


def condition(context: Context, reading: Reading, given: Given, expression: str = "") -> Condition[Trace]:
    """Return the condition on traces that a call states: by the group that it names, if any, and an expression.

    Raises:
        XRayError: there is no such group, or the expression is none.

    """
    in_group: Condition[Trace] | None = None
    if given.get("GroupName") or given.get("GroupARN"):
        group = _chosen(context, reading, given)
        in_group = _parsed(context, reading, group["FilterExpression"])
    met = _parsed(context, reading, expression)
    return met if in_group is None else lambda trace: in_group(trace) and met(trace)


def _parsed(context: Context, reading: Reading, expression: str, names: tuple[str, ...] = ()) -> Condition[Trace]:
    try:
        return parse_filter(expression, _finder(context, reading, names), context.place.account)
    except ExpressionError as error:
        raise invalid(f"Invalid filter expression: {error}") from error


def _finder(context: Context, reading: Reading, names: tuple[str, ...]) -> Groups:
    """Return what finds the condition of a group that is named within an expression, itself within these groups."""

    def find(kind: str, wanted: str) -> Condition[Trace]:
        key = "GroupName" if kind == "name" else "GroupARN"
        for group in _all(context, reading).values():
            if group[key] == wanted and wanted not in names:
                return _parsed(context, reading, group["FilterExpression"], (*names, wanted))
        raise LookupError(wanted)

    return find


def _checked(context: Context, reading: Reading, expression: str) -> str:
    _parsed(context, reading, expression)
    return expression


def _chosen(context: Context, reading: Reading, given: Given) -> dict[str, Any]:
    name, arn = given.get("GroupName"), given.get("GroupARN")
    if bool(name) == bool(arn):
        raise invalid("Specify a group by either GroupName or GroupARN, but not both.")
    for group in _all(context, reading).values():
        if name == group["GroupName"] or arn == group["GroupARN"]:
            return group
    raise invalid(f"Group {name or arn} not found.")


def _all(context: Context, reading: Reading) -> dict[str, dict[str, Any]]:
    default = {
        "GroupName": DEFAULT,
        "GroupARN": context.place.arn(f"group/{DEFAULT}"),
        "FilterExpression": "",
        "InsightsConfiguration": dict(_NO_INSIGHTS),
    }
    return {DEFAULT: default, **reading.records(context.scope, _KIND)}
