"""What Pulumi's state of a stack holds, as it is exported. Source: apitype.DeploymentV3 of Pulumi."""

from collections.abc import Callable, Mapping
from typing import Any

Operation = Mapping[str, Any]  # one under way when the state was written: `type` and `resource`


def without(kind: str, deployment: dict[str, Any]) -> int:
    """Remove the resources whose type begins with `kind`, and what refers to them; returns how many they were."""
    resources = deployment.get("resources") or []
    gone = {each["urn"] for each in resources if each["type"].startswith(kind)}
    deployment["resources"] = kept = [each for each in resources if each["urn"] not in gone]
    for each in kept:
        each["dependencies"] = [urn for urn in each.get("dependencies") or () if urn not in gone]
        for name, urns in (each.get("propertyDependencies") or {}).items():
            each["propertyDependencies"][name] = [urn for urn in urns or () if urn not in gone]
    without_pending(lambda operation: operation["resource"]["urn"] in gone, deployment)
    return len(gone)


def without_pending(chosen: Callable[[Operation], bool], deployment: dict[str, Any]) -> int:
    """Remove the chosen pending operations; returns how many they were."""
    pending = deployment.get("pending_operations") or []
    deployment["pending_operations"] = kept = [each for each in pending if not chosen(each)]
    return len(pending) - len(kept)
