"""Tell for each service: the flag in the configuration and as deployed, what runs, and what drifted."""

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
from automation.overview import overview
from automation.session import opened

EXAMPLES = """\
python automation/status.py             all four, on the embedded AWS
python automation/status.py crystal     one service
python automation/status.py --no-drift  only what the services run
python automation/status.py --json      for machines
"""


@command(EXAMPLES)
@click.option("--no-drift", is_flag=True, help="Do not compare with AWS resource by resource: faster.")
def status(shared: Shared, *, no_drift: bool) -> None:
    """Tell for each service whether it is traced, as configured and as deployed. Changes nothing.

    That is: the flag in its configuration, the flag of the Envoy that runs, the revision, whether the sidecar and the
    X-Ray policy are there, and what was changed behind Pulumi's back.
    """
    with opened(shared, changes=False) as session:
        found = overview(session, with_drift=not no_drift)
    services = found.services
    shared.console.print(display.status({name: service.cells() for name, service in services.items()}))
    for name, service in services.items():
        for remark in service.remarks:
            shared.console.print(f"{name}: {remark}", soft_wrap=True, markup=False)
    for page in found.pages:
        shared.console.print(f"page: {page}", soft_wrap=True, markup=False)
    document = {
        "command": "status",
        "environment": shared.environment,
        "page": found.pages[0] if found.pages else None,
        "pages": found.pages,
        "services": {name: service.to_json() for name, service in services.items()},
    }
    finish(shared, document, ExitCode.DONE)


if __name__ == "__main__":
    main(status)
