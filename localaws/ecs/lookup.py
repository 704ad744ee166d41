"""Finds clusters, services and task definitions by what clients call them: a name, a short form or an ARN."""

from moto.ecs.models import Cluster

from localaws.ecs.backend import EcsBackend
from localaws.ecs.errors import EcsError, client_error, cluster_not_found, service_not_found
from localaws.ecs.model import Document, Service


def find_cluster(backend: EcsBackend, called: str | None, *, active: bool = False) -> Cluster:
    """Return a cluster; None means the one named `default`.

    Raises:
        EcsError: it is not there, or deleted where an active one is needed.

    """
    cluster = backend.clusters.get(last_part(called or "default"))
    if cluster is None:
        raise cluster_not_found()
    if active and cluster.status != "ACTIVE":
        message = "The referenced cluster was inactive."
        raise cluster_not_found(message)
    return cluster


def find_service(backend: EcsBackend, cluster: str | None, called: str) -> Service:
    """Return a service, in whatever state.

    Raises:
        EcsError: it, or its cluster, is not there.

    """
    service = backend.services_by_name.get((find_cluster(backend, cluster).name, last_part(called)))
    if service is None:
        raise service_not_found()
    return service


def find_definition(backend: EcsBackend, called: str) -> Document:
    """Return a task definition; without a revision the latest active one of the family.

    Raises:
        EcsError: there is none.

    """
    family, _, revision = last_part(called).partition(":")
    revisions = backend.definitions.get(family, {})
    if revision:
        found = revisions.get(int(revision)) if revision.isdecimal() else None
    else:
        active = [number for number, document in revisions.items() if is_active(document)]
        found = revisions[max(active)] if active else None
    if found is None:
        message = "Unable to describe task definition."
        raise client_error(message)
    return found


def usable_definition(backend: EcsBackend, called: str) -> Document:
    """Return a task definition that tasks may be started from.

    Raises:
        EcsError: there is none, or it has been deregistered.

    """
    try:
        definition = find_definition(backend, called)
    except EcsError:
        family = backend.definitions.get(last_part(called))
        message = "TaskDefinition is inactive" if family else "TaskDefinition not found."
        raise client_error(message) from None
    if not is_active(definition):
        message = "TaskDefinition is inactive"
        raise client_error(message)
    return definition


def is_active(definition: Document) -> bool:
    """Return whether a task definition has not been deregistered."""
    return bool(definition["status"] == "ACTIVE")


def last_part(called: str) -> str:
    """Return the name within an ARN or a short form such as cluster/service."""
    return called.rpartition("/")[2]
