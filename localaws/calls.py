"""What a request asks of AWS, told by botocore's service models, and how AWS says no in the protocol of the request."""

import functools
from dataclasses import dataclass

from moto.core.exceptions import ServiceException
from moto.core.model import OperationModel
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model, service_name_from_moto_package_name
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

# Services whose package in moto is not called as in botocore, hyphens aside.
_ALIASES = {"awslambda": "lambda", "dynamodb_v20111205": "dynamodb"}
# Classic and new load balancers share an address; only the version tells them apart.
_ELBV2_VERSION = "2015-12-01"


class _Refusal(ServiceException):
    """An error of a class of ours: moto takes the module of an error's class for that of its service."""


@dataclass(frozen=True)
class Call:
    """One AWS call, by botocore's names; `operation` is "" where the service has no such operation."""

    service: str
    operation: str
    protocol: str  # ec2, json, query, rest-json or rest-xml

    def __str__(self) -> str:
        """Return the name under which the log knows the call."""
        return f"{self.service}.{self.operation or '?'}"

    def refuse(self, code: str, message: str, status: int | None = None) -> Response:
        """Return an error as the service would send it; `status` None: the one that its model gives to `code`."""
        model = get_service_model(self.service)
        operation = model.operation_model(self.operation) if self.operation else OperationModel({}, model)
        serializer = get_serializer_class(self.service, self.protocol)(operation_model=operation)
        answer = serializer.serialize(_Refusal(code, message))
        return Response(answer["body"], status or answer["status_code"], headers=dict(answer["headers"]))


def identify(request: Request, dispatcher: DomainDispatcherApplication) -> Call | None:
    """Return which call a request makes; None where no service can be made out."""
    host = dispatcher.infer_service_region_host(request.environ, request.path)
    package = dispatcher.get_backend_for_host(host) if host else None
    if package is None:
        return None
    if package == "elb" and request.values.get("Version") == _ELBV2_VERSION:
        package = "elbv2"
    service = _service_of(package)
    protocol = _protocol_of(service, request.content_type)
    try:
        operation, _ = get_service_router(service).match(request)
    except (HTTPException, NotImplementedError):
        return Call(service, "", protocol)
    return Call(service, operation.name, protocol)


def _protocol_of(service: str, content_type: str | None) -> str:
    """Return the protocol that a request is in; the service's own where it does not speak that of the content type."""
    model = get_service_model(service)
    try:
        return determine_request_protocol(model, content_type)
    except NotImplementedError:
        return str(model.protocol)


@functools.cache
def _service_of(package: str) -> str:
    return _ALIASES.get(package) or service_name_from_moto_package_name(package)
