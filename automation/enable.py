"""Turn tracing on: deploy the stacks with the flag set, then verify in AWS that every task is traced."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # run by file path: import from the project's root
    from automation.start import use_project_python

    use_project_python()

from collections.abc import Iterable
from typing import Any

import click

from automation.cli import Shared, command, main
from automation.flip import run
from automation.wish import Wish, flip_options
from services.collectors import COLLECTORS
from services.settings import MESHES

EXAMPLES = """\
python automation/enable.py                    all four, on the embedded AWS
python automation/enable.py --yes              without the question
python automation/enable.py crystal            one service
python automation/enable.py --sampling-rate 1  trace every request
python automation/enable.py --mesh envoy       in a mesh of our own, where nothing is deployed yet
python automation/enable.py --collector adot   ADOT in place of the X-Ray daemon
python automation/enable.py --resume           go on with a run that failed or was killed
python automation/enable.py --wave 1,10%,rest  a few stacks first, the others once those are proved
python automation/enable.py --env prod --json  a real account, for machines
"""


def _or(choices: Iterable[str]) -> str:
    *most, last = choices
    return f"{', '.join(most)} or {last}"


@command(EXAMPLES)
@flip_options
@click.option(
    "--traffic",
    type=click.IntRange(min=0),
    metavar="N",
    help="Requests to send through the gateway, to see them traced.  [default: 200 in local, else 0]",
)
@click.option("--sampling-rate", metavar="RATE", help="Share of requests to trace, 0-1; kept in the configuration.")
@click.option("--mesh", metavar="MESH", help=f"{_or(MESHES)}; kept in the configuration.")
@click.option("--collector", metavar="COLLECTOR", help=f"{_or(COLLECTORS)}; kept in the configuration.")
def enable(
    shared: Shared, *, sampling_rate: str | None, mesh: str | None, collector: str | None, **options: Any
) -> None:
    """Turn tracing on, for all services or for each SERVICE named.

    Deploys what is not deployed yet. Shows the plan of all stacks and asks before it changes anything. Afterwards it
    asks AWS, not Pulumi, whether every running task is traced, and in the local environment sends requests through the
    gateway and shows the service map. A second run changes nothing and says so.
    """
    given = {"samplingRate": sampling_rate, "mesh": mesh, "collector": collector}
    settings = {key: value for key, value in given.items() if value is not None}
    run(shared, Wish(tracing=True, settings=settings, yes=shared.yes, **options))


if __name__ == "__main__":
    main(enable)
