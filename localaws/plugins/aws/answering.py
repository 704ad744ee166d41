"""Every call of the protocol ends in an answer or in one line for the user, never in a traceback."""

import functools
import threading
from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage

from localaws.plugins.aws.aws import AwsError, EndpointError
from localaws.plugins.aws.catalogue import UnknownTypeError
from localaws.plugins.aws.protocol import provider, status
from localaws.plugins.aws.values import State, to_struct


class PartialError(Exception):
    """The resource exists, but not all of it worked: the engine is to keep it and to report the reason."""

    def __init__(self, reason: str, identity: str, inputs: State, state: State) -> None:
        super().__init__(reason)
        self.details = provider.ErrorResourceInitFailed(
            id=identity, inputs=to_struct(inputs), properties=to_struct(state), reasons=[reason]
        )


class InFlight:
    """How many calls are being answered just now."""

    def __init__(self) -> None:
        self._count = 0
        self._change = threading.Condition()

    def __enter__(self) -> None:
        with self._change:
            self._count += 1

    def __exit__(self, *_error: object) -> None:
        with self._change:
            self._count -= 1
            self._change.notify_all()

    def wait_for_none(self) -> None:
        """Return once nothing is being answered."""
        with self._change:
            self._change.wait_for(lambda: self._count == 0)


IN_FLIGHT = InFlight()


def answering(
    method: Callable[[Any, Any, grpc.ServicerContext], Any],
) -> Callable[[Any, Any, grpc.ServicerContext], Any]:
    """A servicer method whose errors reach the engine as one line."""

    @functools.wraps(method)
    def answered(self: Any, request: Any, context: grpc.ServicerContext) -> Any:
        with IN_FLIGHT:
            try:
                return method(self, request, context)
            except PartialError as error:
                packed = AnyMessage()
                packed.Pack(error.details)
                details = status.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error), details=[packed])
                context.set_trailing_metadata((("grpc-status-details-bin", details.SerializeToString()),))
                context.abort(grpc.StatusCode.UNKNOWN, str(error))
            except (AwsError, EndpointError, UnknownTypeError) as error:
                context.abort(grpc.StatusCode.UNKNOWN, str(error))
            except Exception as error:  # noqa: BLE001 (a mistake of ours: one line too, with the place)
                context.abort(grpc.StatusCode.INTERNAL, f"mistake in the aws stand-in: {_place(error)}: {error!r}")

    return answered


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "somewhere"
