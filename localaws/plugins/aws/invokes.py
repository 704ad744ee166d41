"""Functions: what programs ask AWS without making anything."""

import json
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from localaws.plugins.aws.aws import Aws, AwsError
from localaws.plugins.aws.values import State


def invoke(token: str, aws: Aws, arguments: State) -> State:
    """The result of a function. Raises AwsError for what AWS refuses and for what the stand-in does not serve."""
    function = FUNCTIONS.get(token)
    if function is None:
        served = ", ".join(sorted(name.rpartition(":")[2] for name in FUNCTIONS))
        raise AwsError(f"{token} is not among the functions of the local stand-in of the aws plugin ({served})")
    try:
        return function(aws, arguments)
    except AwsError as error:
        raise AwsError(f"invoking {token}: {error}", error.code) from error


def _region(aws: Aws, arguments: State) -> State:
    name = arguments.get("name") or arguments.get("region") or aws.region
    return {"id": name, "name": name, "region": name, "description": name, "endpoint": f"ec2.{name}.amazonaws.com"}


def _caller(aws: Aws, arguments: State) -> State:  # noqa: ARG001 (all functions are called alike)
    caller = aws.call("sts", "GetCallerIdentity")
    account = caller["Account"]
    return {"id": account, "accountId": account, "arn": caller["Arn"], "userId": caller["UserId"]}


def _partition(aws: Aws, arguments: State) -> State:  # noqa: ARG001 (as above)
    partition = (
        "aws-cn" if aws.region.startswith("cn-") else "aws-us-gov" if aws.region.startswith("us-gov-") else "aws"
    )
    suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
    prefix = ".".join(reversed(suffix.split(".")))
    return {"id": partition, "partition": partition, "dnsSuffix": suffix, "reverseDnsPrefix": prefix}


def _zones(aws: Aws, arguments: State) -> State:
    filters = [{"Name": item["name"], "Values": item["values"]} for item in arguments.get("filters", ())]
    if arguments.get("state"):
        filters.append({"Name": "state", "Values": [arguments["state"]]})
    every = arguments.get("allAvailabilityZones")
    found = aws.call("ec2", "DescribeAvailabilityZones", Filters=filters or None, AllAvailabilityZones=every)[
        "AvailabilityZones"
    ]
    names, ids = set(arguments.get("excludeNames", ())), set(arguments.get("excludeZoneIds", ()))
    kept = sorted(
        (zone for zone in found if zone["ZoneName"] not in names and zone["ZoneId"] not in ids),
        key=lambda zone: str(zone["ZoneName"]),
    )
    return {
        **arguments,
        "id": aws.region,
        "region": aws.region,
        "names": [zone["ZoneName"] for zone in kept],
        "zoneIds": [zone["ZoneId"] for zone in kept],
        "groupNames": sorted({zone.get("GroupName", aws.region) for zone in kept}),
    }


def _parameter(aws: Aws, arguments: State) -> State:
    decrypt = arguments.get("withDecryption", True)
    found = aws.call("ssm", "GetParameter", Name=arguments["name"], WithDecryption=decrypt)["Parameter"]
    secure = found["Type"] == "SecureString"
    return {
        "id": arguments["name"],
        "name": found["Name"],
        "arn": found.get("ARN", ""),
        "type": found["Type"],
        "value": found["Value"],
        "insecureValue": "" if secure else found["Value"],
        "version": found["Version"],
        "withDecryption": decrypt,
        "region": aws.region,
    }


def _policy_document(aws: Aws, arguments: State) -> State:  # noqa: ARG001 (as above)
    """A policy put together as the official provider does it: single values without a list, indented by two."""
    version = arguments.get("version", "2012-10-17")
    statements = [_statement(given) for given in arguments.get("statements", ())]
    sources = [json.loads(text) for text in arguments.get("sourcePolicyDocuments", ()) if text]
    inherited = [item for source in sources for item in _as_list(source.get("Statement"))]
    overrides = [json.loads(text) for text in arguments.get("overridePolicyDocuments", ()) if text]
    merged = inherited + statements
    for item in (item for source in overrides for item in _as_list(source.get("Statement"))):
        merged = [other for other in merged if not item.get("Sid") or other.get("Sid") != item.get("Sid")] + [item]
    document = {
        "Version": version,
        **({"Id": arguments["policyId"]} if arguments.get("policyId") else {}),
        "Statement": merged,
    }
    pretty, compact = json.dumps(document, indent=2), json.dumps(document, separators=(",", ":"))
    identity = str(zlib.crc32(pretty.encode()))
    return {**arguments, "id": identity, "version": version, "json": pretty, "minifiedJson": compact}


def _statement(given: Mapping[str, Any]) -> State:
    statement: State = {"Sid": given["sid"]} if given.get("sid") else {}
    statement["Effect"] = given.get("effect") or "Allow"
    lists = {"actions": "Action", "notActions": "NotAction", "resources": "Resource", "notResources": "NotResource"}
    for name, member in lists.items():
        if given.get(name):
            statement[member] = _single(sorted(given[name], reverse=True))
    for name, member in (("principals", "Principal"), ("notPrincipals", "NotPrincipal")):
        if given.get(name):
            statement[member] = _principals(given[name])
    conditions: dict[str, State] = {}
    for condition in given.get("conditions", ()):
        conditions.setdefault(condition["test"], {})[condition["variable"]] = _single(condition["values"])
    if conditions:
        statement["Condition"] = conditions
    return statement


def _principals(given: list[State]) -> Any:
    if any(item["type"] == "*" for item in given):
        return "*"
    merged: dict[str, list[str]] = {}
    for item in given:
        merged.setdefault(item["type"], []).extend(item["identifiers"])
    return {kind: _single(sorted(names, reverse=True)) for kind, names in merged.items()}


def _single(values: list[str]) -> Any:
    return values[0] if len(values) == 1 else values


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []


FUNCTIONS: Mapping[str, Callable[[Aws, State], State]] = {
    "aws:index/getAvailabilityZones:getAvailabilityZones": _zones,
    "aws:index/getCallerIdentity:getCallerIdentity": _caller,
    "aws:index/getPartition:getPartition": _partition,
    "aws:index/getRegion:getRegion": _region,
    "aws:iam/getPolicyDocument:getPolicyDocument": _policy_document,
    "aws:ssm/getParameter:getParameter": _parameter,
}
