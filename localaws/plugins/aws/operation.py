"""One create, read, update or delete of one resource: the steps around what its type does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from localaws.plugins.aws import shaping
from localaws.plugins.aws.answering import PartialError
from localaws.plugins.aws.aws import Aws, AwsError
from localaws.plugins.aws.resource import Resource
from localaws.plugins.aws.values import State

Result = TypeVar("Result")


@dataclass(frozen=True)
class Operation:
    """What is being done, to which type, through which connection.

    `action` says it for errors: "creating ECS Service (ecsdemo-crystal)". `defaults` are the tags that the provider's
    settings put on everything.
    """

    kind: Resource
    aws: Aws
    action: str
    defaults: State

    def worded(self, work: Callable[[], Result]) -> Result:
        """The result of the work, or its error with what was being done before it."""
        try:
            return work()
        except AwsError as error:
            raise AwsError(f"{self.action}: {error}", error.code) from error

    def create(self, inputs: State) -> tuple[str, State]:
        """The id and the state of a new resource. Raises PartialError if it came to exist without being complete."""
        known = dict(inputs)
        identity = self.worded(lambda: self.kind.create(self.aws, known))
        return identity, self._finish(identity, inputs, known, fresh=True)

    def update(self, identity: str, old: State, new: State, changed: set[str]) -> State:
        """The state after the named properties were changed. Raises PartialError if not all of it worked."""
        tags, others = {"tags", "tagsAll"} & changed, changed - {"tags", "tagsAll"}

        def apply() -> None:
            if tags:
                target = self.kind.target(identity, old)
                self.kind.retag(self.aws, target, old.get("tagsAll", {}), new.get("tagsAll", {}))
            if others:
                self.kind.update(self.aws, identity, old, new, others)

        self.worded(apply)
        return self._finish(identity, new, {**self.kept(old), **new}, fresh=False)

    def delete(self, identity: str, state: State) -> None:
        """Take it away; what is not there any more counts as done."""
        try:
            self.worded(lambda: self.kind.delete(self.aws, identity, state))
        except AwsError as error:
            if error.code not in self.kind.missing:
                raise

    def imported(self, identity: str) -> tuple[str, State]:
        """The id and the first state, from an id in the form that `pulumi import` takes."""
        return self.worded(lambda: self.kind.locate(self.aws, identity))

    def state(self, identity: str, prior: State) -> State | None:
        """The resource as it is in AWS, in the words of the prior state; None where it is gone."""
        return self.worded(lambda: self._state(identity, prior))

    def kept(self, state: State) -> State:
        """The part of a state that AWS chose, and that stays unless AWS chooses again."""
        fields = self.kind.fields.items()
        return {name: state[name] for name, known in fields if name in state and (known.computed or known.output)}

    def _state(self, identity: str, prior: State) -> State | None:
        try:
            read = self.kind.read(self.aws, identity, prior)
        except AwsError as error:
            if error.code in self.kind.missing:
                return None
            raise
        if read is None:
            return None
        if "region" in self.kind.fields:
            read["region"] = self.aws.region
        if "tagsAll" in self.kind.fields:
            given, present = prior.get("tags") or {}, read.get("tagsAll", {})
            read["tags"] = {
                key: text for key, text in present.items() if key in given or self.defaults.get(key) != text
            }
        return {**shaping.settled(self.kind.fields, read, prior), "id": identity}

    def _finish(self, identity: str, inputs: State, prior: State, *, fresh: bool) -> State:
        """Settle and read.

        A failure now is reported with all that is known of the resource: the engine keeps it and nothing is orphaned.
        """
        failed = ""
        try:
            self.worded(lambda: self.kind.settle(self.aws, identity, inputs, fresh=fresh))
        except AwsError as error:
            failed = str(error)
        try:
            state = self.state(identity, prior)
        except AwsError as error:
            raise PartialError(failed or str(error), identity, inputs, {**prior, "id": identity}) from error
        if state is None:
            raise AwsError(failed or f"{self.action}: it is gone again; run the update once more")
        if failed:
            raise PartialError(failed, identity, inputs, state)
        return state
