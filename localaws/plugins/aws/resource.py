"""What every resource type is: a description, and five short methods that say it to AWS."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, ClassVar

from localaws.plugins.aws.aws import Aws, AwsError
from localaws.plugins.aws.comparing import Change
from localaws.plugins.aws.fields import Fields
from localaws.plugins.aws.shaping import from_aws, to_aws
from localaws.plugins.aws.values import State


@dataclass(frozen=True)
class Tagging:
    """How a service puts tags on what it already has.

    `add` and `remove` are its operations, `target` the parameter that names the resource (`many`: a list of them);
    `listed` spells one tag (key and value member), or is None where tags are a plain map.
    """

    add: str
    remove: str
    target: str
    many: bool = False
    listed: tuple[str, str] | None = ("Key", "Value")
    tags: str = "Tags"
    keys: str = "TagKeys"

    def shape(self, tags: State | None) -> Any:
        """Tags as the service takes them; None for none at all, which some services refuse as an empty list."""
        if not tags:
            return None
        if self.listed is None:
            return dict(tags)
        key, value = self.listed
        return [{key: name, value: tags[name]} for name in sorted(tags)]

    def plain(self, shaped: Any) -> State:
        """The reverse of `shape`; AWS's own tags (aws:…) are not ours to see."""
        if self.listed is None:
            pairs = dict(shaped or {})
        else:
            key, value = self.listed
            pairs = {tag[key]: tag.get(value, "") for tag in shaped or ()}
        return {name: text for name, text in pairs.items() if not name.startswith("aws:")}


class Resource:
    """One resource type. Subclasses describe it in the class variables and say in the methods how AWS does it.

    token: Pulumi's type. label: what the official provider's errors call it. service: botocore's name of the service.
    fields: its properties. missing: AWS's error codes for "not there". capitals: AWS begins names with one.
    tagging: how tags change. naming: the property that names it in errors. delete_first: a replacement can't stand
    beside what it replaces.
    """

    token: ClassVar[str]
    label: ClassVar[str]
    service: ClassVar[str]
    fields: ClassVar[Fields]
    missing: ClassVar[frozenset[str]] = frozenset()
    capitals: ClassVar[bool] = True
    tagging: ClassVar[Tagging | None] = None
    naming: ClassVar[str] = "name"
    delete_first: ClassVar[bool] = False

    def verify(self, inputs: State) -> Iterable[tuple[str, str]]:
        """What is wrong with inputs that are each right: pairs of property path and reason. Unknowns may occur."""
        return ()

    def create(self, aws: Aws, inputs: State) -> str:
        """Make it; the id.

        What can fail after it exists belongs into `settle`. What `read` needs and only AWS's answer tells may be added
        to the inputs.
        """
        raise NotImplementedError

    def settle(self, aws: Aws, identity: str, inputs: State, *, fresh: bool) -> None:
        """What follows after a create (`fresh`) or update: further settings, waiting.

        Failing here leaves a partial resource, which the engine keeps in its state and updates next time.
        """

    def read(self, aws: Aws, identity: str, prior: State) -> State | None:
        """All that AWS knows, tags as `tagsAll`; None where there is no such thing. `prior` is the state so far."""
        raise NotImplementedError

    def update(self, aws: Aws, identity: str, old: State, new: State, changed: AbstractSet[str]) -> None:
        """Change the named top-level properties in place; tags are not among them."""

    def delete(self, aws: Aws, identity: str, state: State) -> None:
        """Take it away; "not there" errors count as done."""
        raise NotImplementedError

    def locate(self, aws: Aws, imported: str) -> tuple[str, State]:
        """The id and the first state of an imported resource, from the id in the form that `pulumi import` takes."""
        return imported, {}

    def suppressed(self, change: Change, old: State, new: State) -> bool:
        """Whether a difference is one that AWS would not notice, given the rest of the resource."""
        return False

    def target(self, identity: str, state: State) -> str:
        """What the tag operations call the resource."""
        return identity

    def ask(self, aws: Aws, operation: str, /, **parameters: Any) -> State:
        """One call to the type's own service."""
        return aws.call(self.service, operation, **parameters)

    def find(self, aws: Aws, operation: str, /, **parameters: Any) -> State | None:
        """As `ask`, but None where AWS says that it is not there."""
        try:
            return self.ask(aws, operation, **parameters)
        except AwsError as error:
            if error.code in self.missing:
                return None
            raise

    def shaped(self, given: State, *names: str) -> State:
        """The named properties, as far as they are given, in AWS's spelling."""
        chosen = {name: given[name] for name in names if name in given}
        return to_aws(self.fields, chosen, capitals=self.capitals)

    def plain(self, answer: State) -> State:
        """The properties that an answer holds, in Pulumi's spelling."""
        return from_aws(self.fields, answer, capitals=self.capitals)

    def tags(self, inputs: State) -> Any:
        """The tags for a create, as the service takes them."""
        return self.tagging.shape(inputs.get("tagsAll")) if self.tagging else None

    def plain_tags(self, shaped: Any) -> State:
        """The tags in an answer of the service."""
        return self.tagging.plain(shaped) if self.tagging else {}

    def retag(self, aws: Aws, target: str, old: State, new: State) -> None:
        """Make the tags `old` the tags `new`, each difference once."""
        tagging = self.tagging
        if tagging is None:
            return
        place = {tagging.target: [target] if tagging.many else target}
        gone = sorted(old.keys() - new.keys())
        if gone:
            keys = [{"Key": name} for name in gone] if tagging.keys == tagging.tags else gone
            self.ask(aws, tagging.remove, **place, **{tagging.keys: keys})
        fresh = {name: value for name, value in new.items() if old.get(name) != value}
        if fresh:
            self.ask(aws, tagging.add, **place, **{tagging.tags: tagging.shape(fresh)})
