"""Sampling rules, and what X-Ray tells those who sample by them. The rule Default is always there, and last.

Source: the X-Ray developer guide, "Using sampling rules with the X-Ray API". A rule's reservoir is divided among the
clients that reported lately; a client that is not given any borrows one request a second, as its SDK knows.
"""

from typing import Any

from localaws.xray import tagging
from localaws.xray.context import Context, Given, one_page
from localaws.xray.errors import XRayError, invalid
from localaws.xray.place import Place
from localaws.xray.store import Reading, Writing

_KIND = "rule"
_STATISTICS = "statistics"
_CLIENTS = "clients"
DEFAULT = "Default"
_MOST = 25  # X-Ray's quota of rules, without the default one
_VERSION = 1
_INTERVAL_SECONDS = 10  # between two reports of a client, and the length of a reporting window
_QUOTA_SECONDS = 4 * _INTERVAL_SECONDS  # how long a quota holds without another report
_SUMMARIES_SECONDS = 600  # how long windows are told of
_BOUNDS = {"Priority": (1, 9999), "FixedRate": (0, 1), "ReservoirSize": (0, None)}
_CHANGEABLE_OF_DEFAULT = {"FixedRate", "ReservoirSize"}
_NAMES = ("RuleName", "RuleARN")


def create_sampling_rule(context: Context, given: Given) -> Given:
    """CreateSamplingRule."""
    rule = {"Attributes": {}, **_present(given["SamplingRule"])}
    name = rule.get("RuleName")
    if not name or rule.get("RuleARN"):
        raise invalid("A new sampling rule has a RuleName, and no RuleARN.")
    if rule["Version"] != _VERSION:
        raise invalid(f"Version must be {_VERSION}.")
    _check(rule)
    with context.store.writing() as writing:
        records = _all(context, writing)
        if name in records:
            raise invalid(f"Sampling rule with name {name} already exists.")
        if len(records) > _MOST:
            raise XRayError("RuleLimitExceededException", f"There are {_MOST} sampling rules, which is the limit.")
        arn = context.place.arn(f"sampling-rule/{name}")
        now = int(context.now)
        record = {"SamplingRule": {**rule, "RuleARN": arn}, "CreatedAt": now, "ModifiedAt": now}
        writing.record(context.scope, _KIND, name, record)
        tagging.put(writing, context.scope, arn, given.get("Tags") or [])
    return {"SamplingRuleRecord": record}


def get_sampling_rules(context: Context, given: Given) -> Given:
    """GetSamplingRules, in the order in which they apply."""
    one_page(given)
    with context.store.reading() as reading:
        records = _all(context, reading).values()
    return {"SamplingRuleRecords": sorted(records, key=_order)}


def update_sampling_rule(context: Context, given: Given) -> Given:
    """UpdateSamplingRule. Of the rule Default, only rate and reservoir."""
    update = _present(given["SamplingRuleUpdate"])
    with context.store.writing() as writing:
        record = _chosen(context, writing, update)
        changes = {key: value for key, value in update.items() if key not in _NAMES}
        name = record["SamplingRule"]["RuleName"]
        if name == DEFAULT and not changes.keys() <= _CHANGEABLE_OF_DEFAULT:
            raise invalid("Of the rule Default, only FixedRate and ReservoirSize can be changed.")
        _check(changes)
        record["SamplingRule"] |= changes
        record["ModifiedAt"] = int(context.now)
        writing.record(context.scope, _KIND, name, record)
    return {"SamplingRuleRecord": record}


def delete_sampling_rule(context: Context, given: Given) -> Given:
    """DeleteSamplingRule."""
    with context.store.writing() as writing:
        record = _chosen(context, writing, given)
        rule = record["SamplingRule"]
        if rule["RuleName"] == DEFAULT:
            raise invalid("The rule Default cannot be deleted.")
        writing.forget(context.scope, _KIND, rule["RuleName"])
        tagging.forget(writing, context.scope, rule["RuleARN"])
    return {"SamplingRuleRecord": record}


