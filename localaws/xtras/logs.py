"""CloudWatch Logs: DescribeLogGroups tells the class of a group, which clients compare with what they asked for.

And FilterLogEvents heeds the prefix of the streams' names.
"""

import json
from collections.abc import Callable
from typing import Any

from moto.logs.models import LogGroup
from moto.logs.responses import LogsResponse

from localaws.xtras.patching import wrap


def install() -> None:
    """Mend moto's service."""
    wrap(LogGroup, "to_describe_dict", _with_class)
    wrap(LogsResponse, "filter_log_events", _with_prefix)


def _with_class(describe: Callable[..., dict[str, Any]], group: LogGroup) -> dict[str, Any]:
    return {"logGroupClass": "STANDARD", **describe(group)}


def _with_prefix(call: Callable[..., str], response: LogsResponse) -> str:
    """Name the streams that begin with the prefix asked for, which moto passes over."""
    given = json.loads(response.body)
    prefix, group = given.pop("logStreamNamePrefix", None), response.logs_backend.groups.get(given.get("logGroupName"))
    if prefix is None or group is None:
        return call(response)
    names = [name for name in group.streams if name.startswith(prefix)]
    if not names:
        return json.dumps({"events": [], "searchedLogStreams": []})
    response.body = json.dumps({**given, "logStreamNames": names})
    return call(response)
