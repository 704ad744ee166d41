"""App Mesh over HTTP: botocore's model reads the requests and writes the answers."""

from typing import Any

from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import get_service_model

from localaws.appmesh.errors import MeshError
from localaws.appmesh.models import mesh_backends
from localaws.appmesh.validation import validate


class MeshResponse(BaseResponse):
    """Answers one request."""

    def __init__(self) -> None:
        super().__init__(service_name="appmesh")
        self.automated_parameter_parsing = True

    def call_action(self) -> Any:
        """Validate and do what the request asks, and return status, headers and body."""
        operation = self._get_action()
        backend = mesh_backends[self.current_account][self.region]
        try:
            validate(self.params, get_service_model("appmesh").operation_model(operation).input_shape)
            return self.serialized(ActionResult(backend.call(operation, self.params)))
        except MeshError as error:
            return self.serialized(ActionResult(error))
