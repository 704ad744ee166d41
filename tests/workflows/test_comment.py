"""preview-comment.yml: its step, run as it stands, against a GitHub on loopback."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.github import BOT, REPOSITORY, TOKEN, GitHub, archive
from tests.workflows.runner import Job, Runner, plain_environment, workflow

ROOT = Path(__file__).resolve().parents[2]
MARKER = "<!-- ecs-tracing preview: prod -->"
COMMIT = "1f" * 20
FORECAST = f"{MARKER}\n## Merging changes 3 resources\n"
FORK = {"id": 22, "full_name": "reader/fleet", "owner": {"login": "reader"}}
POSTED = f"{MARKER}\n<sub>Made by the code of {COMMIT} in [this run](https://github.example/run/5).</sub>\n\n"


@dataclass
class Site:
    """A repository with a pull request from a fork, whose preview has ended; run 5 left artifact 50."""

    github: GitHub
    folder: Path
    run: dict[str, Any]

    def post(self) -> Job:
        event = self.folder / "event.json"
        event.write_text(json.dumps({"workflow_run": self.run, "repository": {"default_branch": "main"}}))
        env = {
            **plain_environment(),
            "GITHUB_API_URL": self.github.url,
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_REPOSITORY": REPOSITORY,
        }
        runner = Runner(self.folder / str(len(list(self.folder.iterdir()))), env)
        done = runner.run("preview-comment", "comment", where=ROOT, values={"github.token": TOKEN})
        assert done.ran == ["Check out the default branch", "Post the comment"]
        assert "Traceback" not in done.log
        return done


def pull(number: int, head_repository: dict[str, Any] | None, *, ref: str = "faster", sha: str = COMMIT) -> Any:
    head = {"ref": ref, "sha": sha, "repo": head_repository, "user": {"login": "reader"}}
    return {"number": number, "state": "open", "base": {"ref": "main"}, "head": head}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with GitHub().serving() as github:
        github.pulls.append(pull(7, FORK))
        github.artifacts[50] = archive(FORECAST)
        run = {
            "id": 5,
            "conclusion": "success",
            "head_branch": "faster",
            "head_sha": COMMIT,
            "head_repository": FORK,
            "html_url": "https://github.example/run/5",
            "pull_requests": [],
        }
        yield Site(github, tmp_path, run)


def test_a_pull_request_gets_its_comment(site: Site) -> None:
    """Marker first, then whose code made it, then what it made."""
    done = site.post()

    assert (done.code, done.log) == (0, "#7 has its comment.\n")
    assert [each["body"] for each in site.github.comments] == [POSTED + "## Merging changes 3 resources\n"]


def test_a_second_preview_brings_the_comment_up_to_date(site: Site) -> None:
    """Of several attempts at a run, the last one counts."""
    site.post()
    site.github.artifacts[51] = archive(f"{MARKER}\nNothing changes.\n")
    done = site.post()

    assert (done.code, done.log) == (0, "The comment on #7 is up to date.\n")
    assert [each["body"] for each in site.github.comments] == [POSTED + "Nothing changes.\n"]


def test_control_characters_are_left_out(site: Site) -> None:
    """An error that was written for a terminal is still readable."""
    site.github.artifacts[50] = archive(f"{MARKER}\n\x1b[31mno\x00 plan\x1b[0m\there\n")
    site.post()

    assert [each["body"] for each in site.github.comments] == [POSTED + "[31mno plan[0m\there\n"]


def test_our_comment_is_found_on_a_later_page_among_those_of_others(site: Site) -> None:
    """Neither people who quote the marker, nor other robots, nor another environment's preview are written over."""
    others = [
        site.github.comment(f"{MARKER}\nI quote it", {"login": "reader", "type": "User"}),
        site.github.comment(f"{MARKER}\nMe too", {"login": "other[bot]", "type": "Bot"}),
        site.github.comment(f"See below:\n{MARKER}"),
        site.github.comment("<!-- ecs-tracing preview: staging -->\n"),
    ]
    for index in range(210):
        site.github.comment(f"remark {index}", {"login": "reader", "type": "User"})
    ours = site.github.comment(f"{MARKER}\nold", BOT)
    before = [site.github.body(each) for each in others]
    site.post()

    assert site.github.writes == [f"PATCH /issues/comments/{ours}"]
    assert site.github.body(ours).startswith(POSTED)
    assert [site.github.body(each) for each in others] == before


def test_of_two_forks_with_a_branch_of_that_name_the_runs_own_is_meant(site: Site) -> None:
    """The same owner can have both."""
    second = {**FORK, "id": 23, "full_name": "reader/fleet-2"}
    site.github.pulls.insert(0, pull(6, second))
    site.github.pulls.insert(0, pull(5, None))
    site.post()

    assert site.github.writes == ["POST /issues/7/comments"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"conclusion": "cancelled"}, "The preview was cancelled"),
        ({"head_sha": "2e" * 20}, "#7 has newer commits than 2e2e"),
        ({"head_branch": "gone"}, "There is no open pull request from reader:gone to main."),
        ({"head_repository": None}, "The repository that the pull request came from is gone."),
    ],
)
def test_where_there_is_nothing_to_post_it_says_so(site: Site, changed: dict[str, Any], said: str) -> None:
    """And ends well: a newer run will post, or nobody waits for it any more."""
    site.run |= changed
    done = site.post()

    assert done.code == 0
    assert done.log.startswith(f"::notice::{said}")
    assert site.github.writes == []


