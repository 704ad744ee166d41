"""X-Ray's errors, by the codes of its model; where known, the texts are those that the service was seen to give."""

from http import HTTPStatus


class XRayError(Exception):
    """An error that X-Ray answers with: code, message and HTTP status (its errors are all 400 but for one)."""

    def __init__(self, code: str, message: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def invalid(message: str) -> XRayError:
    """Return the error for a request that is wrong in itself, or names what isn't there."""
    return XRayError("InvalidRequestException", message)


def not_found(arn: str) -> XRayError:
    """Return the error for an ARN that tags were asked of, and that nothing has."""
    return XRayError("ResourceNotFoundException", f"The resource {arn} does not exist.", HTTPStatus.NOT_FOUND)
