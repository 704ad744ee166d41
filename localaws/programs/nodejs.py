"""The demo's Node.js backend (Express). Source: aws-containers/ecsdemo-nodejs, reference.md section 6."""

import html
import json
import os
import time
from datetime import UTC, datetime

from localaws.programs import demo
from localaws.programs.web import Answer, Application, Request

_CODE_HASH = "fe183d7"
_JSON = "application/json; charset=utf-8"


def application(place: demo.Place) -> Application:
    """Return the application."""
    began = time.monotonic()
    # The original reads its hash from a file and keeps the newline at its end.
    commit = f"{place.code_hash}\n"
    hello = _text(f"Node.js backend: Hello! from {place.zone_text} commit {commit}")
    api = _json({"from": "Node.js backend", "message": place.zone_text, "commit": commit})
    pages = {"": hello, "/nodejs": hello, "/nodejs/api": api}

    def route(request: Request) -> Answer:
        # Express minds neither case nor a slash at the end.
        path = request.path.lower().rstrip("/")
        if f"{path}/".startswith("/health/"):
            return _json({"uptime": round(time.monotonic() - began, 3)})
        if path in pages and request.method in ("GET", "HEAD"):
            return pages[path]
        return _cannot(request)

    def answer(request: Request) -> Answer:
        found = route(request)
        demo.say(_combined(request, found))
        return found

    return answer


def _text(text: str) -> Answer:
    return Answer(content_type="text/plain; charset=utf-8", body=text.encode())


def _json(document: object) -> Answer:
    return Answer(content_type=_JSON, body=json.dumps(document, separators=(",", ":")).encode())


def _cannot(request: Request) -> Answer:
    said = html.escape(f"Cannot {request.method} {request.path}")
    page = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Error</title>\n</head>\n'
        f"<body>\n<pre>{said}</pre>\n</body>\n</html>\n"
    )
    return Answer(status=404, content_type="text/html; charset=utf-8", body=page.encode())


def _combined(request: Request, answer: Answer) -> str:
    """Return the line of an access log in Apache's combined format, as the package morgan writes it."""
    moment = datetime.now(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
    referrer, agent = (request.headers.get(name) or "-" for name in ("Referer", "User-Agent"))
    return (
        f'{request.peer} - - [{moment}] "{request.method} {request.target} {request.version}" '
        f'{answer.status} {len(answer.body)} "{referrer}" "{agent}"'
    )


def main() -> None:
    """Run it."""
    where, place = demo.endpoint(os.environ), demo.place(os.environ, _CODE_HASH)
    demo.say(f"{place.code_hash}\n")
    demo.say(f"The IPADDRESS is: {place.ip}")
    demo.say(f"The message is: {place.zone_text}")
    demo.say(f"The hash is: {place.code_hash}\n")
    demo.run(application(place), where, f"Example app listening on port {where.port}!")


if __name__ == "__main__":
    main()
