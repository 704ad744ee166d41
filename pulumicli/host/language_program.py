"""Run one Pulumi program in this process, as the official language host's `pulumi-language-python-exec` does.

Arguments: PROGRAM (a folder with __main__.py, or a file) and a JSON object with monitor, engine, project, stack,
organization, root, parallel, dryRun and args. Configuration comes in $PULUMI_CONFIG and $PULUMI_CONFIG_SECRET_KEYS,
where the SDK looks for it anyway and where no process list shows it.

Exit code 0; 32 when the program failed and the engine has been told why; anything else is the program's own sys.exit.
"""

import asyncio
import json
import logging
import runpy
import signal
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

EXIT_TOLD = 32
# What the SDK raises when the engine has stopped listening. It has said why by then; this would only bury it.
ENGINE_GONE = ("Resource monitor has terminated", "resource monitor shut down")
THREADS_PER_OPERATION = 4  # of the loop's executor; the SDK blocks a thread for each call to the engine

# Interrupted by the engine: end at once, without a traceback in the user's output.
signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.signal(signal.SIGTERM, signal.SIG_DFL)

import pulumi  # noqa: E402 - the signals first: a Ctrl-C during the imports must be as quiet
import pulumi.runtime  # noqa: E402


def main(program: str, request: dict[str, Any]) -> int:
    """Run the program; return the exit code."""
    sys.argv = [program, *request["args"]]
    parallel: int = request["parallel"]
    pulumi.runtime.set_all_config(pulumi.runtime.get_config_env(), pulumi.runtime.get_config_secret_keys_env())
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            monitor=request["monitor"],
            engine=request["engine"],
            project=request["project"],
            stack=request["stack"],
            organization=request["organization"],
            root_directory=request["root"],
            parallel=parallel,
            dry_run=request["dryRun"],
        )
    )
    # When a resource fails, tasks that wait for its outputs are never awaited; asyncio would complain about each.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_default_executor(ThreadPoolExecutor(max_workers=max(parallel, 1) * THREADS_PER_OPERATION))
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(lambda: _run(program)))
    except Exception as error:  # noqa: BLE001 - whatever the user's program raises is reported
        if not str(error).startswith(ENGINE_GONE):
            pulumi.log.error(_report(error, program))
    else:
        return 0
    return EXIT_TOLD


def _run(program: str) -> None:
    if Path(program).is_dir() and not Path(program, "__main__.py").is_file():
        message = f"unable to find the main program `__main__.py` in `{program}`"
        raise pulumi.RunError(message)
    runpy.run_path(program, run_name="__main__")


def _report(error: Exception, program: str) -> str:
    """Return what the user is shown: a RunError's own words; of anything else their part of the traceback."""
    if isinstance(error, pulumi.RunError):
        return str(error)
    trace = "".join(traceback.format_exception(type(error), error, _users_part(error.__traceback__, program)))
    return f"Program failed with an unhandled exception:\n{trace}"


def _users_part(trace: TracebackType | None, program: str) -> TracebackType | None:
    """Return the traceback from the user's first line on; the whole of it if none is the user's."""
    folder = Path(program).resolve()
    folder = folder if folder.is_dir() else folder.parent
    step = trace
    while step and not _within(folder, step.tb_frame.f_code.co_filename):
        step = step.tb_next
    return step or trace


def _within(folder: Path, filename: str) -> bool:
    """Whether a code object's file lies in the folder; `<frozen runpy>` and its like lie nowhere."""
    return not filename.startswith("<") and Path(filename).resolve().is_relative_to(folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], json.loads(sys.argv[2])))
