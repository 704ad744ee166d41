"""Posts the comment that a preview left for its pull request, or brings the one that is there up to date.

Runs in preview-comment.yml, from the default branch, with the standard library alone. What the preview left was made by
the pull request's code, so it is text to be posted and nothing else; which pull request it is for is asked of GitHub.

Reads GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_TOKEN and, in the file GITHUB_EVENT_PATH, the event `workflow_run`.
Exits 0 when the comment is posted, or when there is none to post, which it says; 1 with one error else.
"""

import io
import json
import os
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

ARTIFACT = "preview-comment"
FILE = "preview.md"
MARKER = re.compile(r"<!-- ecs-tracing preview: [a-z][a-z0-9-]{0,30} -->")
AUTHOR = "github-actions[bot]"  # whom a job's token writes as; people's names have no brackets
LONGEST = 65_536  # characters; GitHub refuses longer comments
MOST_BYTES = 4 * LONGEST  # a character has up to four in UTF-8
PAGE = 100  # the most that GitHub lists at once
TIMEOUT = 30  # seconds for one answer
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # programs' output has some, for terminals


class NothingToPostError(Exception):
    """There is no comment to post, which is no fault. The message says why."""


class CommentError(Exception):
    """The comment can't be posted. The message says why."""


class GitHub:
    """The REST API of one repository."""

    def __init__(self, url: str, repository: str, token: str) -> None:
        self._root = f"{url}/repos/{repository}"
        self._token = token

    def get(self, path: str, **query: str | int) -> Any:
        """Return what is there."""
        return self._json("GET", f"{path}?{urlencode(query)}" if query else path)

    def listed(self, path: str) -> Iterator[Any]:
        """Yield all elements of a list, page by page."""
        page, found = 0, PAGE
        while found == PAGE:
            page += 1
            elements = self.get(path, per_page=PAGE, page=page)
            found = len(elements)
            yield from elements

    def send(self, method: str, path: str, document: Mapping[str, str]) -> Any:
        """Return the answer to a document."""
        return self._json(method, path, json.dumps(document).encode())

    def download(self, path: str, most: int) -> bytes:
        """Return a file, cut off after `most` bytes."""
        return self._answer("GET", path, None, most)

    def _json(self, method: str, path: str, data: bytes | None = None) -> Any:
        answer = self._answer(method, path, data, None)
        try:
            return json.loads(answer)
        except ValueError as error:
            raise CommentError(f"{method} {self._root}{path} was answered with something that is not JSON.") from error

    def _answer(self, method: str, path: str, data: bytes | None, most: int | None) -> bytes:
        request = Request(f"{self._root}{path}", data=data, method=method)  # noqa: S310 - GITHUB_API_URL is the runner's
        request.add_header("Accept", "application/vnd.github+json")
        request.add_header("Content-Type", "application/json")
        request.add_header("X-GitHub-Api-Version", "2022-11-28")
        # Files are kept elsewhere: what GitHub redirects to must not get the token, and refuses a request with one.
        request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        try:
            with urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310 - likewise
                return bytes(answer.read(most))
        except HTTPError as error:
            with error:
                told = _message(error.read())
            raise CommentError(f"{method} {self._root}{path} was answered with {error.code}: {told}") from error
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise CommentError(f"{method} {self._root}{path} got no answer: {reason}.") from error


def post(github: GitHub, event: Mapping[str, Any]) -> str:
    """Post the comment of the run that has ended; returns what was done."""
    run = event["workflow_run"]
    if run["conclusion"] == "cancelled":
        raise NothingToPostError("The preview was cancelled, as it is when a newer commit comes.")
    text = _text(github, run)
    number = _pull_request(github, run, base=event["repository"]["default_branch"])
    marker, _, rest = text.partition("\n")
    body = f"{marker}\n<sub>Made by the code of {run['head_sha']} in [this run]({run['html_url']}).</sub>\n\n{rest}"
    if len(body) > LONGEST:
        raise CommentError(f"The comment has {len(body):,} characters, and GitHub takes {LONGEST:,}.")
    document = {"body": body}
    for comment in github.listed(f"/issues/{number}/comments"):
        if _is_ours(comment, marker):
            github.send("PATCH", f"/issues/comments/{comment['id']}", document)
            return f"The comment on #{number} is up to date."
    github.send("POST", f"/issues/{number}/comments", document)
    return f"#{number} has its comment."


