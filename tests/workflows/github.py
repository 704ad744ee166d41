"""GitHub, as far as the comment's poster speaks to it: a real server on loopback that answers as the REST API does."""

import io
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask, Response, abort, jsonify, make_response, redirect, request
from werkzeug.serving import make_server
from werkzeug.wrappers import Response as AnyResponse

REPOSITORY = "shop/fleet"
TOKEN = "a-token-of-the-job"
BOT = {"login": "github-actions[bot]", "type": "Bot"}
ROOT = f"/repos/{REPOSITORY}"


def archive(text: bytes | str, name: str = "preview.md") -> bytes:
    """An artifact as GitHub hands it out: one file in a zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as writing:
        writing.writestr(name, text)
    return packed.getvalue()


class GitHub:
    """What the repository holds, and what was written to it."""

    def __init__(self) -> None:
        self.url = ""
        self.pulls: list[dict[str, Any]] = []
        self.comments: list[dict[str, Any]] = []
        self.artifacts: dict[int, bytes] = {}
        self.expired: set[int] = set()
        self.refusals: dict[str, tuple[int, bytes]] = {}  # method -> what it is answered with instead
        self.writes: list[str] = []  # "PATCH /issues/comments/7"
        self._app = Flask("github")
        self._app.before_request(self._admitted)
        for rule, method, answer in (
            (f"{ROOT}/actions/runs/5/artifacts", "GET", self._artifacts),
            (f"{ROOT}/actions/artifacts/<int:number>/zip", "GET", self._elsewhere),
            ("/storage/<int:number>", "GET", self._stored),
            (f"{ROOT}/pulls", "GET", self._pulls),
            (f"{ROOT}/issues/<int:issue>/comments", "GET", self._listed),
            (f"{ROOT}/issues/<int:issue>/comments", "POST", self._created),
            (f"{ROOT}/issues/comments/<int:number>", "PATCH", self._changed),
        ):
            self._app.add_url_rule(rule, view_func=answer, methods=[method])

    @contextmanager
    def serving(self) -> Iterator["GitHub"]:
        """Answer on a port of its own."""
        server = make_server("127.0.0.1", 0, self._app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def comment(self, body: str, user: dict[str, str] | None = None, issue: int = 7) -> int:
        """Somebody comments on a pull request; returns the comment's number."""
        number = 1000 + len(self.comments)
        self.comments.append({"id": number, "body": body, "user": user or BOT, "issue": issue})
        return number

    def body(self, comment: int) -> str:
        """What a comment says now."""
        (found,) = [each["body"] for each in self.comments if each["id"] == comment]
        return str(found)

    def _admitted(self) -> Response | None:
        if request.path.startswith("/storage/"):
            return None
        if request.method in self.refusals:
            status, answer = self.refusals[request.method]
            return Response(answer, status)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return make_response(jsonify(message="Bad credentials"), 401)
        if request.method != "GET":
            self.writes.append(f"{request.method} {request.path.removeprefix(ROOT)}")
        return None

    def _artifacts(self) -> Response:
        listed = [{"id": number, "expired": number in self.expired} for number in self.artifacts]
        return jsonify(artifacts=listed if request.args["name"] == "preview-comment" else [])

    def _elsewhere(self, number: int) -> AnyResponse:
        return redirect(f"/storage/{number}")

    def _stored(self, number: int) -> Response:
        """The storage behind, in truth another host's: it refuses a request with somebody else's token."""
        if "Authorization" in request.headers:
            abort(401)
        return Response(self.artifacts[number])

    def _pulls(self) -> Response:
        asked = (request.args["state"], request.args["base"], request.args["head"])

        def about(pull: dict[str, Any]) -> tuple[str, str, str]:
            return pull["state"], pull["base"]["ref"], f"{pull['head']['user']['login']}:{pull['head']['ref']}"

        return jsonify([pull for pull in self.pulls if about(pull) == asked])

    def _listed(self, issue: int) -> Response:
        found = [each for each in self.comments if each["issue"] == issue]
        size, page = int(request.args.get("per_page", "30")), int(request.args.get("page", "1"))
        return jsonify(found[(page - 1) * size : page * size])

    def _created(self, issue: int) -> Response:
        return make_response(jsonify(id=self.comment(request.json["body"], issue=issue)), 201)

    def _changed(self, number: int) -> Response:
        (comment,) = [each for each in self.comments if each["id"] == number]
        comment["body"] = request.json["body"]
        return jsonify(comment)
