"""``fleet.yaml``: what it declares, and what is refused."""

import re
import time
from pathlib import Path

import pytest

from checks.resources import FARGATE_SIZES
from services import entries, sizes
from services.fleet import parse, read
from services.fleet_model import Call, FleetError, Platform
from tests.fleets import SHAPES, fleet

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "fleet.md").read_text(encoding="utf-8")

WHOLE = """\
platforms: [platform, pay]
services:
  web:
    image: public.ecr.aws/example/web:1
    platform: platform
    port: 80
    healthPath: /ready
    backends: {RATINGS_URL: ratings, API_URL: web-api/v1}
    cpu: 1024
    memory: 2048
    environment: {COLOUR: blue}
    tags: [team-a, "tier:front"]
    entrance: true
  ratings: {image: ratings:1, platform: platform}
  web-api: {image: api:1, platform: platform, port: 8000}
  till: {image: till:1, platform: pay, entrance: true}
"""


def services(*lines: str) -> str:
    """A fleet of these services."""
    return "\n".join(["services:", *(f"  {line}" for line in lines)])


def test_everything_that_it_says_is_taken() -> None:
    """A service's callees come before it, and its platform before all."""
    found = parse(WHOLE)
    assert list(entries(found)) == ["platform", "pay", "ratings", "web-api", "till", "web"]
    web = found.services["web"]
    assert (web.port, web.health_path, web.cpu, web.memory) == (80, "/ready", 1024, 2048)
    assert web.calls == (
        Call(service="ratings", variable="RATINGS_URL"),
        Call(service="web-api", variable="API_URL", path="/v1", port=8000),
    )
    assert (web.environment, web.tags, web.entrance) == ({"COLOUR": "blue"}, ("team-a", "tier:front"), True)
    assert entries(found)["web"].needs == ("platform", "ratings", "web-api")
    assert entries(found)["till"].needs == ("pay",)


def test_a_platform_knows_what_its_services_ask_of_it() -> None:
    """The ports where they are called, and where its gateway leads to."""
    platforms = parse(WHOLE).platforms
    assert (platforms["platform"].ports, platforms["platform"].entrance) == ((3000, 80, 8000), "web")
    assert (platforms["pay"].ports, platforms["pay"].entrance) == ((3000,), "till")


def test_what_is_left_out_is_as_in_the_demo() -> None:
    """An image is enough."""
    found = parse(services("ratings: {image: ratings:1}"))
    ratings = found.services["ratings"]
    assert (ratings.platform, ratings.port, ratings.health_path) == ("platform", 3000, "/health")
    assert (ratings.cpu, ratings.memory, ratings.entrance) == (512, 1024, False)
    assert found.platforms == {"platform": Platform()}


def test_without_the_file_the_demo_is_the_fleet(tmp_path: Path) -> None:
    """Nobody needs one; this repository has none."""
    assert read(tmp_path) is None
    assert list(entries(None)) == ["platform", "crystal", "nodejs", "frontend"]
    assert read(ROOT) is None


def test_names_in_aws_are_a_platforms_own() -> None:
    """The one called `platform` has those that it always had; no other shares one with it."""

    def names(platform: Platform) -> tuple[str, ...]:
        return (
            platform.cluster, platform.namespace, platform.mesh, platform.gateway,
            platform.gateway_service, platform.gateway_family, platform.vpc,
        )  # fmt: skip

    assert names(Platform()) == (
        "container-demo", "service.local", "ecs-mesh", "ecsworkshop-vgw",
        "mesh-gw-proxy", "mesh-gw-proxy-taskdef", "ecsworkshop-base/BaseVPC",
    )  # fmt: skip
    assert not set(names(Platform(name="pay"))) & set(names(Platform()))


def test_a_wider_network_is_laid_out_alike() -> None:
    """Eighths of it: three public, three private, two left over."""
    public, private = Platform(network="10.8.0.0/20").blocks()
    assert public == ["10.8.0.0/23", "10.8.2.0/23", "10.8.4.0/23"]
    assert private == ["10.8.6.0/23", "10.8.8.0/23", "10.8.10.0/23"]


