"""App Mesh: what it holds, how it changes, and what it refuses."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

HTTP_3000 = {"portMapping": {"port": 3000, "protocol": "http"}}
CLOUD_MAP = {"awsCloudMap": {"namespaceName": "service.local", "serviceName": "ecsdemo-crystal"}}
NODE_SPEC = {
    "listeners": [HTTP_3000],
    "serviceDiscovery": CLOUD_MAP,
    "logging": {"accessLog": {"file": {"path": "/dev/stdout"}}},
}
TO_CRYSTAL = {
    "httpRoute": {"match": {"prefix": "/"}, "action": {"weightedTargets": [{"virtualNode": "crystal", "weight": 1}]}}
}
TO_SERVICE = {
    "httpRoute": {
        "match": {"prefix": "/"},
        "action": {"target": {"virtualService": {"virtualServiceName": "crystal.service.local"}}},
    }
}
# Each kind of resource: the parameters that name one, its spec, and another spec to change it to.
KINDS: dict[str, tuple[dict[str, str], dict[str, Any], dict[str, Any]]] = {
    "virtual_node": ({"virtualNodeName": "crystal"}, NODE_SPEC, {**NODE_SPEC, "listeners": []}),
    "virtual_router": (
        {"virtualRouterName": "FrontEnd"},
        {"listeners": [HTTP_3000]},
        {"listeners": [{"portMapping": {"port": 80, "protocol": "http2"}}]},
    ),
    "route": (
        {"virtualRouterName": "FrontEnd", "routeName": "all"},
        TO_CRYSTAL,
        {"tcpRoute": {"action": {"weightedTargets": [{"virtualNode": "crystal", "weight": 100}]}}},
    ),
    "virtual_service": (
        {"virtualServiceName": "crystal.service.local"},
        {"provider": {"virtualNode": {"virtualNodeName": "crystal"}}},
        {"provider": {"virtualRouter": {"virtualRouterName": "FrontEnd"}}},
    ),
    "virtual_gateway": (
        {"virtualGatewayName": "ecsworkshop-vgw"},
        {"listeners": [HTTP_3000]},
        {"listeners": [{"portMapping": {"port": 80, "protocol": "http"}}]},
    ),
    "gateway_route": (
        {"virtualGatewayName": "ecsworkshop-vgw", "gatewayRouteName": "frontend-router"},
        TO_SERVICE,
        {**TO_SERVICE, "priority": 1},
    ),
}


class Mesh:
    """A mesh of the test's own, with short ways to call App Mesh about it."""

    def __init__(self, appmesh: Any) -> None:
        self.appmesh = appmesh
        self.name = f"mesh-{uuid.uuid4().hex[:8]}"
        self.arn = self.call("create_mesh")["mesh"]["metadata"]["arn"]

    def call(self, operation: str, **given: Any) -> dict[str, Any]:
        answer: dict[str, Any] = getattr(self.appmesh, operation)(meshName=self.name, **given)
        del answer["ResponseMetadata"]
        return answer

    def make(self, *kinds: str) -> None:
        for kind in kinds:
            names, spec, _ = KINDS[kind]
            self.call(f"create_{kind}", **names, spec=spec)

    def refused(self, code: str, operation: str, **given: Any) -> str:
        """The message of the error that a call has to end in."""
        with pytest.raises(ClientError) as caught:
            self.call(operation, **given)
        assert code == caught.value.response["Error"]["Code"]
        return str(caught.value.response["Error"]["Message"])


@pytest.fixture
def mesh(client: Callable[..., Any]) -> Mesh:
    return Mesh(client("appmesh"))


def member(kind: str) -> str:
    first, *rest = kind.split("_")
    return first + "".join(word.title() for word in rest)


def test_a_mesh_drops_egress_unless_told_otherwise(mesh: Mesh) -> None:
    """An empty spec reads back with the filter that AWS documents as its default."""
    assert mesh.call("describe_mesh")["mesh"]["spec"] == {"egressFilter": {"type": "DROP_ALL"}}

    mesh.call("update_mesh", spec={"egressFilter": {"type": "ALLOW_ALL"}})
    assert mesh.call("describe_mesh")["mesh"]["spec"] == {"egressFilter": {"type": "ALLOW_ALL"}}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_made_read_changed_and_deleted(mesh: Mesh, kind: str) -> None:
    """What was given reads back, a change counts the version up, and what was deleted is gone."""
    mesh.make("virtual_node", "virtual_router", "virtual_gateway", "virtual_service")
    names, spec, other = KINDS[kind]
    if kind in {"route", "gateway_route"}:
        mesh.make(kind)

    made = mesh.call(f"describe_{kind}", **names)[member(kind)]
    assert spec == made["spec"]
    assert made["status"] == {"status": "ACTIVE"}
    assert {"meshName": mesh.name, **names} == {key: made[key] for key in ("meshName", *names)}
    assert made["metadata"]["version"] == 1
    assert made["metadata"]["createdAt"] == made["metadata"]["lastUpdatedAt"]
    assert datetime.now(UTC) - made["metadata"]["createdAt"] < timedelta(minutes=1)
    assert [made["metadata"][key] for key in ("meshOwner", "resourceOwner")] == ["123456789012"] * 2

    mesh.call(f"update_{kind}", **names, spec=other)
    changed = mesh.call(f"describe_{kind}", **names)[member(kind)]
    assert other == changed["spec"]
    assert changed["metadata"]["version"] == 2
    assert made["metadata"]["uid"] == changed["metadata"]["uid"]
    assert made["metadata"]["lastUpdatedAt"] < changed["metadata"]["lastUpdatedAt"]

    if kind in {"virtual_node", "virtual_router"}:
        mesh.call("update_virtual_service", **KINDS["virtual_service"][0], spec={})
    assert mesh.call(f"delete_{kind}", **names)[member(kind)]["status"] == {"status": "DELETED"}
    mesh.refused("NotFoundException", f"describe_{kind}", **names)


