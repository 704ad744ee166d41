"""What Pulumi's state of a stack holds, as it is exported. Source: apitype.DeploymentV3 of Pulumi."""

from typing import Any


def without(kind: str, deployment: dict[str, Any]) -> int:
    """Remove the resources whose type begins with `kind`, and what refers to them; returns how many they were."""
    resources = deployment.get("resources") or []
    gone = {each["urn"] for each in resources if each["type"].startswith(kind)}
    deployment["resources"] = kept = [each for each in resources if each["urn"] not in gone]
    for each in kept:
        each["dependencies"] = [urn for urn in each.get("dependencies") or () if urn not in gone]
        for name, urns in (each.get("propertyDependencies") or {}).items():
            each["propertyDependencies"][name] = [urn for urn in urns or () if urn not in gone]
    pending = deployment.get("pending_operations") or []
    deployment["pending_operations"] = [each for each in pending if each["resource"]["urn"] not in gone]
    return len(gone)
