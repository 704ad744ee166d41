"""Move all stacks from one mesh to the other while requests go on."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # run by file path: import from the project's root
    from automation.start import use_project_python

    use_project_python()

from dataclasses import fields
from typing import Any

import click

from automation.cli import Shared, command, main
from automation.migration import MESHES, Journey, run
from automation.removal import forgetting
from automation.wish import Wish, deployment_options

EXAMPLES = """\
python automation/migrate.py --to envoy --preview   the way and the plan of its first step
python automation/migrate.py --to envoy             from App Mesh to Envoys of our own
python automation/migrate.py --to appmesh           and back
python automation/migrate.py --to envoy --forget-app-mesh --env prod   where AWS has no App Mesh any more
"""


@command(EXAMPLES, of_services=False)
@click.option("--to", required=True, type=click.Choice(list(MESHES)), help="The mesh to move to.")
@click.option("--preview", "only_shown", is_flag=True, help="Show the way and the plan of its first step, and end.")
@forgetting
@click.option("--skip-preview", is_flag=True, help="Go at once, without working out the plan of the first step.")
@deployment_options
def migrate(shared: Shared, **options: Any) -> None:
    """Move all services from App Mesh to Envoys of our own, or back, while requests go on.

    First all stacks get Envoys of our own beside App Mesh's objects, so that tasks of both kinds call each other;
    then the old mesh is taken away, the platform last. Each step is verified in AWS before the next begins. A run that
    was interrupted, or that failed, goes on where it was.
    """
    journey = Journey(**{each.name: options.pop(each.name) for each in fields(Journey)})
    run(shared, journey, Wish(tracing=None, yes=shared.yes, skip_preview=True, **options))


if __name__ == "__main__":
    main(migrate)
