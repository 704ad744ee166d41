"""Sampling rules, and what services that sample by them are told."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.localaws.support import code_of

RULE = {
    "RuleName": "shop",
    "ResourceARN": "*",
    "Priority": 5,
    "FixedRate": 0.1,
    "ReservoirSize": 5,
    "ServiceName": "shop",
    "ServiceType": "*",
    "Host": "*",
    "HTTPMethod": "GET",
    "URLPath": "/api/*",
    "Version": 1,
    "Attributes": {"tier": "gold"},
}


@pytest.fixture
def region() -> str:
    return f"xray-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def xray(client: Callable[..., Any], region: str) -> Any:
    return client("xray", region)


def rules(xray: Any) -> list[dict[str, Any]]:
    records = xray.get_sampling_rules()["SamplingRuleRecords"]
    return [record["SamplingRule"] for record in records]


def report(rule: str, client: int, requests: int = 10, sampled: int = 2, borrowed: int = 1) -> dict[str, Any]:
    return {
        "RuleName": rule,
        "ClientID": f"{client:024x}",
        "Timestamp": 0,
        "RequestCount": requests,
        "SampledCount": sampled,
        "BorrowCount": borrowed,
    }


def test_the_default_rule_is_always_there(xray: Any) -> None:
    """One request a second and five percent of the rest, of everything; it changes, but does not go."""
    (default,) = rules(xray)
    assert ("Default", 0.05, 1, 10_000, "*") == tuple(
        default[key] for key in ("RuleName", "FixedRate", "ReservoirSize", "Priority", "Host")
    )

    xray.update_sampling_rule(SamplingRuleUpdate={"RuleName": "Default", "FixedRate": 1, "ReservoirSize": 0})

    assert [(1.0, 0)] == [(rule["FixedRate"], rule["ReservoirSize"]) for rule in rules(xray)]
    change = {"RuleName": "Default", "Host": "shop"}
    assert code_of(xray.update_sampling_rule, SamplingRuleUpdate=change) == "InvalidRequestException"
    assert code_of(xray.delete_sampling_rule, RuleName="Default") == "InvalidRequestException"
    assert code_of(xray.create_sampling_rule, SamplingRule=RULE | {"RuleName": "Default"}) == "InvalidRequestException"


def test_a_rule_is_made_changed_and_deleted(xray: Any, region: str) -> None:
    """A rule keeps all its fields, gets an ARN, and can be named by either."""
    arn = f"arn:aws:xray:{region}:123456789012:sampling-rule/shop"

    made = xray.create_sampling_rule(SamplingRule=RULE)["SamplingRuleRecord"]["SamplingRule"]

    assert {**RULE, "RuleARN": arn} == made
    assert ["shop", "Default"] == [rule["RuleName"] for rule in rules(xray)]

    xray.update_sampling_rule(SamplingRuleUpdate={"RuleARN": arn, "FixedRate": 0.5, "Priority": 9})
    assert {**made, "FixedRate": 0.5, "Priority": 9} == rules(xray)[0]

    xray.delete_sampling_rule(RuleName="shop")
    assert ["Default"] == [rule["RuleName"] for rule in rules(xray)]


def test_rules_apply_by_priority(xray: Any) -> None:
    """The rule with the lowest number comes first, the default one last."""
    for priority, name in ((30, "c"), (10, "a"), (20, "b")):
        xray.create_sampling_rule(SamplingRule=RULE | {"RuleName": name, "Priority": priority})

    assert ["a", "b", "c", "Default"] == [rule["RuleName"] for rule in rules(xray)]


@pytest.mark.parametrize(
    "change",
    [
        {"RuleName": None},
        {"RuleName": "x" * 33},
        {"Version": 2},
        {"Priority": 0},
        {"Priority": 10_000},
        {"FixedRate": 1.5},
        {"FixedRate": -0.1},
        {"ReservoirSize": -1},
        {"Host": None},
        {"Attributes": {str(number): "x" for number in range(6)}},
    ],
)
def test_a_rule_out_of_bounds_is_refused(xray: Any, change: dict[str, Any]) -> None:
    """Each field has its bounds, when a rule is made and when it is changed."""
    rule = {key: value for key, value in (RULE | change).items() if value is not None}

    assert code_of(xray.create_sampling_rule, SamplingRule=rule) == "InvalidRequestException"

    xray.create_sampling_rule(SamplingRule=RULE)
    if change.keys() & {"Priority", "FixedRate", "ReservoirSize", "Attributes"}:
        update = {"RuleName": "shop", **change}
        assert code_of(xray.update_sampling_rule, SamplingRuleUpdate=update) == "InvalidRequestException"


def test_names_are_taken_once_and_rules_are_few(xray: Any) -> None:
    """A second rule of a name is refused, and so is a 26th."""
    xray.create_sampling_rule(SamplingRule=RULE)
    assert code_of(xray.create_sampling_rule, SamplingRule=RULE) == "InvalidRequestException"

    for number in range(24):
        xray.create_sampling_rule(SamplingRule=RULE | {"RuleName": f"rule-{number}"})

    one_more = RULE | {"RuleName": "one-more"}
    assert code_of(xray.create_sampling_rule, SamplingRule=one_more) == "RuleLimitExceededException"


def test_a_rule_is_named_one_way(xray: Any) -> None:
    """Neither name nor ARN, both of them, or ones that nothing has, are errors."""
    for names in ({}, {"RuleName": "Default", "RuleARN": "x"}, {"RuleName": "none"}, {"RuleARN": "none"}):
        assert code_of(xray.delete_sampling_rule, **names) == "InvalidRequestException"
        assert code_of(xray.update_sampling_rule, SamplingRuleUpdate=names) == "InvalidRequestException"


def test_the_reservoir_is_shared_out(xray: Any) -> None:
    """The clients of a rule get quotas that add up to its reservoir, for a while, and report again in 10 s."""
    xray.create_sampling_rule(SamplingRule=RULE)
    for client in range(3):
        xray.get_sampling_targets(SamplingStatisticsDocuments=[report("shop", client)])

    answer = xray.get_sampling_targets(SamplingStatisticsDocuments=[report("shop", client) for client in range(3)])

    targets = answer["SamplingTargetDocuments"]
    assert [2, 2, 1] == [target["ReservoirQuota"] for target in targets]
    assert {(0.1, 10)} == {(target["FixedRate"], target["Interval"]) for target in targets}
    assert all(target["ReservoirQuotaTTL"] > answer["LastRuleModification"] for target in targets)


def test_reports_on_unknown_rules_are_told(xray: Any) -> None:
    """A report on a rule that was deleted meanwhile is left unprocessed; the others count."""
    answer = xray.get_sampling_targets(SamplingStatisticsDocuments=[report("gone", 1), report("Default", 1)])

    assert ["gone"] == [one["RuleName"] for one in answer["UnprocessedStatistics"]]
    assert ["Default"] == [target["RuleName"] for target in answer["SamplingTargetDocuments"]]


def test_reports_add_up(xray: Any) -> None:
    """What clients report can be read as sums of ten seconds, rule by rule."""
    for client, requests in ((1, 10), (2, 20)):
        xray.get_sampling_targets(SamplingStatisticsDocuments=[report("Default", client, requests)])

    windows = xray.get_sampling_statistic_summaries()["SamplingStatisticSummaries"]

    assert {"Default"} == {window["RuleName"] for window in windows}
    assert (30, 4, 2) == tuple(
        sum(window[key] for window in windows) for key in ("RequestCount", "SampledCount", "BorrowCount")
    )


def test_a_report_that_is_malformed_is_refused(xray: Any) -> None:
    """A client's id has 24 digits, and counts are not negative."""
    for bad in ({"ClientID": "1"}, {"RequestCount": -1}, {"RuleName": ""}):
        documents = [report("Default", 1) | bad]
        assert code_of(xray.get_sampling_targets, SamplingStatisticsDocuments=documents) == "InvalidRequestException"
