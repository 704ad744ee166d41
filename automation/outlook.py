"""A forecast judged: what the checks object to and what tracing will cost; for the terminal and for machines."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from automation import display
from automation.forecast import Forecast
from checks.estimates import Estimate, estimate
from checks.model import Finding
from checks.plan import check
from checks.tracing import Names
from services import tracing

_STYLE = {"error": "bold red", "warning": "yellow"}


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What becomes of an environment, and what is to be thought of it."""

    forecast: Forecast
    findings: Sequence[Finding]
    estimate: Estimate

    @classmethod
    def of(cls, forecast: Forecast, requests: float) -> "Outlook":
        """Judge a forecast; `requests` is how many a month the pages are asked for."""
        names = Names(**tracing.NAMES)
        return cls(
            forecast=forecast,
            findings=check(forecast.stacks, names),
            estimate=estimate(forecast.stacks, names, requests),
        )

    def to_json(self) -> dict[str, Any]:
        """What the document of ``--json`` has of it."""
        return {
            "environment": self.forecast.environment,
            "against": self.forecast.base or None,
            "changed": self.forecast.changed,
            "stacks": [
                {
                    "service": stack.service,
                    "stack": stack.stack,
                    "changes": [change.to_json() for change in stack.changes],
                    "unchanged": stack.unchanged,
                    "waitsFor": list(stack.waits_for),
                    "problem": stack.problem or None,
                }
                for stack in self.forecast.stacks
            ],
            "findings": [asdict(finding) for finding in self.findings],
            "estimate": self.estimate.to_json(),
        }

    def shown(self) -> RenderableType:
        """For a person at a terminal."""
        against = f" against {self.forecast.base}" if self.forecast.base else ""
        title = f"Preview of environment {self.forecast.environment}{against}"
        lines: list[RenderableType] = [
            display.plan(title, {stack.service: stack.changes for stack in self.forecast.stacks if not stack.problem})
        ]
        for stack in self.forecast.stacks:
            if stack.problem:
                lines.append(Text(f"  {stack.service}: {stack.problem}", style="red"))
            elif stack.waits_for:
                awaited = " and ".join(stack.waits_for)
                lines.append(Text(f"  {stack.service} hangs on {awaited}: part of its plan is known only after that."))
        lines += [_finding(finding) for finding in self.findings]
        lines += [Text(f"  {self.estimate.words}", style="dim")] if self.estimate.words else []
        return Group(*lines)


def _finding(finding: Finding) -> Text:
    where = f"{finding.service}, {finding.resource}"
    return Text.assemble(
        (f"  {finding.severity} {finding.rule}", _STYLE[finding.severity]),
        f" ({where}): {finding.message}. {finding.fix}",
    )
