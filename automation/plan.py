"""Which stacks a run touches, and in which order. Pure: names in, names out."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from automation.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Step:
    """One stack of a run.

    ``needs`` holds the services of *this run* that must be done first; for a destruction these are the dependents.
    """

    service: str
    stack: str
    needs: tuple[str, ...]


def select(graph: Mapping[str, Sequence[str]], names: Iterable[str], environment: str) -> tuple[Step, ...]:
    """The steps for `names` (all services when empty), in the graph's order.

    Raises `UsageError` for a name that is no service.
    """
    wanted = set(names)
    for name in sorted(wanted - set(graph)):
        message = f"Unknown service '{name}'. The services are: {', '.join(graph)}."
        raise UsageError(message, next_command="python automation/status.py")
    chosen = [service for service in graph if not wanted or service in wanted]
    return tuple(
        Step(
            service=service,
            stack=f"{environment}-{service}",
            needs=tuple(need for need in graph[service] if need in chosen),
        )
        for service in chosen
    )


def require_prerequisites(
    steps: Sequence[Step], graph: Mapping[str, Sequence[str]], deployed: Collection[str], environment: str
) -> None:
    """Raise `UsageError` when a step needs a service that is neither deployed nor part of this run."""
    present = {step.service for step in steps} | set(deployed)
    for step in steps:
        missing = [need for need in graph[step.service] if need not in present]
        if missing:
            message = f"'{step.service}' needs {_names(missing)}, not deployed in environment '{environment}'."
            raise UsageError(
                message, next_command=f"python automation/enable.py {' '.join(missing)}{_env(environment)}"
            )


def require_existing(steps: Sequence[Step], stacks: Collection[str], environment: str) -> None:
    """Raise `UsageError` when a step's stack does not exist."""
    missing = [step.service for step in steps if step.stack not in stacks]
    if missing:
        message = (
            f"{_names(missing)} {'is' if len(missing) == 1 else 'are'} not deployed in environment '{environment}'."
        )
        raise UsageError(message, next_command=f"python automation/enable.py{_env(environment)}")


def for_destruction(
    steps: Sequence[Step], graph: Mapping[str, Sequence[str]], deployed: Collection[str], environment: str
) -> tuple[Step, ...]:
    """The same stacks turned round: dependents first, prerequisites last.

    Raises `UsageError` when a service outside this run still depends on one of them.
    """
    chosen = {step.service for step in steps}
    users = {step.service: [other for other in graph if step.service in graph[other]] for step in steps}
    for step in steps:
        left = [user for user in users[step.service] if user in deployed and user not in chosen]
        if left:
            message = f"'{step.service}' is still needed by {_names(left)} in environment '{environment}'."
            raise UsageError(message, next_command=f"python automation/destroy.py {' '.join(left)}{_env(environment)}")
    return tuple(
        Step(service=step.service, stack=step.stack, needs=tuple(u for u in users[step.service] if u in chosen))
        for step in reversed(steps)
    )


def _names(services: Sequence[str]) -> str:
    return " and ".join(f"'{service}'" for service in services)


def _env(environment: str) -> str:
    return "" if environment == "local" else f" --env {environment}"
