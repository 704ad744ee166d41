"""The sizes of tasks: those that Fargate has, and the one that a service has unless it says so."""

from collections.abc import Mapping, Sequence

# Valid on Fargate, the same with tracing on and off; every mix of our containers leaves at least FREE_SHARE unreserved.
TASK_CPU = 512  # units, 1024 a vCPU; AWS recommends this much for an Envoy
TASK_MEMORY = 1024  # MiB
FREE_SHARE = 0.25

_GIB = 1024

# CPU units → memory sizes in MiB. Source: ECS API reference, RegisterTaskDefinition, `cpu` and `memory`.
FARGATE_SIZES: Mapping[int, Sequence[int]] = {
    256: (512, 1024, 2048),
    512: range(1 * _GIB, 4 * _GIB + 1, _GIB),
    1024: range(2 * _GIB, 8 * _GIB + 1, _GIB),
    2048: range(4 * _GIB, 16 * _GIB + 1, _GIB),
    4096: range(8 * _GIB, 30 * _GIB + 1, _GIB),
    8192: range(16 * _GIB, 60 * _GIB + 1, 4 * _GIB),
    16384: range(32 * _GIB, 120 * _GIB + 1, 8 * _GIB),
}