def test_arns_show_what_a_resource_is_in(mesh: Mesh) -> None:
    """ARNs are those of AWS's service authorization reference."""
    mesh.make("virtual_node", "virtual_router", "route", "virtual_service", "virtual_gateway", "gateway_route")
    found = {kind: mesh.call(f"describe_{kind}", **KINDS[kind][0])[member(kind)]["metadata"]["arn"] for kind in KINDS}

    assert f"arn:aws:appmesh:us-east-1:123456789012:mesh/{mesh.name}" == mesh.arn
    assert {
        "virtual_node": f"{mesh.arn}/virtualNode/crystal",
        "virtual_router": f"{mesh.arn}/virtualRouter/FrontEnd",
        "route": f"{mesh.arn}/virtualRouter/FrontEnd/route/all",
        "virtual_service": f"{mesh.arn}/virtualService/crystal.service.local",
        "virtual_gateway": f"{mesh.arn}/virtualGateway/ecsworkshop-vgw",
        "gateway_route": f"{mesh.arn}/virtualGateway/ecsworkshop-vgw/gatewayRoute/frontend-router",
    } == found


def test_every_operation_is_answered(client: Callable[..., Any]) -> None:
    """Of the 38 operations in botocore's model none is unknown: each ends in an answer or in an error of App Mesh."""
    appmesh = client("appmesh")
    operations = boto3.client("appmesh", region_name="us-east-1").meta.service_model.operation_names
    assert len(operations) == 38
    names = {name: "nothing" for kind in KINDS.values() for name in kind[0]}
    given: dict[str, Any] = {
        **names,
        "meshName": "nothing",
        "spec": {},
        "resourceArn": "nothing",
        "tags": [],
        "tagKeys": [],
    }
    codes = set()
    for operation in operations:
        if operation == "ListMeshes":
            assert appmesh.list_meshes()["meshes"] is not None
            continue
        shape = appmesh.meta.service_model.operation_model(operation).input_shape
        wanted = {name: given[name] for name in shape.required_members}
        if operation in {"CreateMesh", "UpdateMesh"}:
            wanted["meshName"] = "x" * 256
        with pytest.raises(ClientError) as caught:
            appmesh._make_api_call(operation, wanted)
        codes.add(caught.value.response["Error"]["Code"])
    assert {"NotFoundException", "BadRequestException"} >= codes


def test_a_name_is_given_once(mesh: Mesh) -> None:
    """A second resource of a name is a conflict, and so is a second mesh."""
    mesh.make("virtual_node")

    mesh.refused("ConflictException", "create_virtual_node", virtualNodeName="crystal", spec={})
    mesh.refused("ConflictException", "create_mesh")


def test_the_same_call_again_finds_what_it_made(mesh: Mesh) -> None:
    """A create or update sent twice with one client token happens once."""
    given = {"virtualNodeName": "crystal", "spec": NODE_SPEC, "clientToken": "once"}
    first = mesh.call("create_virtual_node", **given)
    assert first == mesh.call("create_virtual_node", **given)

    change = {"virtualNodeName": "crystal", "spec": {}, "clientToken": "twice"}
    mesh.call("update_virtual_node", **change)
    assert mesh.call("update_virtual_node", **change)["virtualNode"]["metadata"]["version"] == 2


def test_what_is_missing_is_named(mesh: Mesh) -> None:
    """A parent or a provider that is not there is answered with its kind and name."""
    mesh.make("virtual_router")
    names, spec, _ = KINDS["virtual_service"]

    message = mesh.refused("NotFoundException", "create_virtual_service", **names, spec=spec)
    assert f"VirtualNode with name crystal is not present under mesh {mesh.name} for account 123456789012" == message
    mesh.refused("NotFoundException", "create_route", **KINDS["route"][0], spec=TO_CRYSTAL)
    mesh.refused("NotFoundException", "create_gateway_route", **KINDS["gateway_route"][0], spec=TO_SERVICE)
    mesh.refused("NotFoundException", "list_routes", virtualRouterName="none")
    mesh.refused("NotFoundException", "describe_mesh", meshOwner="210987654321")


