"""`python -m bench.profile`: where the time of one flip goes, from the start of the process to its end."""

import json
import os
import resource
import runpy
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import psutil

_FILE = "PROFILE"  # names the file that a profiled command writes
_PARTS = ("engine", "waited", "program", "rest")
_HEADS = ("engine starts", "waits its turn", "program", "resources")


@dataclass
class Profile:
    """Seconds, by what they were spent on; those of stacks and of the SDK overlap."""

    start: float = 0.0  # until there is a session: Python, imports, the environment
    sdk: float = 0.0
    calls: float = 0.0  # CLI calls that start no engine
    verification: float = 0.0
    whole: float = 0.0
    cpu: float = 0.0  # of the command's own process
    engines_cpu: float = 0.0
    stacks: dict[str, dict[str, float]] = field(default_factory=dict)  # `_PARTS` by stack


@click.command("python -m bench.profile")
def main() -> None:
    """Flip the four stacks on an embedded AWS with simulated tasks, once to warm up, once to look at."""
    from tests.engine.checkout import Checkout  # noqa: PLC0415 - not for the command that is profiled

    with tempfile.TemporaryDirectory(prefix="profile-", ignore_cleanup_errors=True) as folder:
        root = Path(folder) / "clone"
        root.mkdir()
        checkout = Checkout(root)
        try:
            for script in ("disable", "enable"):
                click.secho(f"{script}.py, to warm up …", dim=True, err=True)
                checkout.script(script, "--yes", "--skip-preview")
            told = Path(folder) / "profile.json"
            given = ("-m", "bench.profile", "automation/disable.py", "--yes", "--skip-preview")
            checkout.python(*given, env={_FILE: str(told)})
            _show(Profile(**json.loads(told.read_text(encoding="utf-8"))))
        finally:
            checkout.close()


def _show(found: Profile) -> None:
    click.echo(f"A flip of {len(found.stacks)} stacks: {found.whole:.1f} s")
    click.echo(f"CPU: {found.cpu:.1f} s of the command, {found.engines_cpu:.1f} s of the CLI and its engines\n")
    lines: Mapping[str, float] = {
        "start: Python, imports, environment": found.start,
        "AWS SDK (meanwhile)": found.sdk,
        "CLI calls without an engine": found.calls,
        "verification, tasks' start included": found.verification,
    }
    for what, seconds in lines.items():
        click.echo(f"{what:36}{seconds:8.2f} s")
    click.echo(f"\n{'stack':20}" + "".join(f"{head:>16}" for head in _HEADS))
    for stack, parts in sorted(found.stacks.items(), key=lambda each: each[1].get("waited", 0.0) > 0):
        click.echo(f"{stack:20}" + "".join(f"{parts.get(part, 0.0):14.2f} s" for part in _PARTS))


def _profiled(line: Sequence[str]) -> None:
    """Run a command of the automation in this process and write its profile."""
    begun = time.time() - psutil.Process().create_time() - time.monotonic()  # monotonic time + this = since the start
    found = Profile()
    sys.path[0] = str(Path.cwd())
    _instrument(found, lambda: time.monotonic() + begun)
    sys.argv = list(line)
    try:
        runpy.run_path(line[0], run_name="__main__")
    finally:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.whole, found.cpu = time.monotonic() + begun, time.process_time()
        found.engines_cpu = children.ru_utime + children.ru_stime
        Path(os.environ[_FILE]).write_text(json.dumps(asdict(found)), encoding="utf-8")


def _instrument(found: Profile, now: Callable[[], float]) -> None:
    """Have the automation's parts tell when they begin and end."""
    from automation import engine, verify  # noqa: PLC0415 - what is profiled, its imports included
    from automation.processes import Processes  # noqa: PLC0415

    flip: Any = import_module("automation.flip")
    begun: dict[str, float] = {}  # engines, by stack

    @contextmanager
    def took(add: Callable[[float], None]) -> Iterator[None]:
        before = now()
        try:
            yield
        finally:
            add(now() - before)

    load, wait, run, build, made = (
        flip.load_program, verify.wait, Processes.run, engine._program, engine.Engine.__init__,  # noqa: SLF001
    )  # fmt: skip

    def loads() -> None:
        with took(lambda seconds: setattr(found, "sdk", seconds)):
            load()

    def waits(*args: Any, **given: Any) -> Any:
        with took(lambda seconds: setattr(found, "verification", found.verification + seconds)):
            return wait(*args, **given)

    def runs(self: Any, args: Sequence[str], folder: str, variables: Mapping[str, str]) -> tuple[int, str, str]:
        if args[0] != "up":
            with took(lambda seconds: setattr(found, "calls", found.calls + seconds)):
                return run(self, args, folder, variables)
        stack = args[list(args).index("--stack") + 1]
        parts = found.stacks.setdefault(stack, {})
        begun[stack] = now()
        with took(lambda seconds: parts.update(rest=seconds - sum(parts.values()))):
            return run(self, args, folder, variables)

    def builds(foreseen: Any = None, turn: Callable[[], bool] | None = None, run: str = "") -> None:
        import pulumi  # noqa: PLC0415 - see above

        stack = pulumi.get_stack()
        parts = found.stacks[stack]
        parts["engine"] = now() - begun[stack]

        def its_turn() -> bool:
            with took(lambda seconds: parts.update(waited=seconds)):
                return turn is None or turn()

        with took(lambda seconds: parts.update(program=seconds - parts.get("waited", 0.0))):
            build(foreseen, its_turn, run)

    def makes(self: Any, *args: Any, **given: Any) -> None:
        found.start = now()
        made(self, *args, **given)

    flip.load_program, verify.wait, engine._program = loads, waits, builds  # noqa: SLF001
    Processes.run, engine.Engine.__init__ = runs, makes  # type: ignore[method-assign]


if __name__ == "__main__":
    if _FILE in os.environ:
        _profiled(sys.argv[1:])
    else:
        main()
