"""Systems Manager: moto's backend holds a function without a name, and so could not be saved."""

from collections import defaultdict
from collections.abc import Callable

from moto.ssm.models import SimpleSystemManagerBackend

from localaws.xtras.patching import wrap

_Tags = dict[str, str]


def install() -> None:
    """Mend moto's service."""
    wrap(SimpleSystemManagerBackend, "__init__", _init)


def _init(init: Callable[..., None], backend: SimpleSystemManagerBackend, region_name: str, account_id: str) -> None:
    init(backend, region_name, account_id)
    backend._resource_tags = defaultdict(_tags_by_id)  # noqa: SLF001 - that function


def _tags_by_id() -> defaultdict[str, _Tags]:
    return defaultdict(dict)
