"""X-Ray over HTTP: botocore's model reads the requests; answers are plain JSON, as the model has them."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import get_service_model

from localaws.appmesh.errors import MeshError
from localaws.appmesh.validation import validate
from localaws.instance import command
from localaws.xray import groups, sampling, settings, traces
from localaws.xray.context import Context, Given
from localaws.xray.errors import XRayError, invalid
from localaws.xray.place import Place
from localaws.xray.store import Store, StoreError

# The rest of the model (insights, indexing rules, Transaction Search) is not known here.
_CALLS: Mapping[str, Callable[[Context, Given], Given]] = {
    "PutTraceSegments": traces.put_trace_segments,
    "PutTelemetryRecords": traces.put_telemetry_records,
    "GetTraceSummaries": traces.get_trace_summaries,
    "BatchGetTraces": traces.batch_get_traces,
    "GetTraceGraph": traces.get_trace_graph,
    "GetServiceGraph": traces.get_service_graph,
    "GetTimeSeriesServiceStatistics": traces.get_time_series_service_statistics,
    "CreateGroup": groups.create_group,
    "GetGroup": groups.get_group,
    "GetGroups": groups.get_groups,
    "UpdateGroup": groups.update_group,
    "DeleteGroup": groups.delete_group,
    "CreateSamplingRule": sampling.create_sampling_rule,
    "GetSamplingRules": sampling.get_sampling_rules,
    "UpdateSamplingRule": sampling.update_sampling_rule,
    "DeleteSamplingRule": sampling.delete_sampling_rule,
    "GetSamplingTargets": sampling.get_sampling_targets,
    "GetSamplingStatisticSummaries": sampling.get_sampling_statistic_summaries,
    "GetEncryptionConfig": settings.get_encryption_config,
    "PutEncryptionConfig": settings.put_encryption_config,
    "GetTraceSegmentDestination": settings.get_trace_segment_destination,
    "PutResourcePolicy": settings.put_resource_policy,
    "ListResourcePolicies": settings.list_resource_policies,
    "DeleteResourcePolicy": settings.delete_resource_policy,
    "TagResource": settings.tag_resource,
    "UntagResource": settings.untag_resource,
    "ListTagsForResource": settings.list_tags_for_resource,
}


class XRayResponse(BaseResponse):
    """Answers one request."""

    store: ClassVar[Store]

    def __init__(self) -> None:
        super().__init__(service_name="xray")
        self.automated_parameter_parsing = True

    def call_action(self) -> Any:
        """Validate and do what the request asks, and return status, headers and body."""
        operation = self._get_action()
        if operation not in _CALLS:
            raise NotImplementedError(operation)
        context = Context(self.store, Place(self.current_account, self.region))
        try:
            _check(operation, self.params)
            answer = _CALLS[operation](context, self.params)
        except XRayError as error:
            return self.serialized(ActionResult(error))
        except StoreError as error:
            message = f"{error}. To start over from nothing: {command('reset', self.store.folder)}"
            return self.serialized(ActionResult(XRayError("InternalFailure", message)))
        return 200, {**self.response_headers, "Content-Type": "application/json"}, json.dumps(answer)


def install(folder: Path) -> None:
    """Keep X-Ray's data in this folder from now on; to be called before the first request."""
    XRayResponse.store = Store(folder / "xray.db")


def _check(operation: str, given: Given) -> None:
    """Refuse a call that does not fit the service's model."""
    try:
        validate(given, get_service_model("xray").operation_model(operation).input_shape)
    except MeshError as error:
        raise invalid(error.message) from error
