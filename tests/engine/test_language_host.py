"""Python programs on the real engine, through the language host that comes with a CLI built from Go modules."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.project import Project

pytestmark = pytest.mark.engine

WAITING = """
    import pathlib, threading
    print("program started", flush=True)
    threading.Event().wait()
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


def run_until(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdout is not None
    assert any(text in line for line in process.stdout), f"{text!r} was never printed"


def test_a_program_goes_up_and_down_by_hand(project: Project) -> None:
    """Configuration, secrets and stack references arrive; what it prints is shown; a second preview is empty."""
    project.pulumi("config", "set", "size", "3")
    project.pulumi("config", "set", "--secret", "password", "geheim")
    project.program("""
        import sys
        import pulumi
        config = pulumi.Config()
        print("to stdout")
        print("to stderr", file=sys.stderr)
        pulumi.export("size", config.require_int("size"))
        pulumi.export("password", config.require_secret("password"))
        pulumi.export("stack", f"{pulumi.get_project()}/{pulumi.get_stack()}")
        pulumi.ComponentResource("test:index:Thing", "thing")
    """)

    shown = project.pulumi("up", "--yes")
    assert "to stdout" in shown
    assert "to stderr" in shown
    assert "geheim" not in shown
    assert "warning" not in shown
    assert project.outputs() == {"size": 3, "password": "geheim", "stack": "tiny/dev"}
    project.pulumi("preview", "--expect-no-changes")
    project.pulumi("refresh", "--yes", "--expect-no-changes")

    project.pulumi("stack", "init", "other")
    project.program("""
        import pulumi
        pulumi.export("size", pulumi.StackReference("organization/tiny/dev").require_output("size"))
    """)
    project.pulumi("up", "--yes", "--skip-preview")
    assert project.outputs() == {"size": 3}

    project.pulumi("destroy", "--yes", "--skip-preview", "--stack", "dev")
    project.pulumi("stack", "select", "dev")
    assert project.resources() == []


def test_about_names_the_python_that_runs_programs(project: Project) -> None:
    """`pulumi about` shows the interpreter and its packages."""
    about = project.pulumi("about")

    assert f"version='{sys.version.split()[0]}'" in about
    assert "pulumi_awsx" in about.replace("-", "_")


def test_a_failing_program_shows_the_users_lines_once(project: Project) -> None:
    """The traceback begins at the program's first line, without those of the SDK, and the exit code says: failed."""
    project.program("""
        def fail() -> None:
            raise ValueError("of my own making")

        fail()
    """)
    shown = project.pulumi("preview", exits=255)
    diagnostics = shown.partition("Diagnostics:")[2]

    program = project.folder / "__main__.py"
    assert diagnostics.count("of my own making") == 2  # the line of code and the error itself
    assert "error: Program failed with an unhandled exception:" in diagnostics
    assert diagnostics.count('File "') == diagnostics.count(f'File "{program}"') == 2


def test_a_run_error_is_shown_without_a_traceback(project: Project) -> None:
    """RunError is how programs talk to users."""
    project.program("""
        import pulumi
        raise pulumi.RunError("set `tracing` to true or false")
    """)
    shown = project.pulumi("preview", exits=255)

    assert "error: set `tracing` to true or false" in shown
    assert "Traceback" not in shown


def test_sys_exit_is_reported_with_its_code(project: Project) -> None:
    """A program that leaves by itself has failed, and the code is named."""
    project.program("raise SystemExit(7)\n")

    assert "Program exited with non-zero exit code: 7" in project.pulumi("preview", exits=255)


def test_a_missing_program_is_named(project: Project) -> None:
    """Without __main__.py the folder is named."""
    project.folder.joinpath("__main__.py").unlink()

    shown = project.pulumi("preview", exits=255)
    assert f"unable to find the main program `__main__.py` in `{project.folder}`" in shown


def test_a_virtualenv_that_is_missing_is_named_and_replaced(tmp_path: Path) -> None:
    """`runtime.options.virtualenv` that isn't there yet: the program runs all the same, and one line says with what."""
    project = Project(tmp_path / "project", runtime="{name: python, options: {virtualenv: venv}}")
    project.program("""
        import pulumi
        pulumi.export("done", True)
    """)
    shown = project.pulumi("up", "--yes", "--skip-preview")

    assert f"The virtualenv 'venv' of Pulumi.yaml is not at {project.folder / 'venv'}; using " in shown
    assert project.outputs() == {"done": True}


def test_a_virtualenv_runs_the_program(tmp_path: Path) -> None:
    """`runtime.options.virtualenv`, relative to the project, decides on the interpreter."""
    project = Project(tmp_path / "project", runtime="{name: python, options: {virtualenv: venv}}")
    project.folder.joinpath("venv").symlink_to(sys.prefix)
    project.program("""
        import os, pulumi
        pulumi.export("venv", os.environ["VIRTUAL_ENV"])
    """)
    project.pulumi("up", "--yes", "--skip-preview")

    assert project.outputs() == {"venv": str(project.folder / "venv")}


def test_the_nearest_dot_venv_is_found_without_activating_it(project: Project) -> None:
    """GIVEN no Python with Pulumi on PATH WHEN .venv is in the project THEN it is used."""
    project.environment["PATH"] = "/usr/bin:/bin"
    project.folder.joinpath(".venv").symlink_to(sys.prefix)
    project.program("""
        import pulumi
        pulumi.export("done", True)
    """)
    project.pulumi("up", "--yes", "--skip-preview")

    assert project.outputs() == {"done": True}


def test_ctrl_c_ends_a_program_quietly(project: Project) -> None:
    """Cancelling shows the engine's own words, no traceback, and leaves no process."""
    project.program(WAITING)
    engine = project.start("preview")
    run_until(engine, "program started")
    engine.send_signal(signal.SIGINT)
    shown, _ = engine.communicate(timeout=60)

    assert engine.returncode == 255
    assert "error: preview canceled" in shown
    assert "Traceback" not in shown
    assert "KeyboardInterrupt" not in shown


def test_a_killed_engine_takes_the_program_with_it(project: Project) -> None:
    """After SIGKILL neither host nor program stays behind: both hold the pipe whose end is read here."""
    project.program(WAITING)
    readable, writable = os.pipe()
    os.set_inheritable(writable, True)  # noqa: FBT003 - the standard library's signature
    engine = subprocess.Popen(
        [project.cli, "--non-interactive", "preview"],
        cwd=project.folder,
        env=project.environment,
        start_new_session=True,
        stderr=writable,
        stdin=subprocess.DEVNULL,
        stdout=writable,
    )
    os.close(writable)
    with os.fdopen(readable) as output:
        assert any("program started" in line for line in output)
        hosts = processes_of(project.folder)
        engine.kill()
        engine.wait()
        output.read()

    assert len(hosts) == 2, "the language host and the program it runs"
    for pid in hosts:
        assert ended(pid)


def processes_of(folder: Path) -> list[int]:
    """Return the processes of the language host for a project: those that name its folder in their command line."""
    found = subprocess.run(["pgrep", "-f", f"language_.*{folder}"], capture_output=True, check=True, text=True)
    return [int(pid) for pid in found.stdout.split()]


def ended(pid: int) -> bool:
    """Wait up to 10 s for the end of a process that isn't our child."""
    return subprocess.run(["timeout", "10", "tail", f"--pid={pid}", "-f", "/dev/null"], check=False).returncode == 0