@pytest.mark.parametrize("expired", [True, False])
def test_a_preview_without_a_comment_is_told_with_its_log(site: Site, *, expired: bool) -> None:
    """As when set-up failed, or the artifact is past its days."""
    site.run["conclusion"] = "failure"
    if expired:
        site.github.expired.add(50)
    else:
        site.github.artifacts.clear()
    done = site.post()

    said = "The preview (failure) left no comment. Its log: https://github.example/run/5"
    assert (done.code, done.log) == (0, f"::notice::{said}\n")
    assert site.github.writes == []


HOSTILE = [
    (b"no zip at all", "it can't be unpacked (File is not a zip file)"),
    (archive(FORECAST)[:-30], "it can't be unpacked (File is not a zip file)"),
    (archive(FORECAST, name="../preview.md"), "there is no preview.md in it"),
    (archive("/approve\n" + FORECAST), "it does not begin with the marker of a preview"),
    (archive(MARKER + " and more\n"), "it does not begin with the marker of a preview"),
    (archive(FORECAST.encode("utf-16")), "it is not text in UTF-8, or too long"),
    (archive(FORECAST + "x" * 65_536), "it has more than 65,536 characters"),
    (archive(FORECAST + " " * 200_000_000), "it has more than 65,536 characters"),
]


@pytest.mark.parametrize(
    ("left", "reason"), HOSTILE, ids=[f"{i}-{reason[:25]}" for i, (_, reason) in enumerate(HOSTILE)]
)
def test_what_is_no_preview_is_not_posted(site: Site, left: bytes, reason: str) -> None:
    """The artifact is made by anybody's code."""
    site.github.artifacts[50] = left
    done = site.post()

    assert (done.code, done.log) == (1, f"::error::What the preview left as preview-comment is not posted: {reason}.\n")
    assert site.github.writes == []


def test_a_comment_too_long_for_github_is_refused_before_it_is_asked(site: Site) -> None:
    """65,536 characters, our line in it."""
    room = 65_536 - len(POSTED) - len("\n")
    site.github.artifacts[50] = archive(f"{MARKER}\n" + "x" * room + "\n")
    assert site.post().code == 0
    site.github.artifacts[50] = archive(f"{MARKER}\n" + "x" * (room + 1) + "\n")
    done = site.post()

    assert (done.code, done.log) == (1, "::error::The comment has 65,537 characters, and GitHub takes 65,536.\n")


@pytest.mark.parametrize(
    ("request_line", "refusal", "told"),
    [
        ("GET /actions/runs/5/artifacts?name=preview-comment&per_page=100", (401, b""), "401: "),
        ("POST /issues/7/comments", (403, b'{"message": "Not\\nallowed"}'), "403: Not%0Aallowed"),
        ("POST /issues/7/comments", (502, b"<html>unicorn</html>"), "502: <html>unicorn</html>"),
    ],
)
def test_what_github_refuses_is_one_error_with_its_words(
    site: Site, request_line: str, refusal: tuple[int, bytes], told: str
) -> None:
    """And the address it was about; on one line, so that nothing in it is taken for a command."""
    method, path = request_line.split(" ")
    site.github.refusals[method] = refusal
    done = site.post()

    url = f"{site.github.url}/repos/{REPOSITORY}{path}"
    assert (done.code, done.log) == (1, f"::error::{method} {url} was answered with {told}\n")


def test_a_github_that_is_away_or_not_one_is_one_error(site: Site) -> None:
    """A page of a proxy, and nobody."""
    site.github.refusals["GET"] = (200, b"<html>please log in</html>")
    done = site.post()
    assert (done.code, done.log.count("\n")) == (1, 1)
    assert "was answered with something that is not JSON" in done.log

    site.github.url = "http://127.0.0.1:9"
    done = site.post()
    assert (done.code, done.log.count("\n")) == (1, 1)
    assert "got no answer: [Errno 111] Connection refused" in done.log


def test_it_runs_nothing_of_the_pull_requests() -> None:
    """No checkout of another revision, no artifact unpacked into the workspace, and no more rights than it needs."""
    document = workflow("preview-comment")
    job = document["jobs"]["comment"]

    assert document["permissions"] == {}
    assert job["permissions"] == {"actions": "read", "contents": "read", "pull-requests": "write"}
    assert job["steps"][0]["with"] == {"persist-credentials": False, "sparse-checkout": ".github/scripts"}
    assert [step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step] == ["actions/checkout"]
    assert "pull_request" in job["if"]
    assert document[True] == {"workflow_run": {"workflows": [workflow("preview")["name"]], "types": ["completed"]}}
