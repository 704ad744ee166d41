"""The environment variables of those who use the embedded AWS, and of its server."""

import os
from pathlib import Path

from localaws.errors import LocalAwsError

REGION = "us-east-1"

REPOSITORY = Path(__file__).parents[1]


def of_clients(endpoint: str, pulumi_home: Path, pulumi_state: Path) -> dict[str, str]:
    """Return what `pulumi`, `aws` and boto3 need on top of the caller's variables."""
    variables = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "localaws",
        "AWS_SECRET_ACCESS_KEY": "localaws",
        "AWS_SESSION_TOKEN": "",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        # Else clients put "data-" before the address for a few calls, and no such host exists.
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        "PULUMI_HOME": str(pulumi_home),
        "PULUMI_BACKEND_URL": pulumi_state.as_uri(),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    if not {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"} & os.environ.keys():
        variables["PULUMI_CONFIG_PASSPHRASE"] = ""
    return variables


def of_server() -> dict[str, str]:
    """Return the caller's variables without those that would bend what the server is, such as an AWS_PROFILE."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_"))}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "AWS_CONFIG_FILE": os.devnull,
        # Web pages have no business here: no permission for them in moto's answers.
        "MOTO_DISABLE_GLOBAL_CORS": "true",
    }


def official_plugins() -> bool:
    """Return whether the engine is to fetch the official plugins, rather than be given ours."""
    wanted = os.environ.get("LOCALAWS_PLUGINS", "")
    if wanted not in ("", "official"):
        message = f"LOCALAWS_PLUGINS is {wanted!r}; it can be 'official' or unset. To use ours: unset LOCALAWS_PLUGINS"
        raise LocalAwsError(message)
    return wanted == "official"
