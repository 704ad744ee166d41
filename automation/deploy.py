"""Deploy the stacks as they are configured, each with tracing on or off, then verify in AWS that it is so."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # run by file path: import from the project's root
    from automation.start import use_project_python

    use_project_python()

from typing import Any

import click

from automation.cli import Shared, command, main
from automation.flip import run
from automation.wish import Wish, flip_options

EXAMPLES = """\
python automation/deploy.py                    all four, on the embedded AWS
python automation/deploy.py --env prod --yes   a real account, in a pipeline: what is committed is deployed
python automation/deploy.py crystal            one service
"""


@command(EXAMPLES)
@flip_options
@click.option(
    "--traffic",
    type=click.IntRange(min=0),
    metavar="N",
    help="Requests to send through the gateway if anything is traced.  [default: 200 in local, else 0]",
)
def deploy(shared: Shared, **options: Any) -> None:
    """Deploy all services, or each SERVICE named, as their stacks' configuration says.

    Where the files in stacks/ say "tracing: true", it is enable; where they don't, disable. For pipelines that deploy
    what was merged. A second run changes nothing and says so.
    """
    run(shared, Wish(tracing=None, yes=shared.yes, **options))


if __name__ == "__main__":
    main(deploy)