CALLING = "image: x, backends"

MISTAKES = {
    "malformed": ("services: [", "fleet.yaml is malformed"),
    "no mapping": ("- a", "fleet.yaml is .* must be a mapping"),
    "empty": ("", "services must be a mapping"),
    "no service": ("services: {}", "services is missing or empty"),
    "unknown key": ("service: {}", "service is unknown; the keys are platforms, services"),
    "unknown key of a service": (services("a: {imag: x}"), "services.a.imag is unknown; the keys are image, platform"),
    "no image": (services("a: {cpu: 256}"), "services.a.image is missing"),
    "image of a wrong type": (services("a: {image: 3}"), "services.a.image is 3 but must be an image"),
    "service of a wrong type": (services("a: 3"), "services.a is 3 but must be a mapping"),
    "circle": (
        services(f"a: {{{CALLING}: {{B: b}}}}", f"b: {{{CALLING}: {{C: c}}}}", f"c: {{{CALLING}: {{A: a}}}}"),
        "services.[abc].backends close a circle: (a → b → c → a|b → c → a → b|c → a → b → c)",
    ),
    "itself": (services(f"a: {{{CALLING}: {{A: a}}}}"), "a circle: a → a"),
    "unknown backend": (
        services(f"web: {{{CALLING}: {{B: ratinsg}}}}", "ratings: {image: x}"),
        "services.web.backends.B is 'ratinsg', .* nearest are ratings, web",
    ),
    "backend on another platform": (
        "platforms: [p, q]\n" + services(f"a: {{platform: p, {CALLING}: {{B: b}}}}", "b: {image: x, platform: q}"),
        "services.a.backends.B is 'b' of platform 'q', but 'a' is on 'p'",
    ),
    "backend twice": (
        services(f"a: {{{CALLING}: {{B: b, C: b}}}}", "b: {image: x}"),
        "services.a.backends.C is 'b', as B is",
    ),
    "unknown platform": (services("a: {image: x, platform: q}"), "services.a.platform is 'q' but must be one of"),
    "which platform": ("platforms: [p, q]\n" + services("a: {image: x}"), "services.a.platform is missing"),
    "platform twice": ("platforms: [p, p]\n" + services("a: {image: x}"), "platforms has 'p' twice"),
    "service twice": (
        services("a: {image: x}", "b: {image: x}", "a: {image: y}"),
        "services.a is declared twice, in lines 2 and 4",
    ),
    "variable twice": (
        services("a: {image: x, environment: {V: v, V: w}}"),
        "services.a.environment.V is declared twice, in lines 2 and 2",
    ),
    "variable of a backend": (
        services(f"a: {{{CALLING}: {{V: b}}, environment: {{V: v}}}}", "b: {image: x}"),
        "services.a.environment.V is declared twice: among the backends, too",
    ),
    "variable of ours": (services("a: {image: x, environment: {REGION: v}}"), "environment.REGION is declared twice"),
    "variable that is a number": (services("a: {image: x, environment: {V: 1}}"), "V is 1 but must be text"),
    "no name for a variable": (services("a: {image: x, environment: {1V: v}}"), "1V is no name of a variable"),
    "no label": (services("Web_api: {image: x}"), "services.Web_api has the name 'Web_api', which is no label"),
    "a truth value": (services("no: {image: x}"), "services.False has the name False"),
    "name of a platform": (services("platform: {image: x}"), "services.platform has the name of a platform"),
    "name of a gateway": (services("mesh-gw-proxy: {image: x}"), "belongs to the gateway of platform 'platform'"),
    "long name": (services(f"{'a' * 42}: {{image: x}}"), "a name of 42 characters; AWS leaves room for 41"),
    "long name of a platform": (
        "platforms: [checkouts]\n" + services("a: {image: x}"),
        "platforms.checkouts has a name of 9 characters; AWS leaves room for 8 .* target group",
    ),
    "two entrances": (
        services("a: {image: x, entrance: true}", "b: {image: x, entrance: true}"),
        "services.b.entrance is true, but platform 'platform' has its entrance: 'a'",
    ),
    "no truth value": (services("a: {image: x, entrance: 'yes'}"), "entrance is 'yes' but must be true or false"),
    "no such cpu": (services("a: {image: x, cpu: 300}"), "services.a.cpu is 300 but Fargate has 256, 512"),
    "no such memory": (services("a: {image: x, memory: 1500}"), "memory is 1500 but with cpu 512 Fargate has 1024"),
    "too little memory": (services("a: {image: x, cpu: 256, memory: 512}"), "memory is 512 MiB, too little"),
    "port that is taken": (services("a: {image: x, port: 8080}"), "services.a.port is 8080, where the Envoy"),
    "egress port": (
        services(f"a: {{port: 3101, {CALLING}: {{B: b}}}}", "b: {image: x}"),
        "services.a.port is 3101, where the Envoy",
    ),
    "no port": (services("a: {image: x, port: http}"), "port is 'http' but must be a number from 1 to 65535"),
    "no path": (services("a: {image: x, healthPath: health}"), "healthPath is 'health' but must be a path"),
    "no tags": (services("a: {image: x, tags: team-a}"), "tags is 'team-a' but must be a list of words"),
    "public network": ("platforms: {p: {network: 8.8.8.0/24}}\n" + services("a: {image: x}"), "must be private"),
    "narrow network": (
        services(*(f"a{number}: {{image: x}}" for number in range(40))),
        "has 40 services, .* need 82 addresses .* 10.0.0.0/24 has 81 .*network: 10.0.0.0/23",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_with_its_place_and_what_to_do(mistake: str) -> None:
    """One sentence, and the next command."""
    text, message = MISTAKES[mistake]
    with pytest.raises(FleetError, match=message) as caught:
        parse(text)
    assert str(caught.value).startswith("fleet.yaml")
    assert ". Next: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_longest_names_are_taken() -> None:
    """What is refused begins one character later."""
    longest = parse("platforms: [checkout]\n" + services(f"{'a' * 41}: {{image: x}}"))
    assert [len(name) for name in entries(longest)] == [8, 41]


def test_the_sizes_are_those_that_the_checks_know() -> None:
    """Neither package imports the other."""
    assert {cpu: list(memory) for cpu, memory in FARGATE_SIZES.items()} == {
        cpu: list(memory) for cpu, memory in sizes.FARGATE_SIZES.items()
    }


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("number", [1, 2, 7, 60])
@pytest.mark.parametrize("seed", [0, 1])
def test_every_generated_fleet_is_valid(shape: str, number: int, seed: int) -> None:
    """So many services, who is called before its callers."""
    text = fleet(shape, number, seed)
    assert text == fleet(shape, number, seed)
    found = entries(parse(text))
    assert len(found) == number + 1
    seen: set[str] = set()
    for name, entry in found.items():
        assert set(entry.needs) <= seen
        seen.add(name)


def test_three_hundred_services_are_read_in_no_time() -> None:
    """GIVEN 300 of them THEN it takes less than half a second of this process: each program of a stack does it."""
    text = fleet("random", 300)
    begun = time.process_time()
    assert len(parse(text).services) == 300
    assert time.process_time() - begun < 0.5


def test_a_long_chain_is_no_matter() -> None:
    """No recursion, however deep they call."""
    assert next(iter(parse(fleet("chain", 2000)).services)) == "svc-1999"


def test_the_document_shows_a_fleet_that_is_valid() -> None:
    """Its example and its second one, a larger network, as they are written there."""
    first, second = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
    assert list(entries(parse(first))) == ["platform", "pay", "ratings", "till", "web-shop"]
    many = services(*(f"a{number}: {{image: x}}" for number in range(700)))
    assert parse(second + many).platforms["platform"].network == "10.0.0.0/20"
