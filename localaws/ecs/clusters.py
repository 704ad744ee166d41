"""The operations on clusters: moto's objects, with AWS's rules and true counters."""

import re
from typing import Any

from moto.ecs.models import Cluster

from localaws.ecs.backend import EcsBackend
from localaws.ecs.errors import EcsError, invalid
from localaws.ecs.lookup import find_cluster, last_part
from localaws.ecs.model import ENDED, STARTING, Document
from localaws.ecs.paging import page

# What DescribeClusters leaves empty unless it is told to include it.
_ON_REQUEST: dict[str, tuple[str, object]] = {
    "configuration": ("CONFIGURATIONS", None),
    "settings": ("SETTINGS", []),
    "statistics": ("STATISTICS", []),
    "tags": ("TAGS", []),
}


def create_cluster(backend: EcsBackend, params: Document) -> Document:
    """Answer CreateCluster; one that is there already is answered as it is."""
    name = params.get("clusterName", "default")
    if not re.fullmatch(r"[\w-]{1,255}", name, re.ASCII):
        message = "Invalid identifier: a cluster's name has up to 255 letters, digits, underscores and hyphens."
        raise invalid(message)
    cluster = backend.clusters.get(name)
    if cluster is None or cluster.status != "ACTIVE":
        cluster = backend.create_cluster(
            name,
            cluster_settings=params.get("settings"),
            configuration=params.get("configuration"),
            capacity_providers=params.get("capacityProviders"),
            default_capacity_provider_strategy=params.get("defaultCapacityProviderStrategy"),
            service_connect_defaults=params.get("serviceConnectDefaults"),
        )
        backend.tags[cluster.arn] = list(params.get("tags", []))
    return {"cluster": _describe(backend, cluster)}


def update_cluster(backend: EcsBackend, params: Document) -> Document:
    """Answer UpdateCluster and UpdateClusterSettings."""
    cluster = find_cluster(backend, params["cluster"], active=True)
    if params.get("settings"):
        kept = {setting["name"]: setting for setting in [*cluster.settings, *params["settings"]]}
        cluster.settings = list(kept.values())
    if params.get("configuration"):
        cluster.configuration = params["configuration"]
    if params.get("serviceConnectDefaults"):
        cluster.service_connect_defaults = params["serviceConnectDefaults"]
    return {"cluster": _describe(backend, cluster)}


def put_cluster_capacity_providers(backend: EcsBackend, params: Document) -> Document:
    """Answer PutClusterCapacityProviders."""
    cluster = find_cluster(backend, params["cluster"], active=True)
    cluster.capacity_providers = params["capacityProviders"]
    cluster.default_capacity_provider_strategy = params["defaultCapacityProviderStrategy"]
    return {"cluster": _describe(backend, cluster)}


def delete_cluster(backend: EcsBackend, params: Document) -> Document:
    """Answer DeleteCluster; it must be empty, and is INACTIVE then."""
    cluster = find_cluster(backend, params["cluster"])
    services = backend.services_by_name.values()
    if any(service.cluster == cluster.name and service.status != "INACTIVE" for service in services):
        message = "The Cluster cannot be deleted while Services are active."
        raise EcsError("ClusterContainsServicesException", message)
    if any(task.cluster == cluster.name and task.status != ENDED for task in backend.tasks_by_id.values()):
        message = "The Cluster cannot be deleted while Tasks are active."
        raise EcsError("ClusterContainsTasksException", message)
    if cluster.registered_container_instances_count:
        message = "The Cluster cannot be deleted while Container Instances are active or draining."
        raise EcsError("ClusterContainsContainerInstancesException", message)
    cluster.status = "INACTIVE"
    return {"cluster": _describe(backend, cluster)}


def list_clusters(backend: EcsBackend, params: Document) -> Document:
    """Answer ListClusters."""
    arns = [cluster.arn for cluster in backend.clusters.values() if cluster.status == "ACTIVE"]
    return page(params, "clusterArns", arns)


def describe_clusters(backend: EcsBackend, params: Document) -> Document:
    """Answer DescribeClusters; settings, configuration, statistics and tags only where they are asked for."""
    include = params.get("include", [])
    hidden = {member: empty for member, (word, empty) in _ON_REQUEST.items() if word not in include}
    found, failures = [], []
    for called in params.get("clusters") or ["default"]:
        cluster = backend.clusters.get(last_part(called))
        if cluster is None:
            arn = called if called.startswith("arn:") else backend.arn(f"cluster/{called}")
            failures.append({"arn": arn, "reason": "MISSING"})
            continue
        found.append(_describe(backend, cluster) | hidden)
    return {"clusters": found, "failures": failures}


def _describe(backend: EcsBackend, cluster: Cluster) -> Document:
    tasks = [task for task in backend.tasks_by_id.values() if task.cluster == cluster.name]
    services = [service for service in backend.services_by_name.values() if service.cluster == cluster.name]
    counts = {
        "RUNNING": sum(task.status == "RUNNING" for task in tasks),
        "PENDING": sum(task.status in STARTING for task in tasks),
        "ACTIVE": sum(service.status == "ACTIVE" for service in services),
        "DRAINING": sum(service.status == "DRAINING" for service in services),
    }
    document: dict[str, Any] = {
        "clusterArn": cluster.arn,
        "clusterName": cluster.name,
        "status": cluster.status,
        "registeredContainerInstancesCount": cluster.registered_container_instances_count,
        "runningTasksCount": counts["RUNNING"],
        "pendingTasksCount": counts["PENDING"],
        "activeServicesCount": counts["ACTIVE"],
        "statistics": [
            {"name": f"{status}{noun}Count", "value": str(counts[count])}
            for status, noun, count in (
                ("runningFargate", "Tasks", "RUNNING"),
                ("pendingFargate", "Tasks", "PENDING"),
                ("activeFargate", "Service", "ACTIVE"),
                ("drainingFargate", "Service", "DRAINING"),
            )
        ],
        "settings": list(cluster.settings),
        "configuration": cluster.configuration,
        "capacityProviders": cluster.capacity_providers or [],
        "defaultCapacityProviderStrategy": cluster.default_capacity_provider_strategy or [],
        "serviceConnectDefaults": cluster.service_connect_defaults,
        "tags": list(backend.tags.get(cluster.arn, [])),
    }
    return document
