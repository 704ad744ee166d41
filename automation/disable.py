"""Turn tracing off: deploy the stacks without the flag, then verify in AWS that no task is traced."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # run by file path: import from the project's root
    from automation.start import use_project_python

    use_project_python()

from typing import Any

from automation.cli import Shared, command, main
from automation.flip import run
from automation.wish import Wish, flip_options

EXAMPLES = """\
python automation/disable.py                 all four, on the embedded AWS
python automation/disable.py frontend --yes  one service, without the question
python automation/disable.py --env prod      a real account
"""


@command(EXAMPLES)
@flip_options
def disable(shared: Shared, **options: Any) -> None:
    """Turn tracing off, for all services or for each SERVICE named.

    Takes away exactly what enable adds: the sidecar, the Envoy's flag, the start order and the policy. What is not
    deployed yet is deployed without tracing.
    """
    run(shared, Wish(tracing=False, yes=shared.yes, **options))


if __name__ == "__main__":
    main(disable)
