"""preview.yml: its steps, run as they stand."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.test_setup import Clone
from tests.workflows.runner import PULL_REQUEST, Job, Runner, plain_environment, workflow, write_program

MARKER = "<!-- ecs-tracing preview: prod -->\n"
PYTHON = """\
#!/bin/sh
echo "$@" > asked
[ "$6" = --markdown ] && [ {code} != 2 ] && printf '{comment}' > "$7"
exit {code}
"""


def previewed(folder: Path, where: Path, **values: str) -> tuple[Job, Path]:
    """Run the job but for its set-up; returns it and what it hands on, which may not be there."""
    runner = Runner(folder, plain_environment())
    given = {**PULL_REQUEST, **values}
    job = runner.run("preview", "preview", where=where, values=given, leave_out={"Set up the project"})
    return job, runner.temp / "preview.md"


@pytest.fixture
def merge(tmp_path: Path) -> Path:
    """A checkout of a merge, as GitHub makes it of a pull request."""
    who = ["-c", "user.name=A Reader", "-c", "user.email=reader@example.com"]
    folder = tmp_path / "merge"
    for arguments in (
        ["init", "--quiet", "--initial-branch=main", str(folder)],
        ["-C", str(folder), *who, "commit", "--quiet", "--allow-empty", "--message=base"],
        ["-C", str(folder), "checkout", "--quiet", "-b", "faster"],
        ["-C", str(folder), *who, "commit", "--quiet", "--allow-empty", "--message=change"],
        ["-C", str(folder), "checkout", "--quiet", "main"],
        ["-C", str(folder), *who, "commit", "--quiet", "--allow-empty", "--message=what others merged meanwhile"],
        ["-C", str(folder), "checkout", "--quiet", "--detach"],
        ["-C", str(folder), *who, "merge", "--quiet", "--no-ff", "--message=merge", "faster"],
    ):
        subprocess.run(["git", *arguments], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize(("code", "ends"), [(0, 0), (5, 0), (1, 1)])
def test_changes_are_no_failure_and_a_failed_plan_is_one_after_its_comment(
    merge: Path, tmp_path: Path, code: int, ends: int
) -> None:
    """The comment is shown with the run and handed on in any case."""
    write_program(merge / ".venv" / "bin" / "python", PYTHON.format(code=code, comment=MARKER))
    done, comment = previewed(tmp_path / "runner", merge)

    assert (done.code, done.summary, comment.read_text(encoding="utf-8")) == (ends, MARKER, MARKER)
    assert done.ran[-2:] == ["Preview", "Hand the comment on"]


def test_bad_usage_fails_and_leaves_nothing(merge: Path, tmp_path: Path) -> None:
    """As with a configuration that can't be read."""
    write_program(merge / ".venv" / "bin" / "python", PYTHON.format(code=2, comment=MARKER))
    done, comment = previewed(tmp_path / "runner", merge)

    assert (done.code, done.summary, comment.exists()) == (2, "", False)


def test_the_merge_is_compared_with_what_it_was_merged_into(merge: Path, tmp_path: Path) -> None:
    """Not with an older commit of the base: what others merged meanwhile is not this pull request's."""
    write_program(merge / ".venv" / "bin" / "python", PYTHON.format(code=0, comment=MARKER))
    _, comment = previewed(tmp_path / "runner", merge)

    main = subprocess.run(["git", "rev-parse", "main"], cwd=merge, check=True, capture_output=True, text=True)
    assert (merge / "asked").read_text(encoding="utf-8") == (
        f"automation/preview.py --env prod --against {main.stdout.strip()} --markdown {comment} --detailed-exitcode\n"
    )


def test_a_push_only_fills_the_cache(tmp_path: Path) -> None:
    """Pull requests may read the caches of main, and no others but their own."""
    none = dict.fromkeys([condition for condition in PULL_REQUEST if "github" in condition], "false")
    done, _ = previewed(tmp_path / "runner", tmp_path, **none)

    assert done.code == 0
    assert done.ran[-2:] == ["Cache the packages and the Pulumi CLI", "Set up the project"]


def test_set_up_takes_the_python_of_its_action(tmp_path: Path) -> None:
    """Not the machine's own, which `make` would find first and the cache's key does not name."""
    clone = Clone(tmp_path)
    clone.install_python("python-of-the-action")
    env = {**plain_environment(), "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"}
    (step,) = [each for each in workflow("preview")["jobs"]["preview"]["steps"] if each.get("run") == "make setup"]
    names = {each["name"] for each in workflow("preview")["jobs"]["preview"]["steps"]} - {step["name"]}
    done = Runner(tmp_path / "runner", env).run(
        "preview", "preview", where=tmp_path, values=PULL_REQUEST, leave_out=names
    )

    assert (done.code, clone.calls()) == (0, ["venv", "pip requirements.txt", "compileall", "pulumicli"]), done.log


def test_it_may_read_only_and_knows_no_secret() -> None:
    """It runs the pull request's code: no token is left behind, and none is given."""
    document = workflow("preview")
    job = document["jobs"]["preview"]

    assert (document["permissions"], job["permissions"]) == ({}, {"contents": "read"})
    assert job["steps"][0]["with"]["persist-credentials"] is False
    assert [word for word in ("secrets.", "github.token", "GITHUB_TOKEN") if word in json.dumps(document["jobs"])] == []
    assert set(document[True]) == {"pull_request", "push"}
