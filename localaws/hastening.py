"""Has moto read less when it is imported: a third of a start's time, and of the memory, goes into lists hardly used."""

import functools
from typing import Any

import botocore.session
import moto.utilities.utils
from moto.utilities.utils import load_resource

_OFFERINGS = "ec2/resources/instance_type_offerings"
_HOST_IMAGES = "ec2/resources/ecs/optimized_amis"


def hasten() -> None:
    """Leave things unread; to be called before moto's services are imported."""
    # Moto asks botocore in eleven sessions for the regions of EC2, and each would read its model of EC2.
    setattr(botocore.session, "create_loader", functools.cache(botocore.session.create_loader))  # noqa: B010 - not typed
    setattr(moto.utilities.utils, "load_resource", _load_resource)  # noqa: B010 - likewise


def read_later() -> None:
    """Have EC2 read what was left unread when it is asked for; to be called once moto's services are imported."""
    from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS  # noqa: PLC0415 - not before `hasten`

    for location_type in INSTANCE_TYPE_OFFERINGS:
        INSTANCE_TYPE_OFFERINGS[location_type] = _Offerings(location_type)


class _Offerings(dict[str, list[Any]]):
    """Which types of instances each region offers, read region by region."""

    def __init__(self, location_type: str) -> None:
        super().__init__()
        self._location_type = location_type

    def __missing__(self, region: str) -> list[Any]:
        try:
            found = load_resource(f"{_OFFERINGS}/{self._location_type}/{region}.json")
        except FileNotFoundError:
            found = []
        self[region] = [{**offer, "LocationType": self._location_type} for offer in found]
        return self[region]

    def get(self, region: str, _default: object = None) -> list[Any]:
        return self[region]


def _load_resource(path: str) -> Any:
    if path.startswith(_OFFERINGS):
        return []
    if path.startswith(_HOST_IMAGES):
        # 1,227 images of ECS container hosts, which nobody starts here, and which would be saved each time.
        raise FileNotFoundError(path)
    return load_resource(path)
