"""X-Ray's errors, by the codes of its model; where known, the texts are those that the service was seen to give."""

from moto.core.exceptions import ServiceException


class XRayError(ServiceException):
    """An error that X-Ray answers with: code and message."""


def invalid(message: str) -> XRayError:
    """Return the error for a request that is wrong in itself, or names what isn't there."""
    return XRayError("InvalidRequestException", message)


def not_found(arn: str) -> XRayError:
    """Return the error for an ARN that tags were asked of, and that nothing has."""
    return XRayError("ResourceNotFoundException", f"The resource {arn} does not exist.")
