"""App Mesh's errors, by the codes of its model; where known, the texts are those that the service was seen to give."""

from moto.core.exceptions import ServiceException


class MeshError(ServiceException):
    """An error that App Mesh answers with: code and message."""


def bad_request(message: str) -> MeshError:
    """Return the error for a request that is wrong in itself."""
    return MeshError("BadRequestException", message)


def not_found(message: str) -> MeshError:
    """Return the error for a resource that isn't there."""
    return MeshError("NotFoundException", message)


def conflict(message: str) -> MeshError:
    """Return the error for a name that is taken."""
    return MeshError("ConflictException", message)


def in_use(message: str) -> MeshError:
    """Return the error for a resource that can't be deleted yet."""
    return MeshError("ResourceInUseException", message)


def too_many_tags(message: str) -> MeshError:
    """Return the error for more tags than a resource can have."""
    return MeshError("TooManyTagsException", message)
