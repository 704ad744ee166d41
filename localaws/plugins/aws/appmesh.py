"""App Mesh: the seven kinds of resources of a mesh.

Their specifications are deeply nested, and Pulumi's names are AWS's own but for a few plurals; so the properties are
derived from AWS's service model, which botocore carries. All of them are told apart by names alone.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from functools import cache
from typing import Any, ClassVar

from localaws.plugins.aws.aws import Aws, AwsError
from localaws.plugins.aws.fields import Field, Fields, block, flag, many, output, table, tagged, text, unordered, whole
from localaws.plugins.aws.resource import Resource, Tagging
from localaws.plugins.aws.rules import between, length
from localaws.plugins.aws.values import State

LONGEST_NAME = 255  # characters

# Where Pulumi's name is not AWS's. In a virtual node's connection pool a list stands for each optional object.
PLURALS = {"exact": "exacts", "json": "jsons", "metadata": "metadatas"}
POOLS = {"http": "https", "http2": "http2s", "tcp": "tcps", "grpc": "grpc"}
# Lists whose order means nothing to AWS.
FREE_ORDER = {
    "backends",
    "weightedTargets",
    "headers",
    "queryParameters",
    "exact",
    "httpRetryEvents",
    "grpcRetryEvents",
    "tcpRetryEvents",
    "metadata",
}
# Members that AWS fills in where they are left out.
CHOSEN_BY_AWS = {
    "path",
    "port",
    "ipPreference",
    "responseType",
    "defaultPrefix",
    "prefix",
    "method",
    "scheme",
    "egressFilter",
}
DEFAULTS = {("EgressFilter", "type"): "DROP_ALL"}


@cache
def _model() -> Any:
    import botocore.session  # noqa: PLC0415 (only programs with a mesh pay for it)

    return botocore.session.Session().get_service_model("appmesh")


@cache
def specification(shape: str) -> Fields:
    """The properties of a specification, by the name of AWS's shape for it (`VirtualNodeSpec`)."""
    return _members(_model().shape_for(shape))


def _members(shape: Any) -> Fields:
    pools = POOLS if shape.name == "VirtualNodeConnectionPool" else {}
    names = {member: pools.get(member, PLURALS.get(member, member)) for member in shape.members}
    if shape.name != "SubjectAlternativeNameMatchers":
        names = {member: member if member == "exact" else name for member, name in names.items()}
    return {names[member]: _field(shape, member, pools) for member in shape.members}


def _field(parent: Any, member: str, pools: dict[str, str]) -> Field:
    shape = parent.members[member]
    default = DEFAULTS.get((parent.name, member))
    required = member in parent.required_members and default is None
    chosen = member in CHOSEN_BY_AWS and not required
    facts: dict[str, Any] = {"required": required, "default": default, "computed": chosen, "aws": member}
    if member == "attributes":
        return table(pairs=("key", "value"), **facts)
    if pools and pools[member] != member:
        return many(block(_members(shape)), single=True, aws=member)
    if shape.type_name == "list":
        item = shape.member
        of = block(_members(item)) if item.type_name == "structure" else text(choices=_choices(item))
        return (unordered if member in FREE_ORDER else many)(of, **facts)
    return block(_members(shape), **facts) if shape.type_name == "structure" else _scalar(shape, facts)


def _scalar(shape: Any, facts: dict[str, Any]) -> Field:
    if shape.type_name == "boolean":
        return flag(**facts)
    if shape.type_name in {"integer", "long"}:
        bounds = shape.metadata
        limits = (between(bounds["min"], bounds["max"]),) if {"min", "max"} <= bounds.keys() else ()
        return whole(checks=limits, **facts)
    return text(choices=_choices(shape), **facts)


def _choices(shape: Any) -> tuple[str, ...]:
    return tuple(getattr(shape, "enum", ()))


