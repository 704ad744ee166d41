"""What is accepted although a rule objects to it, each with its reason."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from checks.model import Finding


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """One finding that is known and wanted: this rule, on this resource, because of this very value."""

    rule: str
    service: str
    resource: str
    subject: str
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Whether `finding` is the one."""
        found = (finding.rule, finding.service, finding.resource, finding.subject)
        return found == (self.rule, self.service, self.resource, self.subject)


ACCEPTED = (
    Accepted(
        rule="pinned-image",
        service="crystal",
        resource="crystal-task",
        subject="public.ecr.aws/aws-containers/ecsdemo-crystal:latest",
        reason="No tag but latest is known for crystal's image (docs/differences.md, Tasks).",
    ),
)


def remaining(findings: Iterable[Finding], accepted: Iterable[Accepted] = ACCEPTED) -> Iterator[Finding]:
    """The findings that no exception covers."""
    exceptions = tuple(accepted)
    return (finding for finding in findings if not any(each.covers(finding) for each in exceptions))
