"""The command line of the embedded AWS: `python -m localaws start|stop|status|reset|env`."""

import json
import os
import shlex
from pathlib import Path
from typing import Any

import click

from localaws.errors import LocalAwsError
from localaws.instance import Instance, Status
from pulumicli import locate

_BAD, _NOT_RUNNING = 2, 3
_LAST_PORT = 65535

_state = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="State folder of the instance.  [default: $LOCALAWS_STATE, else .localaws in the checkout]",
)
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


class _Commands(click.Group):
    """Turns our errors into one line and exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except LocalAwsError as error:
            click.secho(str(error), fg="red", err=True)
            ctx.exit(_BAD)


@click.group(cls=_Commands)
def main() -> None:
    r"""Run an AWS of one's own on 127.0.0.1, for pulumi, aws, boto3 and Terraform.

    \b
    Examples:
      python -m localaws start               start it, or say where it runs
      eval "$(python -m localaws env)"       then use pulumi and aws by hand
      python -m localaws status --json       for scripts
      python -m localaws reset --yes         forget all it knows, stacks too
      python -m localaws start --state /tmp/other --port 4566
                                             a second one, beside the first

    \b
    Exit codes: 0 done; 1 given up at a question; 2 bad usage, or what was
    asked can't be done; 3 it does not run (status).
    """


@main.command()
@_state
@click.option(
    "--port", type=click.IntRange(1, _LAST_PORT), metavar="N", help="Port.  [default: as last time, else any]"
)
@_json
def start(*, state: Path | None, port: int | None, as_json: bool) -> None:
    r"""Start it, unless it runs.

    \b
    Examples:
      python -m localaws start
      python -m localaws start --port 4566
      python -m localaws start --json | jq -r .endpoint
    """
    _show(Instance(state).start(port), as_json=as_json)


@main.command()
@_state
def stop(state: Path | None) -> None:
    r"""Stop it; what it knows is kept.

    \b
    Example:
      python -m localaws stop
    """
    instance = Instance(state)
    click.echo(f"Stopped; its state is kept in {instance.state}." if instance.stop() else "It did not run.")


@main.command()
@_state
@_json
@click.pass_context
def status(ctx: click.Context, *, state: Path | None, as_json: bool) -> None:
    r"""Say whether and where it runs (exit code 3: not).

    \b
    Examples:
      python -m localaws status
      python -m localaws status --json | jq -r .endpoint
      python -m localaws status > /dev/null || python -m localaws start
    """
    found = Instance(state).status()
    _show(found, as_json=as_json)
    ctx.exit(0 if found.running else _NOT_RUNNING)


@main.command()
@_state
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(*, state: Path | None, yes: bool) -> None:
    r"""Forget all it knows, Pulumi's stacks too.

    \b
    Examples:
      python -m localaws reset
      python -m localaws reset --yes
    """
    instance = Instance(state)
    if not yes:
        click.confirm(f"Forget all AWS resources and Pulumi stacks in {instance.state}?", abort=True, err=True)
    instance.reset()
    click.echo(f"Forgotten; {instance.state} is as new.")


@main.command()
@_state
def env(state: Path | None) -> None:
    r"""Print what pulumi and aws need; start it.

    \b
    Examples:
      eval "$(python -m localaws env)"
      pulumi stack ls
      aws ecs list-clusters
    """
    instance = Instance(state)
    if not instance.status().running:
        where = instance.start().endpoint
        click.echo(f"Started the embedded AWS at {where}.", err=True)
    for name, value in instance.environment().items():
        click.echo(f"export {name}={shlex.quote(value)}")
    if (cli := locate()) and str(cli.parent) not in os.get_exec_path():
        click.echo(f"export PATH={shlex.quote(os.pathsep.join([str(cli.parent), *os.get_exec_path()]))}")


def _show(found: Status, *, as_json: bool) -> None:
    if as_json:
        started_at = found.started_at and found.started_at.isoformat(timespec="seconds")
        document = {
            "running": found.running,
            "endpoint": found.endpoint,
            "pid": found.pid,
            "state": str(found.state),
            "started_at": started_at,
        }
        click.echo(json.dumps(document, indent=2))
    elif found.running:
        since = found.started_at.astimezone().strftime("%Y-%m-%d %H:%M:%S") if found.started_at else "?"
        click.echo(f"{click.style('running', fg='green')} at {found.endpoint}, process {found.pid}, since {since}")
        click.echo(f"state in {found.state}")
    else:
        click.echo(f"{click.style('not running', fg='yellow')}; state in {found.state}")
        click.echo("to start it: python -m localaws start")


if __name__ == "__main__":
    main(prog_name="python -m localaws")
