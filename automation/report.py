"""What a run did: one object that the summary, the JSON document and the exit code are made from."""

import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from automation.advice import advice
from automation.errors import ExitCode
from automation.events import summarise
from automation.forecast import Change
from automation.proof import Proof
from automation.run import Row, State
from automation.traffic import Traffic
from automation.verify import Running
from traces import as_json


@dataclass(kw_only=True)
class Report:
    """A run of enable, disable, deploy or destroy."""

    command: str
    environment: str
    traced: Collection[str] = ()  # the services that are to be traced
    rows: Sequence[Row] = ()
    plan: Mapping[str, Sequence[Change]] = field(default_factory=dict)  # by service; empty when it was skipped
    verification: Mapping[str, Running] = field(default_factory=dict)  # by service
    traffic: Traffic | None = None  # None: no requests were sent
    proof: Proof | None = None  # None: nobody looked for traces
    review_problem: str = ""  # why nobody could
    held: str = ""  # the wave that was not good, after which nothing more was begun
    rolled_back: Sequence[Row] = ()  # a row for each stack that was to be taken back
    declined: bool = False
    interrupted: bool = False
    begun: float = field(default_factory=time.monotonic)

    @property
    def exit_code(self) -> ExitCode:
        """What the run's end means to a shell."""
        if self.interrupted:
            return ExitCode.INTERRUPTED
        if self.declined:
            return ExitCode.DONE
        if any(not row.state.is_good and not (self.held and row.state is State.BLOCKED) for row in self.rows):
            return ExitCode.STACK_FAILED
        if self._unverified():
            return ExitCode.NOT_VERIFIED
        return ExitCode.DONE

    @property
    def applied(self) -> Counter[str]:
        """Changes made, over all stacks."""
        return sum((row.progress.applied for row in self.rows), Counter())

    def summary(self) -> str:
        """The sentence that ends a run."""
        seconds = f"{time.monotonic() - self.begun:.1f} s"
        if self.declined:
            return "Nothing was changed."
        if self.interrupted:
            return f"Interrupted after {seconds}: {self._states()}. Run the same command again to finish."
        if self.exit_code is ExitCode.STACK_FAILED:
            again = "Correct the cause and run the same command again."
            return f"Not finished after {seconds}: {self._states()}. {self._taken_back() or again}"
        if self.exit_code is ExitCode.NOT_VERIFIED:
            held = f"{self.held}: {self._states()}." if self.held else ""
            told = [f"Deployed in {seconds}, but {self._unverified()}.", held, self._taken_back()]
            return " ".join(filter(None, told))
        if self.command == "destroy":
            return f"Destroyed in {seconds}: {_enumerate([row.step.service for row in self.rows])}."
        changed = f"{summarise(self.applied)}; " if self.applied else "Nothing to change: "
        return f"{changed}{self._outcome()} in environment {self.environment} ({seconds})."

    def _taken_back(self) -> str:
        """``Rolled back: crystal and platform. Not rolled back: frontend (it was …).``; "" where nothing was."""
        back = [row.step.service for row in self.rolled_back if row.state.is_good]
        left = [f"{row.step.service} ({row.reason})" for row in self.rolled_back if not row.state.is_good]
        told = {"Rolled back": _enumerate(back), "Not rolled back": "; ".join(left)}
        return " ".join(f"{what}: {names}." for what, names in told.items() if names)

    def _outcome(self) -> str:
        """``platform and crystal are traced; nodejs is not traced``."""
        services = [row.step.service for row in self.rows]
        already = " already" if not self.applied else ""
        states = {
            "traced": [service for service in services if service in self.traced],
            "not traced": [service for service in services if service not in self.traced],
        }
        return "; ".join(
            f"{_enumerate(names)} {'is' if len(names) == 1 else 'are'}{already} {state}"
            for state, names in states.items()
            if names
        )

    def _unverified(self) -> str:
        """What is not as it should be after a deployment; "" where all is."""
        wrong = [name for name, running in self.verification.items() if running.problems]
        if wrong:
            return f"AWS does not run what was deployed: {', '.join(wrong)}"
        if self.traffic and self.traffic.problems():
            return "; ".join(self.traffic.problems())
        if self.proof and not self.proof.holds:
            missing = ", ".join(hop.words for hop, number in self.proof.seen.items() if not number)
            return f"not every call is traced: {missing}"
        return self.review_problem

    def to_json(self) -> dict[str, Any]:
        """The document of ``--json``."""
        return {
            "command": self.command,
            "environment": self.environment,
            "exitCode": int(self.exit_code),
            "changed": bool(self.applied),
            "summary": self.summary(),
            "stacks": [self._stack_to_json(row) for row in self.rows],
            **({"rollback": [_undone_to_json(row) for row in self.rolled_back]} if self.rolled_back else {}),
            **self._review_to_json(),
        }

    def _review_to_json(self) -> dict[str, Any]:
        """What was sent and what came of it; nothing where nothing was sent."""
        if self.traffic is None:
            return {}
        document: dict[str, Any] = {
            "traffic": {"url": self.traffic.url, "sent": self.traffic.sent, "answers": dict(self.traffic.answers)}
        }
        if self.proof:
            document["hops"] = self.proof.to_json()
            document["serviceMap"] = as_json.service_map(self.proof.service_map) if self.proof.service_map else None
        return document

    def _stack_to_json(self, row: Row) -> dict[str, Any]:
        document: dict[str, Any] = {
            "service": row.step.service,
            "stack": row.step.stack,
            "state": row.state.value,
            "reason": row.reason,
            "cause": row.cause,
            "seconds": round(row.elapsed(time.monotonic()), 3),
            "changes": dict(row.progress.applied),
            "errors": row.progress.errors,
            "advice": advice(row.step.stack, row.progress.errors),
            "warnings": row.progress.warnings,
        }
        if row.step.service in self.plan:
            document["plan"] = [change.to_json() for change in self.plan[row.step.service]]
        if running := self.verification.get(row.step.service):
            document["verification"] = {
                "ok": not running.problems,
                "problems": list(running.problems),
                "taskDefinition": running.task_definition,
                "rollout": running.rollout,
                "runningTasks": running.running,
                "desiredTasks": running.desired,
            }
        return document

    def _states(self) -> str:
        by_state: dict[State, list[str]] = {}
        for row in self.rows:
            by_state.setdefault(row.state, []).append(row.step.service)
        return "; ".join(f"{_enumerate(services)} {state.value}" for state, services in by_state.items())


def _undone_to_json(row: Row) -> dict[str, Any]:
    return {
        "service": row.step.service,
        "stack": row.step.stack,
        "rolledBack": row.state.is_good,
        "reason": row.reason,
        "changes": dict(row.progress.applied),
        "errors": row.progress.errors,
    }


def _enumerate(words: Sequence[str]) -> str:
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else "".join(words)
