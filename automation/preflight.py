"""What would make a deployment to an account fail, looked for before anything is changed; each with its remedy.

All checks run side by side and cost a second or two. In the local environment there is nothing to look for.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from automation.environment import Environment
from automation.errors import UsageError
from services.settings import Settings

ENDED = "2026-09-30"  # App Mesh. Source: AWS's announcement of 2024-09-24

_TIMEOUT = 5  # seconds to connect, and to be answered


def check(environment: Environment, settings: Mapping[str, Settings], say: Callable[[str], None]) -> None:
    """Look before a change; `settings` are those of the stacks, by service.

    Raises:
        UsageError: AWS can't be used as the stacks want it; nothing was changed.

    """
    if environment.is_local:
        return
    checks: list[Callable[[], str]] = [partial(_caller, environment)]
    if in_app_mesh := [service for service, given in settings.items() if given.has_app_mesh]:
        checks.append(partial(_app_mesh, environment, in_app_mesh[0]))
    with ThreadPoolExecutor(max_workers=len(checks)) as pool:
        for remark in [each.result() for each in [pool.submit(each) for each in checks]]:
            if remark:
                say(remark)


def _caller(environment: Environment) -> str:
    """Who deploys, and where to."""
    identity = _asked(environment, "sts", lambda sts: sts.get_caller_identity(), _no_credentials)
    return f"Account {identity['Account']}, region {environment.region}, as {identity['Arn']}."


def _app_mesh(environment: Environment, service: str) -> str:
    """Whether App Mesh is still there."""

    def gone(reason: str) -> UsageError:
        stack = f"{environment.name}-{service}"
        message = f"'{stack}' is in App Mesh, which AWS ended on {ENDED}: it can't be deployed there ({reason})."
        return UsageError(message, next_command=f"pulumi config set mesh envoy --stack {stack}   (likewise the others)")

    _asked(environment, "appmesh", lambda mesh: mesh.list_meshes(limit=1), gone)
    return ""


def _no_credentials(reason: str) -> UsageError:
    return UsageError(f"AWS does not know who is asking ({reason}).", next_command="aws sts get-caller-identity")


def _asked(
    environment: Environment, service: str, ask: Callable[[Any], Any], refused: Callable[[str], UsageError]
) -> Any:
    # Here, because the SDK takes a second to load, which commands that stay at home need not wait for.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    patience = Config(connect_timeout=_TIMEOUT, read_timeout=_TIMEOUT, retries={"total_max_attempts": 2})
    make: Any = boto3.session.Session().client  # a session of one's own in each thread
    try:
        return ask(make(service, region_name=environment.region, config=patience))
    except (BotoCoreError, ClientError) as error:
        raise refused(str(error)) from error