def _text(github: GitHub, run: Mapping[str, Any]) -> str:
    """The artifact's text, checked: it comes from anybody."""
    found = github.get(f"/actions/runs/{run['id']}/artifacts", name=ARTIFACT, per_page=PAGE)["artifacts"]
    kept = [artifact for artifact in found if not artifact["expired"]]
    if not kept:
        raise NothingToPostError(f"The preview ({run['conclusion']}) left no comment. Its log: {run['html_url']}")
    newest = max(kept, key=lambda artifact: int(artifact["id"]))  # of several attempts
    text = _unpacked(github.download(f"/actions/artifacts/{newest['id']}/zip", MOST_BYTES))
    if len(text) > LONGEST:
        raise _refused(f"it has more than {LONGEST:,} characters")
    if not MARKER.fullmatch(text.partition("\n")[0]):
        raise _refused("it does not begin with the marker of a preview")
    return text


def _unpacked(archive: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as packed, packed.open(FILE) as file:
            return UNPRINTABLE.sub("", file.read(MOST_BYTES + 1).decode())
    except KeyError as error:
        raise _refused(f"there is no {FILE} in it") from error
    except UnicodeDecodeError as error:
        raise _refused("it is not text in UTF-8, or too long") from error
    except Exception as error:  # an archive that is made to harm gets nearly any error out of zipfile
        raise _refused(f"it can't be unpacked ({error})") from error


def _refused(reason: str) -> CommentError:
    return CommentError(f"What the preview left as {ARTIFACT} is not posted: {reason}.")


def _pull_request(github: GitHub, run: Mapping[str, Any], base: str) -> int:
    """The number of the pull request from the run's branch; the event names none where it comes from a fork."""
    source = run["head_repository"]
    if source is None:
        raise NothingToPostError("The repository that the pull request came from is gone.")
    branch = f"{source['owner']['login']}:{run['head_branch']}"
    for pull in github.get("/pulls", state="open", base=base, head=branch, per_page=PAGE):
        head = pull["head"]
        if not head["repo"] or head["repo"]["id"] != source["id"]:
            continue  # of another fork of the same owner
        if head["sha"] != run["head_sha"]:
            raise NothingToPostError(f"#{pull['number']} has newer commits than {run['head_sha']}.")
        return int(pull["number"])
    raise NothingToPostError(f"There is no open pull request from {branch} to {base}.")


def _is_ours(comment: Mapping[str, Any], marker: str) -> bool:
    author = comment["user"] or {}  # None: the account is deleted
    return author.get("login") == AUTHOR and comment["body"].partition("\n")[0].strip() == marker


def _message(answer: bytes) -> str:
    """GitHub's own words; of anything else, the beginning."""
    try:
        return str(json.loads(answer)["message"])
    except (ValueError, KeyError, TypeError):
        return answer[:200].decode(errors="replace")


def main() -> int:
    """Return the exit code."""
    github = GitHub(os.environ["GITHUB_API_URL"], os.environ["GITHUB_REPOSITORY"], os.environ["GITHUB_TOKEN"])
    event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
    try:
        print(post(github, event))
    except NothingToPostError as reason:
        print(f"::notice::{_one_line(reason)}")
    except CommentError as error:
        print(f"::error::{_one_line(error)}")
        return 1
    return 0


def _one_line(message: Exception) -> str:
    """Escape as GitHub wants it: a second line could be a command of its own."""
    return str(message).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


if __name__ == "__main__":
    sys.exit(main())
