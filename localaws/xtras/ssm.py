"""Systems Manager: two things in moto's backend could not be saved and loaded again."""

import copyreg
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from moto.ssm.models import ParameterDict, SimpleSystemManagerBackend

from localaws.xtras.patching import wrap

_Tags = dict[str, str]


def install() -> None:
    """Mend moto's service."""
    wrap(SimpleSystemManagerBackend, "__init__", _init)
    # Its constructor takes other arguments than that of the class it comes from, by which it would be made anew.
    copyreg.pickle(ParameterDict, _reduce)


def _init(init: Callable[..., None], backend: SimpleSystemManagerBackend, region_name: str, account_id: str) -> None:
    """Make the tags without the function that has no name."""
    init(backend, region_name, account_id)
    backend._resource_tags = defaultdict(_tags_by_id)  # noqa: SLF001 - where moto keeps that function


def _tags_by_id() -> defaultdict[str, _Tags]:
    return defaultdict(dict)


def _reduce(parameters: ParameterDict) -> tuple[Any, ...]:
    arguments = (parameters.account_id, parameters.region_name)
    return ParameterDict, arguments, vars(parameters), None, iter(dict.items(parameters))
