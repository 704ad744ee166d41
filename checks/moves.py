"""The rule about tasks that change their mesh."""

from collections.abc import Iterator, Sequence

from checks.model import TASK_DEFINITION, Finding, Step

APP_MESH = "aws:appmesh/"  # how the types of the mesh and of all its parts begin

_REDIRECTION = "proxyConfiguration"  # a task has it in App Mesh alone


def mesh_in_one_go(service: str, steps: Sequence[Step]) -> Iterator[Finding]:
    """Tasks leave a mesh only while it is still there, and enter one that is there already."""
    moved = [
        step
        for step in steps
        if step.type == TASK_DEFINITION and any(each.path.startswith(_REDIRECTION) for each in step.differences)
    ]
    if moved and any(step.type.startswith(APP_MESH) and step.op in ("create", "delete") for step in steps):
        yield Finding(
            rule="mesh-in-one-go",
            service=service,
            resource=moved[0].name,
            message="the tasks change their mesh in one go: requests fail until all services have",
            fix="Leave `mesh` as it is deployed, and move with: python automation/migrate.py --to envoy (or appmesh)",
        )
