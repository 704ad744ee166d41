"""The file of an environment: what becomes of it, and what is refused."""

import json
from pathlib import Path

import pytest

from automation import environment
from automation.environments import Common, read
from automation.errors import UsageError
from automation.stackfiles import StackFiles

WHOLE = """\
account: "123456789012"
region: eu-west-1
backend: s3://my-state?region=eu-west-1
secretsProvider: awskms://alias/pulumi?region=eu-west-1
runTraces: xray
tags: {team: shop}
config:
  mesh: envoy
  collector: adot
  samplingRate: 0.1
stacks:
  crystal: {cpu: 1024, memory: 2048, collector: xray-daemon}
"""


def told(root: Path, text: str, name: str = "prod") -> Common:
    """What a file with that text says."""
    (root / "environments").mkdir(exist_ok=True)
    (root / "environments" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return read(root, name)


def test_it_becomes_plain_configuration_of_each_stack(tmp_path: Path) -> None:
    """The AWS provider's own settings among it, so that `pulumi up` by hand heeds account and tags."""
    common = told(tmp_path, WHOLE)
    assert (common.account, common.backend) == ("123456789012", "s3://my-state?region=eu-west-1")
    assert (common.secrets_provider, common.run_traces) == ("awskms://alias/pulumi?region=eu-west-1", "xray")

    shared = common.of("nodejs")
    assert json.loads(shared.pop("aws:allowedAccountIds")) == ["123456789012"]
    assert json.loads(shared.pop("aws:defaultTags")) == {"tags": {"team": "shop"}}
    assert shared == {
        "aws:region": "eu-west-1",
        "ecs-tracing:mesh": "envoy",
        "ecs-tracing:collector": "adot",
        "ecs-tracing:samplingRate": "0.1",
    }
    own = common.of("crystal")
    assert (own["ecs-tracing:cpu"], own["ecs-tracing:memory"]) == ("1024", "2048")
    assert own["ecs-tracing:collector"] == "xray-daemon"


def test_without_it_the_stacks_files_say_all(tmp_path: Path) -> None:
    """Nobody needs one."""
    assert read(tmp_path, "prod") == Common()
    assert told(tmp_path, "") == Common(place="environments/prod.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("account: 123456789012", "account is 123456789012 but must be an account's 12 digits in quotes"),
        ("region: Frankfurt", "region is 'Frankfurt' but must be a region"),
        ("backend: my-bucket", "backend is 'my-bucket' but must be a URL"),
        ("secretsProvider: kms", "secretsProvider is 'kms' but must be such as awskms://"),
        ("tags: {cost: 42}", "tags.cost is 42 but must be text"),
        ("tags: [a]", "tags must be a mapping"),
        ("runTraces: zipkin", "runTraces is 'zipkin' but must be xray or otlp"),
        ("colour: red", "colour is unknown; the keys are account, region, backend"),
        ("config: {colour: red}", "config.colour is unknown; the keys are mesh, collector"),
        ("config: {mesh: istio}", "config.mesh is 'istio' but must be appmesh or envoy"),
        ("config: {mesh: [envoy]}", "config.mesh is ['envoy'] but must be one value"),
        ("stacks: {crystal: {cpu: 300}}", "stacks.crystal.cpu is '300' but must be auto, or a size that Fargate has"),
        ("config: {memory: 1000}", "config.memory is '1000' but must be auto, or a size that Fargate has"),
        ("stacks: {ruby: {cpu: 256}}", "stacks.ruby is no service; they are platform, crystal"),
        ("config: {tracing: true}", "config.tracing is not for this file"),
        ("config: {bothMeshes: true}", "config.bothMeshes is not for this file"),
        ("[1, 2]", "must be a mapping"),
        ("a: b: c", "is malformed"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    """In one error, with what to do next."""
    with pytest.raises(UsageError) as refused:
        told(tmp_path, text)
    assert str(refused.value).startswith(f"environments/prod.yaml: {said}")
    assert refused.value.next_command


@pytest.mark.parametrize("key", ["account", "region", "backend", "secretsProvider"])
def test_the_embedded_aws_has_its_own(tmp_path: Path, key: str) -> None:
    """Account and backend can't be chosen there; the rest can."""
    line = next(line for line in WHOLE.splitlines() if line.startswith(key))
    with pytest.raises(UsageError, match=f"{key} is not for 'local'"):
        told(tmp_path, line, "local")
    assert told(tmp_path, "config: {mesh: envoy}", "local").of("nodejs") == {"ecs-tracing:mesh": "envoy"}


def test_it_comes_before_the_stacks_own_file(tmp_path: Path) -> None:
    """Which is brought up to it: what is missing there, or different."""
    (tmp_path / "Pulumi.prod-nodejs.yaml").write_text(
        "config: {'ecs-tracing:mesh': appmesh, 'ecs-tracing:autoscaling': 'true', 'aws:region': eu-west-1}",
        encoding="utf-8",
    )
    files = StackFiles(tmp_path, "prod", common=told(tmp_path, WHOLE))
    settings = files.settings("nodejs", {})
    assert (settings.mesh, settings.collector, settings.autoscaling) == ("envoy", "adot", True)
    missing = files.missing("nodejs", {"ecs-tracing:tracing": "true", "aws:region": "eu-west-1"})
    assert missing.keys() == {
        "aws:allowedAccountIds",
        "aws:defaultTags",
        "ecs-tracing:mesh",
        "ecs-tracing:collector",
        "ecs-tracing:samplingRate",
        "ecs-tracing:tracing",
    }


def test_what_it_says_is_not_said_otherwise_on_the_command_line(tmp_path: Path) -> None:
    """Both places are named."""
    files = StackFiles(tmp_path, "prod", common=told(tmp_path, WHOLE))
    files.contradicted("nodejs", {"ecs-tracing:samplingRate": "0.1", "ecs-tracing:tracing": "true"})
    message = "samplingRate is to be 1, but environments/prod.yaml says 0.1 for 'nodejs'"
    with pytest.raises(UsageError, match=message):
        files.contradicted("nodejs", {"ecs-tracing:samplingRate": "1"})


def test_an_aws_of_its_own_is_no_account(tmp_path: Path) -> None:
    """Where a revision is deployed for a comparison the guard is left out, wherever it is said."""
    (tmp_path / "Pulumi.prod-nodejs.yaml").write_text("config: {'aws:allowedAccountIds': ['1']}", encoding="utf-8")
    files = StackFiles(tmp_path, "prod", common=told(tmp_path, WHOLE), secrets=False)
    assert "aws:allowedAccountIds" not in files.read("nodejs")
    assert "aws:allowedAccountIds" in StackFiles(tmp_path, "prod", common=told(tmp_path, WHOLE)).read("nodejs")


def test_it_alone_makes_an_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its region, account and backend; another backend in the shell is a contradiction."""
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "PULUMI_BACKEND_URL"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    with pytest.raises(UsageError, match=r"there is no environments/prod\.yaml with a region"):
        environment.resolve("prod", print)

    told(tmp_path, WHOLE)
    found = environment.resolve("prod", print)
    assert (found.region, found.account) == ("eu-west-1", "123456789012")
    monkeypatch.setenv("PULUMI_BACKEND_URL", "https://api.pulumi.com")
    with pytest.raises(UsageError, match=r"says that the backend is s3://.*PULUMI_BACKEND_URL is https://api"):
        environment.resolve("prod", print)