def get_sampling_targets(context: Context, given: Given) -> Given:
    """GetSamplingTargets: take the statistics, and return rate and quota for each rule."""
    documents = []
    unprocessed = []
    with context.store.writing() as writing:
        records = _all(context, writing)
        for report in given["SamplingStatisticsDocuments"]:
            name = report["RuleName"]
            if name not in records:
                unprocessed.append({"RuleName": name, "ErrorCode": "400", "Message": "Unknown rule"})
                continue
            _take(context, writing, report)
            rule = records[name]["SamplingRule"]
            documents.append(
                {
                    "RuleName": name,
                    "FixedRate": rule["FixedRate"],
                    "ReservoirQuota": _quota(context, writing, rule, report["ClientID"]),
                    "ReservoirQuotaTTL": int(context.now + _QUOTA_SECONDS),
                    "Interval": _INTERVAL_SECONDS,
                }
            )
    boosts = [
        {"RuleName": report["RuleName"], "ErrorCode": "400", "Message": "Sampling boosts are not known here"}
        for report in given.get("SamplingBoostStatisticsDocuments") or []
    ]
    return {
        "SamplingTargetDocuments": documents,
        "LastRuleModification": max(record["ModifiedAt"] for record in records.values()),
        "UnprocessedStatistics": unprocessed,
        "UnprocessedBoostStatistics": boosts,
    }


def get_sampling_statistic_summaries(context: Context, given: Given) -> Given:
    """GetSamplingStatisticSummaries: the windows of the last ten minutes."""
    one_page(given)
    with context.store.reading() as reading:
        windows = reading.records(context.scope, _STATISTICS).values()
    recent = [window for window in windows if window["Timestamp"] > context.now - _SUMMARIES_SECONDS]
    return {"SamplingStatisticSummaries": sorted(recent, key=lambda window: (window["Timestamp"], window["RuleName"]))}


def arns(context: Context, reading: Reading) -> set[str]:
    """Return the ARNs of all sampling rules."""
    return {record["SamplingRule"]["RuleARN"] for record in _all(context, reading).values()}


def _present(rule: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in rule.items() if value is not None}


def _check(rule: dict[str, Any]) -> None:
    for key, (low, high) in _BOUNDS.items():
        value = rule.get(key)
        if value is not None and (value < low or (high is not None and value > high)):
            raise invalid(f"{key} must be at least {low}{'' if high is None else f' and at most {high}'}, not {value}.")


def _order(record: dict[str, Any]) -> tuple[int, str]:
    rule = record["SamplingRule"]
    return rule["Priority"], rule["RuleName"]


def _chosen(context: Context, reading: Reading, given: Given) -> dict[str, Any]:
    name, arn = (given.get(key) for key in _NAMES)
    if bool(name) == bool(arn):
        raise invalid("Specify a sampling rule by either RuleName or RuleARN, but not both.")
    for record in _all(context, reading).values():
        rule: dict[str, Any] = record["SamplingRule"]
        if name == rule["RuleName"] or arn == rule["RuleARN"]:
            return record
    raise invalid(f"Sampling rule {name or arn} not found.")


def _all(context: Context, reading: Reading) -> dict[str, dict[str, Any]]:
    return {DEFAULT: _default(context.place), **reading.records(context.scope, _KIND)}


def _default(place: Place) -> dict[str, Any]:
    rule = {
        "RuleName": DEFAULT,
        "RuleARN": place.arn(f"sampling-rule/{DEFAULT}"),
        "ResourceARN": "*",
        "Priority": 10_000,
        "FixedRate": 0.05,
        "ReservoirSize": 1,
        **dict.fromkeys(("ServiceName", "ServiceType", "Host", "HTTPMethod", "URLPath"), "*"),
        "Version": _VERSION,
        "Attributes": {},
    }
    return {"SamplingRule": rule, "CreatedAt": 0, "ModifiedAt": 0}


def _take(context: Context, writing: Writing, report: Given) -> None:
    """Add a report to its window, and drop the windows that are no longer told of."""
    name, at = report["RuleName"], int(context.now) // _INTERVAL_SECONDS * _INTERVAL_SECONDS
    windows = writing.records(context.scope, _STATISTICS)
    for key, window in windows.items():
        if window["Timestamp"] <= context.now - _SUMMARIES_SECONDS:
            writing.forget(context.scope, _STATISTICS, key)
    key = f"{at} {name}"
    window = windows.get(key, {"RuleName": name, "Timestamp": at})
    for count in ("RequestCount", "BorrowCount", "SampledCount"):
        window[count] = window.get(count, 0) + (report.get(count) or 0)
    writing.record(context.scope, _STATISTICS, key, window)


def _quota(context: Context, writing: Writing, rule: Given, client: str) -> int:
    """Return this client's share of the reservoir, as whole requests a second."""
    name = rule["RuleName"]
    seen: dict[str, float] = writing.records(context.scope, _CLIENTS).get(name, {})
    seen = {one: at for one, at in seen.items() if at > context.now - _QUOTA_SECONDS} | {client: context.now}
    writing.record(context.scope, _CLIENTS, name, seen)
    share, rest = divmod(int(rule["ReservoirSize"]), len(seen))
    return share + (sorted(seen).index(client) < rest)
