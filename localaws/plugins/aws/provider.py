"""The provider protocol: what the engine asks, answered from the resource descriptions and the embedded AWS."""

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty

from localaws.plugins.aws import checking, comparing, shaping
from localaws.plugins.aws.answering import answering
from localaws.plugins.aws.aws import Aws, Clients, EndpointError, endpoint, is_loopback
from localaws.plugins.aws.catalogue import resource
from localaws.plugins.aws.operation import Operation
from localaws.plugins.aws.protocol import plugin, provider, provider_grpc
from localaws.plugins.aws.resource import Resource
from localaws.plugins.aws.values import UNKNOWN, State, from_struct, to_struct

VERSION = "7.51.1"  # of the official plugin that this one stands in for
_ACCOUNT = "123456789012"  # of the embedded AWS


@dataclass
class Engine:
    """One engine's connection: its provider settings, and whether it has called everything off."""

    settings: State = field(default_factory=dict)
    cancelled: threading.Event = field(default_factory=threading.Event)


class AwsProvider(provider_grpc.ResourceProviderServicer):
    """Serves one engine, or several at once over connections of their own (`Attach`)."""

    def __init__(self) -> None:
        self._clients = Clients()
        self._engines: dict[str, Engine] = {}

    # What the engine wants to know about the plugin.

    @answering
    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider.ProviderHandshakeResponse(supports_autonaming_configuration=True)

    @answering
    def Attach(self, request: Any, context: grpc.ServicerContext) -> Any:
        return Empty()

    @answering
    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        return plugin.PluginInfo(version=VERSION)

    @answering
    def GetSchema(self, request: Any, context: grpc.ServicerContext) -> Any:
        # Only `pulumi import` asks for it: no need to load every resource type at each start.
        from localaws.plugins.aws.schema import schema  # noqa: PLC0415

        return provider.GetSchemaResponse(schema=schema(VERSION))

    # The provider's own settings.

    @answering
    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider.CheckResponse(inputs=request.news)

    @answering
    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        old, new = from_struct(request.olds), from_struct(request.news)
        diffs = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
        return provider.DiffResponse(changes=_answer(diffs), diffs=diffs)

    @answering
    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        endpoint()
        settings = {key.removeprefix("aws:config:"): value for key, value in request.variables.items()}
        settings |= from_struct(request.args)
        settings = {key: _decoded(value) for key, value in settings.items()}
        _refuse_elsewhere(settings.get("endpoints"))
        _refuse_other_accounts(settings.get("allowedAccountIds"))
        settings.setdefault("region", os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"))
        if not settings["region"]:
            raise EndpointError("no AWS region is set; set one with: pulumi config set aws:region us-east-1")
        # A new one: another engine may have had this connection's address before, and have called its work off.
        self._engines[context.peer()] = Engine(settings)
        return provider.ConfigureResponse(supportsPreview=True, supports_autonaming_configuration=True)

    @answering
    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._engine(context).cancelled.set()
        return Empty()

    def cancel_all(self) -> None:
        """Stop everything that only waits."""
        for engine in list(self._engines.values()):
            engine.cancelled.set()

    # Resources.

    @answering
    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind, given = _kind(request), from_struct(request.news)
        proposed = request.autonaming.proposed_name if request.HasField("autonaming") else ""
        names = checking.Names(_name(request), request.randomSeed, from_struct(request.olds), proposed)
        inputs, failures = checking.check(kind, given, names, self._engine(context).settings)
        return provider.CheckResponse(
            inputs=to_struct(inputs),
            failures=[provider.CheckFailure(property=failure.path, reason=failure.reason) for failure in failures],
        )

    @answering
    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind = _kind(request)
        old, new = from_struct(request.olds), from_struct(request.news)
        found = _changes(kind, old, new, request.ignoreChanges)
        replaces = sorted({change.top for change in found if change.replaces})
        kinds = provider.PropertyDiff.Kind
        return provider.DiffResponse(
            changes=_answer(found),
            diffs=sorted({change.top for change in found}),
            replaces=replaces,
            hasDetailedDiff=True,
            detailedDiff={
                change.path: provider.PropertyDiff(
                    kind=kinds.Value(f"{change.act.value}_REPLACE" if change.replaces else change.act.value)
                )
                for change in found
            },
            deleteBeforeReplace=bool(replaces) and (kind.delete_first or _keeps_its_name(kind, old, new)),
        )

    @answering
    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind, inputs = _kind(request), from_struct(request.properties)
        if request.preview:
            return provider.CreateResponse(properties=to_struct(_planned(kind, inputs, {})))
        title = inputs.get(kind.naming) or _name(request)
        identity, state = self._operation(context, request, inputs, f"creating {kind.label} ({title})").create(inputs)
        return provider.CreateResponse(id=identity, properties=to_struct(state))

    @answering
    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind, prior, inputs = _kind(request), from_struct(request.properties), from_struct(request.inputs)
        operation = self._operation(context, request, prior or inputs, f"reading {kind.label} ({request.id})")
        imported = prior.keys() <= {"region"}
        identity, known = operation.imported(request.id) if imported else (request.id, prior)
        state = operation.state(identity, known)
        if state is None:
            return provider.ReadResponse()
        asked = shaping.asked(kind.fields, inputs, state)
        return provider.ReadResponse(id=identity, properties=to_struct(state), inputs=to_struct(asked))

    @answering
    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind, old, new = _kind(request), from_struct(request.olds), from_struct(request.news)
        title = old.get(kind.naming) or request.id
        operation = self._operation(context, request, new, f"updating {kind.label} ({title})")
        if request.preview:
            known = {**operation.kept(old), "id": request.id}
            return provider.UpdateResponse(properties=to_struct(_planned(kind, new, known)))
        changed = {change.top for change in _changes(kind, old, new, request.ignoreChanges)}
        return provider.UpdateResponse(properties=to_struct(operation.update(request.id, old, new, changed)))

    @answering
    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind, state = _kind(request), from_struct(request.properties)
        self._operation(context, request, state, f"deleting {kind.label} ({request.id})").delete(request.id, state)
        return Empty()

    @answering
    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        from localaws.plugins.aws import invokes  # noqa: PLC0415 (most runs call none)

        arguments = from_struct(request.args)
        result = invokes.invoke(request.tok, self._aws(context, request, arguments), arguments)
        answer = provider.InvokeResponse()
        getattr(answer, "return").CopyFrom(to_struct(result))  # a name that Python keeps for itself
        return answer

    # How the above works together.

    def _engine(self, context: grpc.ServicerContext) -> Engine:
        """The state of the connection; a connection that never configured itself uses the latest settings."""
        peer = context.peer()
        if peer not in self._engines:
            latest = next(reversed(self._engines.values()), Engine())
            self._engines[peer] = Engine(latest.settings)
        return self._engines[peer]

    def _aws(self, context: grpc.ServicerContext, request: Any, properties: State) -> Aws:
        engine = self._engine(context)
        region = properties.get("region") or engine.settings.get("region") or "us-east-1"
        seconds = getattr(request, "timeout", 0)
        return Aws(self._clients, region, engine.cancelled, context.is_active, seconds)

    def _operation(self, context: grpc.ServicerContext, request: Any, properties: State, action: str) -> Operation:
        defaults = checking.default_tags(self._engine(context).settings)
        return Operation(_kind(request), self._aws(context, request, properties), action, defaults)


def _kind(request: Any) -> Resource:
    return resource(request.type or request.urn.split("::")[2].rsplit("$", 1)[-1])


def _name(request: Any) -> str:
    return str(request.name or request.urn.rsplit("::", 1)[-1])


def _answer(changed: object) -> Any:
    kinds = provider.DiffResponse
    return kinds.DIFF_SOME if changed else kinds.DIFF_NONE


def _changes(kind: Resource, old: State, new: State, ignored: Any) -> list[comparing.Change]:
    found = comparing.changes(kind.fields, old, new, tuple(ignored))
    return [change for change in found if not kind.suppressed(change, old, new)]


def _keeps_its_name(kind: Resource, old: State, new: State) -> bool:
    """Whether it is named by hand, and the same again.

    It can't exist twice then, so the old one has to go first. The official provider has the same rule.
    """
    defaults = new.get(checking.DEFAULTS, ())
    named = [name for name, known in kind.fields.items() if known.autoname]
    return any(name not in defaults and name in new and new[name] == old.get(name) for name in named)


def _planned(kind: Resource, inputs: State, kept: State) -> State:
    """The state after an update as far as a preview can tell."""
    given = {name: value for name, value in inputs.items() if not name.startswith("__")}
    unknowns = {name: UNKNOWN for name, known in kind.fields.items() if known.computed or known.output}
    if "tagsAll" in unknowns and not kept:
        del unknowns["tagsAll"]  # Check has put them among the inputs, if there are any
    return {**unknowns, **kept, **given}


def _decoded(value: Any) -> Any:
    """Settings that are not plain strings arrive as JSON text."""
    if isinstance(value, str) and value[:1] in {"{", "["}:
        return json.loads(value)
    return value


def _refuse_other_accounts(allowed: Any) -> None:
    """As the official provider does, with its words."""
    if allowed and _ACCOUNT not in allowed:
        raise EndpointError(f"AWS account ID not allowed: {_ACCOUNT}; aws:allowedAccountIds are {', '.join(allowed)}")


def _refuse_elsewhere(endpoints: Any) -> None:
    entries = endpoints if isinstance(endpoints, list) else [endpoints] if isinstance(endpoints, Mapping) else []
    for entry in entries:
        for service, url in entry.items():
            if isinstance(url, str) and url and not is_loopback(url):
                raise EndpointError(
                    f"aws:endpoints names {url!r} for {service}, but this aws plugin is the local stand-in, which "
                    "works with the embedded AWS only; remove it with: pulumi config rm aws:endpoints"
                )
