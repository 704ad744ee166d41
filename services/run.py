"""The run that deploys: the task definitions that it registers bear its id as a tag."""

from contextvars import ContextVar

TAG = "ecs-tracing:run"

# A context of its own for each program, since several are run at once in one process. "": task definitions keep the tag
# that they have, so that it is no change by itself, whoever deploys or previews them.
RUN: ContextVar[str] = ContextVar("RUN", default="")
