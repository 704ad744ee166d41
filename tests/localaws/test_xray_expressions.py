"""Filter expressions: what each finds, and how a bad one is refused."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localaws.xray_site import PROXY, Site


@pytest.fixture(scope="module")
def site(client: Callable[..., Any]) -> Site:
    """Three traces: one that goes well, one with a fault at the root, one that is slow and in trouble below."""
    site = Site(client("xray", f"xray-{uuid.uuid4().hex[:8]}"))
    fine = site.segment(
        "shop",
        took=0.1,
        http={"request": {"url": "http://shop/api/game/", "method": "GET", "user_agent": "curl/8"}},
        annotations={"trace": "fine", "age": 30, "vip": True, "eligible": False},
        user="alice",
    )
    faulty = site.segment(
        "shop",
        took=0.5,
        http={
            "request": {"url": "http://shop/pay", "method": "POST", "client_ip": "10.0.0.1"},
            "response": {"status": 503},
        },
        annotations={"trace": "faulty", "age": 29},
        cause={"exceptions": [{"id": "e" * 16, "message": "Access denied"}]},
    )
    slow = site.segment("gate", took=6, origin="AWS::EC2::Instance", annotations={"trace": "slow"})
    shop = site.below(slow, "shop", took=5, throttle=True, user="bob", resource_arn="arn:aws:x:::y")
    waiting = site.below(shop, "stock", took=None)
    site.put(fine, faulty, slow, shop, waiting)
    return site


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("", "fine faulty slow"),
        # Boolean keywords
        ("ok", "fine slow"),
        ("!ok", "faulty"),
        ("ok = false", "faulty"),
        ("fault != false", "faulty"),
        ("NOT fault", "fine slow"),
        ("!!fault", "faulty"),
        ("error", ""),
        ("throttle", "slow"),
        ("partial", "slow"),
        ("ok !partial duration <3", "fine"),
        # Number keywords
        ("responseTime >= 0.5", "faulty slow"),
        ("duration >= 5 AND duration <= 8", "slow"),
        ("responsetime < 1e-1", ""),
        ("http.status = 503", "faulty"),
        ("http.status != 200", "faulty"),
        # String keywords
        ('http.url CONTAINS "/api/"', "fine"),
        ('http.url beginswith "http://shop/" and http.url endswith "pay"', "faulty"),
        ("http.url AND responseTime > 0.2", "faulty"),
        ('http.method = "POST"', "faulty"),
        ('http.useragent CONTAINS "curl"', "fine"),
        ('http.clientip != "10.0.0.2"', "faulty"),
        ('user CONTAINS ""', "fine slow"),
        ('user = "bob"', "slow"),
        ('name = "gate"', "slow"),
        ('type = "AWS::EC2::Instance"', "slow"),
        ('message = "Access denied"', "faulty"),
        ('resource.arn BEGINSWITH "arn:"', "slow"),
        # Annotations
        ("annotation.age", "fine faulty"),
        ("!annotation.age", "slow"),
        ("annotation.age > 29", "fine"),
        ('annotation.age = "30"', ""),
        ('annotation[trace] = "slow"', "slow"),
        ('annotation["trace"] CONTAINS "f"', "fine faulty"),
        ("annotation.vip", "fine"),
        ("annotation.vip = true", "fine"),
        ("annotation.eligible", ""),
        ("annotation.eligible = false", "fine"),
        # Services and edges
        ('service("shop")', "fine faulty slow"),
        ('service("shop") { fault }', "faulty"),
        ("service() { throttle }", "slow"),
        ('!service("gate")', "fine faulty"),
        ('service("shop") { root = true and fault = true }', "faulty"),
        ('service("shop") { responsetime > 0.3 AND !(fault) }', "slow"),
        ('service("shop") { annotation.age < 30 }', "faulty"),
        ('service("stock") { partial }', "slow"),
        (f'service(id(name: "shop", type: "{PROXY}"))', "fine faulty slow"),
        ('service(id(name: "shop", type: "AWS::EC2::Instance"))', ""),
        ('service(id(type: "AWS::EC2::Instance"))', "slow"),
        ('service(id(account.id: "123456789012")) { fault }', "faulty"),
        ('service(id(account.id: "000000000000"))', ""),
        ('service(id(name: "shop", type: "client"))', "fine faulty"),
        ('edge("gate", "shop")', "slow"),
        ('edge("shop", "gate")', ""),
        ('edge("shop", "shop")', ""),
        ('edge("gate", "shop") { throttle }', "slow"),
        ('edge("gate", "shop") { fault }', ""),
        ('edge(id(name: "shop", type: "client"), id(name: "shop")) { fault }', "faulty"),
        # How conditions are joined
        ('fault OR service("gate") AND responsetime > 10', "faulty"),
        ('(fault OR service("gate")) AND responsetime > 1', "slow"),
        ('http.url = "a \\"quoted\\" one" OR fault', "faulty"),
        ('group.name = "Default" AND fault', "faulty"),
    ],
)
def test_an_expression_finds_what_it_says(site: Site, expression: str, expected: str) -> None:
    """Each keyword, operator and way to join them, as the developer guide has it."""
    found = {
        value["AnnotationValue"]["StringValue"]
        for summary in site.summaries(expression)
        for value in summary["Annotations"]["trace"]
    }

    assert set(expected.split()) == found


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("http.uri", "unknown keyword http.uri at position 1"),
        ("fault AND", "the end where a keyword"),
        ("fault)", ") at position 6 is one too many"),
        ("(fault", "the end where ) should be"),
        ('service("shop"', "the end where ) should be"),
        ('service("shop") { fault', "the end where } should be"),
        ('service("shop") { service("x") }', "unknown keyword service at position 19"),
        ('edge("a")', ") at position 9 where , should be"),
        ('responsetime > "5"', '"5" at position 16 where a number should be'),
        ("http.url = shop", "shop at position 12 where a string should be"),
        ("http.url > 5", "> at position 10 does not compare with a string"),
        ("ok = 1", "1 at position 6 where true or false should be"),
        ('http.url = "shop', "a string without its closing quote at position 12"),
        ("fault & ok", "'&' at position 7"),
        ('service(id(color: "red"))', "color at position 12 where name, type or account.id should be"),
        ('group.name = "nobody\'s"', "there is no group nobody's"),
        ("rootcause.fault.service { remote }", "unknown keyword rootcause.fault.service"),
        ("!" * 100 + "(" * 100 + "ok" + ")" * 100, "more than 50 levels"),
    ],
)
def test_a_bad_expression_is_refused_and_says_what_is_wrong(site: Site, expression: str, told: str) -> None:
    """The error names the word or sign at fault and where it stands."""
    with pytest.raises(ClientError) as caught:
        site.summaries(expression)

    error = caught.value.response["Error"]
    assert error["Code"] == "InvalidRequestException"
    assert error["Message"].startswith("Invalid filter expression: ")
    assert told in error["Message"]