class MeshResource(Resource):
    """What the seven kinds share. `kind` is AWS's name of the thing; `parent` the property that names what it is in."""

    service = "appmesh"
    missing = frozenset({"NotFoundException"})
    capitals = False
    tagging = Tagging(
        "TagResource", "UntagResource", "resourceArn", listed=("key", "value"), tags="tags", keys="tagKeys"
    )
    kind: ClassVar[str]
    parents: ClassVar[tuple[str, ...]] = ("meshName",)

    def __init__(self) -> None:
        """Load the model first when a program uses the type, not when the module is imported."""
        parents = {name: text(required=True, replaces=True, checks=(length(1, LONGEST_NAME),)) for name in self.parents}
        shared = {"meshOwner": text(computed=True, replaces=True)} if self.parents else {"meshOwner": output(text())}
        self.fields = tagged(  # type: ignore[misc]  # the one kind of resource whose description takes a file to make
            {
                "name": text(computed=True, replaces=True, autoname=LONGEST_NAME, checks=(length(1, LONGEST_NAME),)),
                **parents,
                **shared,
                "spec": block(
                    specification(f"{self.kind}Spec"), required=bool(self.parents), computed=not self.parents
                ),
                "arn": output(text()),
                "createdDate": output(text()),
                "lastUpdatedDate": output(text()),
                "resourceOwner": output(text()),
            }
        )

    @property
    def member(self) -> str:
        """The answers' member that holds the thing: its kind with a small first letter."""
        return self.kind[0].lower() + self.kind[1:]

    def verify(self, inputs: State) -> Iterable[tuple[str, str]]:
        """Where AWS wants one of several objects, more than one is a mistake."""
        spec = inputs.get("spec", {})
        for name in ("provider", "serviceDiscovery"):
            chosen = spec.get(name) if isinstance(spec, dict) else None
            if isinstance(chosen, dict) and len(chosen) > 1:
                yield f"spec.{name}", f"takes one of {', '.join(sorted(chosen))}, not all of them"

    def create(self, aws: Aws, inputs: State) -> str:
        answer = self.ask(
            aws, f"Create{self.kind}", **self._names(inputs), spec=self._spec(inputs), tags=self.tags(inputs)
        )
        return str(answer[self.member]["metadata"]["uid"])

    def read(self, aws: Aws, identity: str, prior: State) -> State | None:
        found = self.ask(aws, f"Describe{self.kind}", **self._names(prior))[self.member]
        if found["status"]["status"] == "DELETED":
            return None
        metadata = found["metadata"]
        tags = self.ask(aws, "ListTagsForResource", resourceArn=metadata["arn"])
        return {
            **{name: prior[name] for name in ("name", *self.parents)},
            **self.plain({"spec": found.get("spec", {})}),
            "arn": metadata["arn"],
            "meshOwner": metadata["meshOwner"],
            "resourceOwner": metadata["resourceOwner"],
            "createdDate": _date(metadata["createdAt"]),
            "lastUpdatedDate": _date(metadata["lastUpdatedAt"]),
            "tagsAll": self.plain_tags(tags.get("tags")),
        }

    def update(self, aws: Aws, identity: str, old: State, new: State, changed: AbstractSet[str]) -> None:
        self.ask(aws, f"Update{self.kind}", **self._names(new), spec=self._spec(new))

    def delete(self, aws: Aws, identity: str, state: State) -> None:
        aws.until(lambda: self._deleted(aws, state), f"what uses {self.label} ({state['name']}) to be gone", seconds=30)

    def locate(self, aws: Aws, imported: str) -> tuple[str, State]:
        names = (*self.parents, "name")
        parts = imported.split("/", len(names) - 1)
        if len(parts) != len(names):
            raise AwsError(f"import it as {'/'.join(names)}, not as {imported!r}")
        state: State = dict(zip(names, parts, strict=True))
        found = self.ask(aws, f"Describe{self.kind}", **self._names(state))
        return str(found[self.member]["metadata"]["uid"]), state

    def target(self, identity: str, state: State) -> str:
        return str(state["arn"])

    def _names(self, state: State) -> State:
        """The parameters that tell the thing apart."""
        own = f"{self.member}Name"
        return {own: state["name"], **{name: state[name] for name in self.parents}}

    def _spec(self, inputs: State) -> State:
        spec: State = self.shaped({"spec": inputs.get("spec", {})}, "spec")["spec"]
        return spec

    def _deleted(self, aws: Aws, state: State) -> bool:
        try:
            self.ask(aws, f"Delete{self.kind}", **self._names(state))
        except AwsError as error:
            if error.code != "ResourceInUseException":
                raise
            return False
        return True


def _date(moment: Any) -> str:
    return str(moment.strftime("%Y-%m-%dT%H:%M:%SZ"))


class Mesh(MeshResource):
    """The mesh itself; its id is its name."""

    token, label, kind, parents = "aws:appmesh/mesh:Mesh", "App Mesh Service Mesh", "Mesh", ()

    def create(self, aws: Aws, inputs: State) -> str:
        super().create(aws, inputs)
        return str(inputs["name"])

    def locate(self, aws: Aws, imported: str) -> tuple[str, State]:
        return imported, {"name": imported}


class VirtualGateway(MeshResource):
    """Where traffic enters the mesh."""

    token, label, kind = "aws:appmesh/virtualGateway:VirtualGateway", "App Mesh Virtual Gateway", "VirtualGateway"


class VirtualNode(MeshResource):
    """A group of tasks."""

    token, label, kind = "aws:appmesh/virtualNode:VirtualNode", "App Mesh Virtual Node", "VirtualNode"


class VirtualService(MeshResource):
    """A name that callers use."""

    token, label, kind = "aws:appmesh/virtualService:VirtualService", "App Mesh Virtual Service", "VirtualService"


class VirtualRouter(MeshResource):
    """What spreads calls over nodes."""

    token, label, kind = "aws:appmesh/virtualRouter:VirtualRouter", "App Mesh Virtual Router", "VirtualRouter"


class Route(MeshResource):
    """A rule of a virtual router."""

    token, label, kind = "aws:appmesh/route:Route", "App Mesh Route", "Route"
    parents = ("meshName", "virtualRouterName")


class GatewayRoute(MeshResource):
    """A rule of a virtual gateway."""

    token, label, kind = "aws:appmesh/gatewayRoute:GatewayRoute", "App Mesh Gateway Route", "GatewayRoute"
    parents = ("meshName", "virtualGatewayName")
