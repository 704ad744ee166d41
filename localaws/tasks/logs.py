"""What containers print, in CloudWatch Logs.

Lines are kept apart, the newest of each stream, and go to CloudWatch Logs when somebody looks there or the task ends:
an Envoy that logs all it does would otherwise keep the server busy with saving it.
"""

import threading
import time
from collections import deque
from typing import Any

from moto.logs.models import LogGroup, LogStream, logs_backends

from localaws.ecs.model import Container, Task
from localaws.xtras.patching import wrap

# Of each stream the newest lines are kept, both before and in CloudWatch Logs.
MOST_LINES = 5_000
_LONGEST_LINE = 16_384  # characters; Docker splits longer ones

_LOOKING = ("get_log_events", "filter_log_events", "describe_log_streams")


class Stream:
    """One log stream; `write` may be called from any thread."""

    def __init__(self, stream: LogStream) -> None:
        self._stream = stream
        self._lines: deque[tuple[int, str]] = deque(maxlen=MOST_LINES)
        self._rest = b""
        self._lock = threading.Lock()

    def write(self, chunk: bytes) -> None:
        """Take a piece of output, which may begin and end within a line."""
        now = int(1000 * time.time())
        with self._lock:
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            self._lines.extend((now, line.decode("utf-8", "replace")[:_LONGEST_LINE]) for line in lines if line)

    def flush(self, *, ended: bool = False) -> None:
        """Hand the lines to CloudWatch Logs; `state.lock` must be held."""
        if ended:
            self.write(b"\n")
        with self._lock:
            lines = list(self._lines)
            self._lines.clear()
        if lines:
            self._stream.put_log_events([{"timestamp": moment, "message": line} for moment, line in lines])
            del self._stream.events[:-MOST_LINES]


class Logs:
    """The streams of all running containers."""

    def __init__(self) -> None:
        self._streams: dict[str, Stream] = {}  # by the container's ARN
        for call in _LOOKING:
            wrap(LogGroup, call, self._flushed)

    def open(self, task: Task, container: Container) -> Stream | None:
        """Return the stream a container writes to, made where need be; None where it is to write nowhere.

        Raises:
            LookupError: the log group is not there; the message is the reason that ECS gives.

        """
        configuration = container.spec.get("logConfiguration", {})
        if configuration.get("logDriver") != "awslogs":
            return None
        options = configuration["options"]
        account = task.arn.split(":")[4]
        region, name = options["awslogs-region"], options["awslogs-group"]
        group = logs_backends[account][region].groups.get(name)
        if group is None:
            message = (
                "CannotStartContainerError: Error response from daemon: failed to initialize logging driver: failed to "
                "create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist."
            )
            raise LookupError(message)
        stream_name = f"{options['awslogs-stream-prefix']}/{container.name}/{task.id}"
        if stream_name not in group.streams:
            group.streams[stream_name] = LogStream(group, stream_name)
        self.close(container)  # of a container that is started again
        stream = self._streams[container.arn] = Stream(group.streams[stream_name])
        return stream

    def close(self, container: Container) -> None:
        """Hand over the last lines of a container that has ended; `state.lock` must be held."""
        if stream := self._streams.pop(container.arn, None):
            stream.flush(ended=True)

    def flush(self) -> None:
        """Hand over all lines there are; `state.lock` must be held."""
        for stream in list(self._streams.values()):
            stream.flush()

    def _flushed(self, call: Any, group: LogGroup, *args: Any, **kwargs: Any) -> Any:
        self.flush()
        return call(group, *args, **kwargs)