def test_backends_may_come_later(mesh: Mesh) -> None:
    """A node may name virtual services that are not there yet, since two nodes may call each other."""
    backends = [{"virtualService": {"virtualServiceName": "nodejs.service.local"}}]
    mesh.call("create_virtual_node", virtualNodeName="frontend", spec={**NODE_SPEC, "backends": backends})

    spec = mesh.call("describe_virtual_node", virtualNodeName="frontend")["virtualNode"]["spec"]
    assert backends == spec["backends"]


def test_what_is_in_use_stays(mesh: Mesh) -> None:
    """Nothing is deleted that holds something or is named by something; bottom up, all of it can be."""
    mesh.make("virtual_node", "virtual_router", "route", "virtual_service", "virtual_gateway", "gateway_route")
    for kind in ("virtual_node", "virtual_router", "virtual_service", "virtual_gateway"):
        mesh.refused("ResourceInUseException", f"delete_{kind}", **KINDS[kind][0])
    mesh.refused("ResourceInUseException", "delete_mesh")

    for kind in ("gateway_route", "virtual_gateway", "virtual_service", "route", "virtual_router", "virtual_node"):
        mesh.call(f"delete_{kind}", **KINDS[kind][0])
    mesh.call("delete_mesh")
    mesh.refused("NotFoundException", "describe_mesh")


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (
            {"listeners": [{"portMapping": {"port": 70000, "protocol": "http"}}], "serviceDiscovery": CLOUD_MAP},
            "Value '70000' at 'spec.listeners.1.member.portMapping.port' failed to satisfy constraint: Member must",
        ),
        (
            {"listeners": [{"portMapping": {"port": 3000, "protocol": "https"}}], "serviceDiscovery": CLOUD_MAP},
            "Member must satisfy enum value set: [http, tcp, http2, grpc]",
        ),
        ({"logging": {"accessLog": {"file": {"path": ""}}}}, "Member must have length greater than or equal to 1"),
        ({"listeners": [HTTP_3000]}, "must have service discovery"),
    ],
    ids=["number", "choice", "length", "discovery"],
)
def test_a_spec_that_does_not_fit_is_refused(mesh: Mesh, spec: dict[str, Any], reason: str) -> None:
    """The error says which value is wrong, where it stands, and what it has to be."""
    assert reason in mesh.refused("BadRequestException", "create_virtual_node", virtualNodeName="n", spec=spec)


def test_tags_are_added_replaced_and_removed(mesh: Mesh) -> None:
    """A tag given again has the new value, once; others stay; at most 50."""
    appmesh = mesh.appmesh
    mesh.call("create_virtual_node", virtualNodeName="n", spec={}, tags=[{"key": "a", "value": "1"}])
    arn = f"{mesh.arn}/virtualNode/n"

    def tags() -> dict[str, str]:
        listed = appmesh.list_tags_for_resource(resourceArn=arn)["tags"]
        assert len(listed) == len({tag["key"] for tag in listed})
        return {tag["key"]: tag["value"] for tag in listed}

    appmesh.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "2"}, {"key": "b", "value": "3"}])
    assert tags() == {"a": "2", "b": "3"}
    appmesh.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert tags() == {"b": "3"}
    with pytest.raises(appmesh.exceptions.TooManyTagsException):
        appmesh.tag_resource(resourceArn=arn, tags=[{"key": str(number), "value": ""} for number in range(50)])
    with pytest.raises(appmesh.exceptions.NotFoundException):
        appmesh.list_tags_for_resource(resourceArn=f"{arn}x")


def test_lists_come_in_pages(mesh: Mesh) -> None:
    """A page has as many as asked for, and all pages together have each resource once."""
    wanted = [f"node-{number}" for number in range(5)]
    for name in wanted:
        mesh.call("create_virtual_node", virtualNodeName=name, spec={})

    first = mesh.call("list_virtual_nodes", limit=2)
    assert len(first["virtualNodes"]) == 2
    pages = mesh.appmesh.get_paginator("list_virtual_nodes").paginate(
        meshName=mesh.name, PaginationConfig={"PageSize": 2}
    )
    assert wanted == [node["virtualNodeName"] for page in pages for node in page["virtualNodes"]]
    mesh.refused("BadRequestException", "list_virtual_nodes", nextToken="nonsense")


def test_lists_tell_what_describe_tells(mesh: Mesh) -> None:
    """An entry has the names and metadata of the resource."""
    mesh.make("virtual_node")
    described = mesh.call("describe_virtual_node", virtualNodeName="crystal")["virtualNode"]
    del described["metadata"]["uid"]

    assert [{"meshName": mesh.name, "virtualNodeName": "crystal", **described["metadata"]}] == mesh.call(
        "list_virtual_nodes"
    )["virtualNodes"]
