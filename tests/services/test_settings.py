"""What a stack's configuration may say."""

import pytest

from services.settings import KEYS, Settings, SettingsError


def test_a_stack_that_says_nothing_but_its_region_gets_the_documented_defaults() -> None:
    """Tracing is off, and 5 % is Envoy's own sampling rate."""
    assert Settings.parse({"region": "eu-west-1"}) == Settings(
        region="eu-west-1",
        tracing=False,
        mesh="appmesh",
        collector="xray-daemon",
        sampling_rate=0.05,
        autoscaling=False,
        load_test_host=False,
    )


def test_every_key_is_read() -> None:
    """Each value reaches the field that it is meant for."""
    values = {
        "region": "eu-west-1",
        "tracing": "true",
        "mesh": "appmesh",
        "collector": "adot",
        "samplingRate": "0.5",
        "autoscaling": "true",
        "loadTestHost": "true",
    }
    assert Settings.parse(values) == Settings(
        region="eu-west-1",
        tracing=True,
        collector="adot",
        sampling_rate=0.5,
        autoscaling=True,
        load_test_host=True,
    )


@pytest.mark.parametrize("rate", ["0", "1", "0.05", "0.5", ".25", "1.0"])
def test_a_sampling_rate_is_a_share(rate: str) -> None:
    """Both ends are allowed: only the first request of each second, or every one."""
    assert Settings.parse({"region": "eu-west-1", "samplingRate": rate}).sampling_rate == float(rate)


@pytest.mark.parametrize(
    ("key", "value", "allowed", "command"),
    [
        ("tracing", "maybe", "true or false", "pulumi config set tracing false"),
        ("tracing", "True", "true or false", "pulumi config set tracing false"),
        ("tracing", "", "true or false", "pulumi config set tracing false"),
        ("autoscaling", "3", "true or false", "pulumi config set autoscaling false"),
        ("loadTestHost", "yes", "true or false", "pulumi config set loadTestHost false"),
        ("samplingRate", "7", "from 0 to 1", "pulumi config set samplingRate 0.05"),
        ("samplingRate", "-0.1", "from 0 to 1", "pulumi config set samplingRate 0.05"),
        ("samplingRate", "abc", "from 0 to 1", "pulumi config set samplingRate 0.05"),
        ("samplingRate", "nan", "from 0 to 1", "pulumi config set samplingRate 0.05"),
        ("samplingRate", "0.001", "two decimals", "pulumi config set samplingRate 0.05"),
        ("mesh", "istio", "appmesh or envoy", "pulumi config set mesh appmesh"),
        ("bothMeshes", "yes", "true or false", "pulumi config set bothMeshes false"),
        (
            "collector",
            "jaeger",
            "must be xray-daemon, adot or cloudwatch-agent",
            "pulumi config set collector xray-daemon",
        ),
        ("collector", "ADOT", "xray-daemon, adot or cloudwatch-agent", "pulumi config set collector xray-daemon"),
    ],
)
def test_a_value_that_cannot_be_is_told_with_key_value_choice_and_command(
    key: str, value: str, allowed: str, command: str
) -> None:
    """One sentence says it all, and the command in it mends it."""
    with pytest.raises(SettingsError) as refused:
        Settings.parse({"region": "eu-west-1", key: value})
    message = str(refused.value)
    assert f"{key} " in message
    assert f"'{value}'" in message
    assert allowed in message
    assert command in message
    repaired = command.rpartition(" ")[2]
    assert Settings.parse({"region": "eu-west-1", key: repaired}) == Settings(region="eu-west-1")


def test_a_misspelt_key_is_named_instead_of_ignored() -> None:
    """GIVEN samplingrate for samplingRate THEN the user is not left wondering why it has no effect."""
    with pytest.raises(
        SettingsError, match=r"unknown key 'samplingrate'; the keys are .*samplingRate.*pulumi config rm"
    ):
        Settings.parse({"region": "eu-west-1", "samplingrate": "1"})


def test_other_namespaces_keys_are_not_ours_to_judge() -> None:
    """``aws:profile`` is the plugin's."""
    assert Settings.parse({"region": "eu-west-1", "aws:profile": "prod"}) == Settings(region="eu-west-1")


@pytest.mark.parametrize("values", [{}, {"region": ""}])
def test_a_stack_without_a_region_is_told_how_to_get_one(values: dict[str, str]) -> None:
    """There is no default: an account's resources would appear in a region nobody chose."""
    with pytest.raises(SettingsError, match=r"aws:region is not set\. Next: pulumi config set aws:region REGION"):
        Settings.parse(values)


def test_the_error_names_only_keys_that_exist() -> None:
    """The list of keys in the message is the list that is read."""
    with pytest.raises(SettingsError) as refused:
        Settings.parse({"nonsense": ""})
    assert ", ".join(KEYS) in str(refused.value)
