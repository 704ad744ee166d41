"""Tell what was run in an environment, and of one run what it did, step by step."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # run by file path: import from the project's root
    from automation.start import use_project_python

    use_project_python()

import click

from automation import past, runs
from automation.cli import Reading, finish, main, reader
from automation.errors import ExitCode, UsageError
from automation.journal import folder_of

EXAMPLES = """\
python automation/history.py               the last 200 runs, newest first
python automation/history.py show ID       one of them, step by step; LAST is the newest
python automation/history.py --env prod    of another environment
python automation/history.py --json | jq -r '.runs[] | select(.outcome == "failed").id'
"""
EXIT_CODES = [
    (str(int(ExitCode.DONE)), "told"),
    (str(int(ExitCode.BAD_USAGE)), "there is no such run or environment"),
]
NEWEST = "LAST"


@reader(EXAMPLES, EXIT_CODES)
@click.argument("asked", nargs=-1, metavar="[show ID]")
def history(given: Reading, *, asked: tuple[str, ...]) -> None:
    """Tell what was run in an environment: when (UTC), what, about which services, how it ended, how long it took.

    It reads the journals in .runs/ and nothing else: no AWS, no Pulumi. A run that is told as killed or failed goes on
    with --resume of the same command. `show ID` tells of one run what each stack's configuration was before, what it
    was to be, and what came of it.
    """
    option = "" if given.environment == "local" else f" --env {given.environment}"
    listing = f"python automation/history.py{option}"
    found = runs.every(_folder(given.environment))
    if not asked:
        given.console.print(past.listed(found) if found else f"No run yet in environment {given.environment}.")
        document = {"environment": given.environment, "runs": [past.run_to_json(run) for run in found]}
        finish(given, document, ExitCode.DONE)
    match asked:
        case ("show", wanted):
            chosen = [run for number, run in enumerate(found) if run.id == wanted or (wanted == NEWEST and not number)]
        case _:
            raise UsageError(f"'{' '.join(asked)}' is neither nothing nor 'show ID'.", next_command=listing)
    if not chosen:
        message = f"There is no run '{wanted}' in environment '{given.environment}'."
        raise UsageError(message, next_command=listing)
    given.console.print(past.told(chosen[0]))
    steps = [dict(line) for line in chosen[0].lines]
    finish(given, {**past.run_to_json(chosen[0]), "steps": steps}, ExitCode.DONE)


def _folder(environment: str) -> Path:
    folder = folder_of(environment)
    if folder.parent.name != ".runs" or Path(environment).name != environment:
        message = f"'{environment}' is not a valid environment name."
        raise UsageError(message, next_command="python automation/history.py")
    return folder


if __name__ == "__main__":
    main(history)
