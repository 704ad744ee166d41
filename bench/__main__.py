"""`python -m bench`: measure, and print each figure beside its baselines."""

import json
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from bench.figures import FULL, QUICK, Figure, LeftOut
from bench.machine import Machine
from bench.rows import ROWS
from localaws.errors import LocalAwsError

_EPILOG = f"""\b
Rows: {", ".join(ROWS)}; all of them unless told otherwise, in less than 10 min.
Each figure is the median of three rounds with the lowest and the highest, in turn with its baselines.
A ratio is the figure through its baseline, round by round. Nothing is judged: the exit code is 0.
"""
_DIGITS = 3  # that a figure has
_NAME_WIDTH, _LINE_WIDTH = 50, 42  # characters


@click.command("python -m bench", epilog=_EPILOG)
@click.argument("rows", nargs=-1, type=click.Choice(list(ROWS)), metavar="[ROW]…")
@click.option("--quick", is_flag=True, help="One small round of each, to see that it works.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def main(*, rows: Sequence[str], quick: bool, as_json: bool) -> None:
    """Measure how fast segments are taken, traces read and drawn, requests answered, changes previewed and deployed."""
    machine, begun = Machine.now(), time.monotonic()
    if not as_json:
        _tell_machine(machine)
    found: dict[str, list[Figure | LeftOut]] = {}
    for name in dict.fromkeys(rows or ROWS):
        click.secho(f"Measuring {name} …", dim=True, err=True)
        with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
            try:
                found[name] = list(ROWS[name](QUICK if quick else FULL, Path(folder)))
            except LocalAwsError as error:
                raise click.ClickException(str(error)) from error
        if not as_json:
            _show(name, found[name])
    taken = time.monotonic() - begun
    if as_json:
        print(json.dumps(_document(machine, found, taken, quick=quick), indent=2))
    else:
        click.echo(f"\nTook {taken:.0f} s; load {os.getloadavg()[0]:.1f} at the end.")


def _document(
    machine: Machine, found: Mapping[str, Sequence[Figure | LeftOut]], taken: float, *, quick: bool
) -> dict[str, Any]:
    return {
        "command": "bench",
        "quick": quick,
        "machine": machine.to_json(),
        "seconds": taken,
        "load_at_end": list(os.getloadavg()),
        "rows": {name: [each.to_json() for each in row] for name, row in found.items()},
    }


def _tell_machine(machine: Machine) -> None:
    click.echo(str(machine))
    if machine.is_busy:
        told = "The machine is busy with something else: hold figures against their baselines only."
        click.secho(told, fg="yellow")
    click.echo("Each line: median (lowest to highest); beside a baseline, the ratio to it.")


def _show(name: str, row: Sequence[Figure | LeftOut]) -> None:
    click.secho(f"\n{name}", bold=True)
    for each in row:
        if isinstance(each, LeftOut):
            click.echo(f"{each.what}: left out, since {each.why}")
            continue
        told = each.to_json()
        rounds = f"{told['rounds']} rounds" if told["rounds"] > 1 else "1 round"
        click.echo(f"{each.what} ({'; '.join(filter(None, (rounds, each.note)))})")
        click.echo(f"  {'measured':{_NAME_WIDTH}}{_line(told, each.unit)}")
        for baseline in told["baselines"]:
            click.echo(f"  {baseline['what']:{_NAME_WIDTH}}{_line(baseline, each.unit):{_LINE_WIDTH}}", nl=False)
            click.echo(f"ratio {_line(baseline['ratio'])}")


def _line(told: Mapping[str, Any], unit: str = "") -> str:
    return f"{_number(told['median'])} {unit}".rstrip() + f" ({_number(told['low'])} to {_number(told['high'])})"


def _number(value: float) -> str:
    """Return a number with as many digits as mean something."""
    rounded = float(f"{value:.{_DIGITS}g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 10 ** (_DIGITS - 1) else f"{rounded:.{_DIGITS}g}"


if __name__ == "__main__":
    main()
