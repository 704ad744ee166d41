"""X-Ray over HTTP: botocore's model reads the requests; answers are plain JSON, as the model has them.

Moto's own machinery is passed by: it would read 50 segments of a request several times over, and import X-Ray's SDK.
"""

import json
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path

from moto.core.request import Request
from moto.iam.models import get_account_id_from
from werkzeug.wrappers import Response

from localaws.calls import Call
from localaws.instance import command
from localaws.variables import REGION
from localaws.xray import groups, reading, sampling, settings, traces
from localaws.xray.context import Context, Given
from localaws.xray.errors import XRayError
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


_CREDENTIAL = re.compile(r"Credential=([^/]+)/[^/]+/([^/]+)/")  # of the signature: access key and region


class XRay:
    """X-Ray of all accounts and regions, its data in a database in `folder`. Safe to use from many threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._store = Store(folder / "xray.db")

    def answer(self, call: Call, request: Request) -> Response:
        """Return the answer to a call.

        Raises:
            NotImplementedError: a call that is not known here.

        """
        if call.operation not in _CALLS:
            raise NotImplementedError(call.operation)
        signed = _CREDENTIAL.search(request.headers.get("Authorization", ""))
        key, region = signed.groups() if signed else ("", REGION)
        context = Context(self._store, Place(get_account_id_from(key), region))
        try:
            answer = _CALLS[call.operation](context, reading.parameters(call.operation, request.get_data()))
        except XRayError as error:
            return call.refuse(error.code, error.message, error.status)
        except StoreError as error:
            message = f"{error}. To start over from nothing: {command('reset', self._folder)}"
            return call.refuse("InternalFailure", message, HTTPStatus.INTERNAL_SERVER_ERROR)
        return Response(json.dumps(answer), content_type="application/json")
