"""What App Mesh holds in one account and region, and what each of its calls does to it."""

import base64
import re
import uuid
from types import SimpleNamespace
from typing import Any, cast

from moto.appmesh.models import appmesh_backends
from moto.core.base_backend import BackendDict, BaseBackend

from localaws.appmesh.errors import MeshError, bad_request, conflict, in_use, not_found, too_many_tags
from localaws.appmesh.kinds import KINDS, MESH, VIRTUAL_NODE, Kind
from localaws.appmesh.resources import Address, Resource, references, with_defaults

_PAGE = 100  # the most that a list call answers with, and what it does unless told otherwise
_MOST_TAGS = 50

Given = dict[str, Any]


class MeshBackend(BaseBackend):
    """App Mesh of one account and region. Its calls take parameters by their names in the API, valid by its model."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._resources: dict[Address, Resource] = {}

    @property
    def _url_module(self) -> SimpleNamespace:
        """Tell moto which requests are for App Mesh: all."""
        from localaws.appmesh.responses import MeshResponse  # noqa: PLC0415 - which needs this module

        urls = {"{0}/v20190125/(?P<rest>.+)$": MeshResponse.dispatch}
        return SimpleNamespace(url_bases=[r"https?://appmesh\.(.+)\.amazonaws\.com"], url_paths=urls)

    def call(self, operation: str, given: Given) -> Given:
        """Do what a call asks and return its answer.

        Raises:
            MeshError: as AWS would.

        """
        if given.get("meshOwner", self.account_id) != self.account_id:
            raise self._missing(MESH, (given["meshName"],), given["meshOwner"])
        verb, noun = re.findall("^(Create|Describe|Update|Delete|List|Tag|Untag)(.+)$", operation)[0]
        if noun.endswith("Resource"):
            return self._call_on_tags(verb, given)
        kind = next(kind for kind in KINDS if noun in (kind.name, kind.plural))
        match verb:
            case "Create":
                return {kind.member: self._create(kind, given).described()}
            case "Describe":
                return {kind.member: self._get(kind, given).described()}
            case "Update":
                return {kind.member: self._update(kind, given).described()}
            case "Delete":
                return {kind.member: self._delete(kind, given).described("DELETED")}
            case _:
                return self._list(kind, given)

    def find(self, kind: Kind, *names: str) -> Resource | None:
        """Return the resource of these names, outermost first, if there is one."""
        return self._resources.get((kind, names))

    def inside(self, kind: Kind, *parent: str) -> list[Resource]:
        """Return all of a kind that are in the resource of these names, sorted by their own name."""
        found = [each for each in self._resources.values() if each.kind == kind and each.names[:-1] == parent]
        return sorted(found, key=lambda resource: resource.names)

    def find_by_arn(self, arn: str) -> Resource | None:
        """Return the resource of an ARN, or of its last part (mesh/M/virtualNode/N), if there is one."""
        return next((each for each in self._resources.values() if arn in (each.arn, each.arn.rpartition(":")[2])), None)

    def _call_on_tags(self, verb: str, given: Given) -> Given:
        resource = self._by_arn(given["resourceArn"])
        match verb:
            case "Tag":
                resource.tags = _with_tags(resource.tags, given)
                return {}
            case "Untag":
                resource.tags = {key: value for key, value in resource.tags.items() if key not in given["tagKeys"]}
                return {}
            case _:
                return _page("tags", {key: {"key": key, "value": value} for key, value in resource.tags.items()}, given)

    def _create(self, kind: Kind, given: Given) -> Resource:
        names = _names(kind, given)
        if kind.parent:
            self._get(kind.parent, given)
        token = given.get("clientToken") or str(uuid.uuid4())
        existing = self._resources.get((kind, names))
        if existing and existing.token == token:  # the same call once more
            return existing
        if existing:
            raise conflict(f"{kind.name} with name {names[-1]} already exists.")
        tags = _with_tags({}, given)
        arn = f"arn:{self.partition}:appmesh:{self.region_name}:{self.account_id}:{kind.arn(names)}"
        resource = Resource(kind, names, arn, self.account_id, self._spec(kind, given), tags, token)
        self._resources[kind, names] = resource
        return resource

    def _update(self, kind: Kind, given: Given) -> Resource:
        resource = self._get(kind, given)
        resource.update(self._spec(kind, given), given.get("clientToken") or str(uuid.uuid4()))
        return resource

    def _delete(self, kind: Kind, given: Given) -> Resource:
        resource = self._get(kind, given)
        for other in self._resources.values():
            if other.is_in(resource):
                message = f"{kind.name} {given[kind.key]} still has {other.kind.words} {other.names[-1]}."
                raise in_use(message)
            if (kind, resource.names) in references(other.kind, other.names[0], other.spec):
                message = (
                    f"{kind.name} with name {given[kind.key]} cannot be deleted because it is "
                    f"being referenced by {other.kind.words} {other.names[-1]}."
                )
                raise in_use(message)
        return self._resources.pop((kind, resource.names))

    def _list(self, kind: Kind, given: Given) -> Given:
        parent: tuple[str, ...] = ()
        if kind.parent:
            parent = self._get(kind.parent, given).names
        found = {
            resource.names[-1]: resource.listed()
            for resource in self._resources.values()
            if resource.kind == kind and resource.names[:-1] == parent
        }
        return _page(kind.members, found, given)

    def _get(self, kind: Kind, given: Given) -> Resource:
        try:
            return self._resources[kind, _names(kind, given)]
        except KeyError:
            raise self._missing(kind, _names(kind, given)) from None

    def _by_arn(self, arn: str) -> Resource:
        for resource in self._resources.values():
            if resource.arn == arn:
                return resource
        raise not_found(f"The resource {arn} does not exist.")

    def _spec(self, kind: Kind, given: Given) -> Given:
        spec = with_defaults(kind, given.get("spec"))
        for address in references(kind, given["meshName"], spec):
            if address not in self._resources:
                raise self._missing(*address)
        if kind == VIRTUAL_NODE and spec.get("listeners") and not spec.get("serviceDiscovery"):
            raise bad_request("A virtual node with a listener must have service discovery.")
        return spec

    def _missing(self, kind: Kind, names: tuple[str, ...], account: str = "") -> MeshError:
        place = f" under mesh {names[0]}" if kind.parent else ""
        message = f"{kind.name} with name {names[-1]} is not present{place} for account {account or self.account_id}"
        return not_found(message)


# Moto's own dictionary of App Mesh's backends by account and region, which this App Mesh fills.
mesh_backends = cast("BackendDict[MeshBackend]", appmesh_backends)


def _names(kind: Kind, given: Given) -> tuple[str, ...]:
    return tuple(given[key] for key in kind.keys)


def _with_tags(tags: dict[str, str], given: Given) -> dict[str, str]:
    tags = {**tags, **{tag["key"]: tag["value"] for tag in given.get("tags") or []}}
    if len(tags) > _MOST_TAGS:
        raise too_many_tags(f"A resource can have {_MOST_TAGS} tags, not {len(tags)}.")
    return tags


def _page(member: str, found: dict[str, Given], given: Given) -> Given:
    """Return one page of what is found, in the order of its names; the token tells the last name of the page before."""
    after = ""
    if token := given.get("nextToken"):
        try:
            after = base64.urlsafe_b64decode(token).decode()
        except ValueError as error:
            raise bad_request(f"The token {token} is not one that this call gave.") from error
    names = sorted(name for name in found if name > after)
    page = names[: given.get("limit") or _PAGE]
    answer: Given = {member: [found[name] for name in page]}
    if len(page) < len(names):
        answer["nextToken"] = base64.urlsafe_b64encode(page[-1].encode()).decode()
    return answer
