"""Delete everything that the stacks deployed, dependents first."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # run by file path: import from the project's root
    from automation.start import use_project_python

    use_project_python()

from automation.cli import Shared, command, main
from automation.removal import forgetting, run

EXAMPLES = """\
python automation/destroy.py                 all four, on the embedded AWS
python automation/destroy.py frontend --yes  one service, without the question
python automation/destroy.py --env prod      a real account
python automation/destroy.py --env prod --forget-app-mesh   where App Mesh does not answer any more
"""


@command(EXAMPLES)
@forgetting
def destroy(shared: Shared, *, forget_app_mesh: bool) -> None:
    """Delete everything that the stacks deployed, for all services or for each SERVICE named.

    Dependents go first; a service that another one still needs is refused. The configuration files stay.
    """
    run(shared, forget_app_mesh=forget_app_mesh)


if __name__ == "__main__":
    main(destroy)
