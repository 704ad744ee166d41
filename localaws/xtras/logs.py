"""CloudWatch Logs: DescribeLogGroups tells the class of a group, which clients compare with what they asked for."""

from collections.abc import Callable
from typing import Any

from moto.logs.models import LogGroup

from localaws.xtras.patching import wrap


def install() -> None:
    """Mend moto's service."""
    wrap(LogGroup, "to_describe_dict", _with_class)


def _with_class(describe: Callable[..., dict[str, Any]], group: LogGroup) -> dict[str, Any]:
    return {"logGroupClass": "STANDARD", **describe(group)}
