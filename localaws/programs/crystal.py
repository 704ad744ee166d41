"""The demo's Crystal backend. Source: aws-containers/ecsdemo-crystal, reference.md section 6.

The original would compress answers for clients that ask for it; this one never does.
"""

import json
import os
import time

from localaws.programs import demo
from localaws.programs.web import Answer, Application, Request

_CODE_HASH = "ed106ce"


def application(place: demo.Place) -> Application:
    """Return the application; it minds paths alone, never methods."""
    hello = f"Crystal backend: Hello! from {place.zone_text} commit {place.code_hash}\n"
    document = {"from": "Crystal backend", "message": place.zone_text, "commit": place.code_hash}
    texts = Answer(content_type="text/plain", body=hello.encode())
    api = Answer(content_type="application/json", body=json.dumps(document).encode())
    answers = {
        "/crystal": texts,
        "/crystal/": texts,
        "/crystal/api": api,
        "/crystal/api/": api,
        "/health": Answer(content_type="text/plain", body=b"Healthy!"),
    }
    nothing = Answer(status=404, content_type="text/plain", body=b"Not Found\n")

    def answer(request: Request) -> Answer:
        began = time.perf_counter()
        found = answers.get(request.path, nothing)
        taken = 1e6 * (time.perf_counter() - began)
        demo.say(f"{request.method} {request.target} - {found.status} ({taken:.2f}µs)")
        return found

    return answer


def main() -> None:
    """Run it."""
    where = demo.endpoint(os.environ)
    demo.run(application(demo.place(os.environ, _CODE_HASH)), where, f"Listening on http://0.0.0.0:{where.port}")


if __name__ == "__main__":
    main()
