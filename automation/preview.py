"""Show what the next deployment of each stack would change. Changes nothing."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # run by file path: import from the project's root
    from automation.start import use_project_python

    use_project_python()

import click

from automation import display
from automation.cli import Shared, command, finish, main
from automation.errors import ExitCode
from automation.foresee import foresee
from automation.session import opened

EXAMPLES = """\
python automation/preview.py                      all four, on the embedded AWS
python automation/preview.py crystal              one service
python automation/preview.py --detailed-exitcode  exit 5 when anything would change
python automation/preview.py --env prod --json    a real account, for machines
"""


@command(EXAMPLES)
@click.option("--detailed-exitcode", is_flag=True, help="Exit 5 when there are changes.")
def preview(shared: Shared, *, detailed_exitcode: bool) -> None:
    """Show what deploying the stacks as configured would change."""
    with opened(shared, changes=False) as session:
        plans = foresee(session)
    changed = any(plans.values())
    shared.console.print(display.plan(f"Preview of environment {shared.environment}", plans))
    document = {
        "command": "preview",
        "environment": shared.environment,
        "changed": changed,
        "stacks": [
            {"service": service, "changes": [change.to_json() for change in changes]}
            for service, changes in plans.items()
        ],
    }
    finish(shared, document, ExitCode.CHANGES_FOUND if changed and detailed_exitcode else ExitCode.DONE)


if __name__ == "__main__":
    main(preview)
