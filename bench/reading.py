"""How long it takes to read X-Ray with `traces` and to draw what was read, on a terminal and as a page."""

import io
import json
import shutil
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console, Group, RenderableType

from bench import documents
from bench.embedded import client, embedded
from bench.figures import Figure, LeftOut, Size, in_turns, timed
from traces import as_json, report
from traces.calling import Caller
from traces.fetch import XRay
from traces.ranges import Range
from traces.report import Review
from traces.terminal import latency, listing, service_map, waterfall

_T = TypeVar("_T")

_MINUTES = 30
_WIDTH = 120  # characters
_WATERFALLS = 20
_LISTED = 20  # traces, as the command shows unless told otherwise
_ONE_BY_ONE = "the same calls by boto3, one after the other"
_DUMPED = "json.dumps of the same data"
_CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_CHROMIUM_ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
_PATIENCE_MS = 60_000


def measure(size: Size, folder: Path) -> Iterator[Figure | LeftOut]:
    """Put traces into X-Ray, then read and draw them, again and again."""
    with embedded(folder) as instance:
        xray = client(instance, "xray")
        end = int(time.time()) - 1
        asked = Range(end - _MINUTES * 60, end)
        made = documents.traces(size.traces, *asked)
        for batch in documents.batches([document for trace in made for document in trace], 50):
            xray.put_trace_segments(TraceSegmentDocuments=list(batch))
        review = yield from _read(size, xray, asked)
    yield from _drawn(size, review, asked)
    yield _written(size, review, folder)
    yield from _opened(size, review, folder)


def _read(size: Size, client: Any, asked: Range) -> Generator[Figure, None, Review]:
    """Yield how long each kind of read takes; return all that was read."""
    recorder = _Recorder(client)
    xray = XRay(Caller(recorder))
    shown, figure = _beside_boto3(size, "the service map", recorder, lambda: xray.service_map(asked))
    yield figure
    listed, figure = _beside_boto3(size, "the list", recorder, lambda: xray.summaries(asked, most=size.traces))
    yield figure
    wanted = [summary.id for summary in listed.value[: size.details]]
    detailed, figure = _beside_boto3(size, f"{len(wanted)} in detail", recorder, lambda: xray.traces(wanted))
    yield figure
    details = {trace.id: trace for trace in detailed.value}
    return Review(title="bench", map=shown.value, traces=listed.value, details=details)


def _beside_boto3(size: Size, what: str, recorder: "_Recorder", read: Callable[[], _T]) -> tuple[_T, Figure]:
    """Return what was read, and how long that takes beside the calls that it makes."""
    kept: list[_T] = []

    def once() -> None:
        recorder.calls.clear()
        kept[:] = [read()]

    found = in_turns(size, {"traces": timed(once), "boto3": timed(recorder.replay)})
    figure = Figure(
        what=f"reading {size.traces} traces: {what}",
        unit="s",
        values=found["traces"],
        baselines={_ONE_BY_ONE: found["boto3"]},
        note=f"{len(recorder.calls)} windows or batches",
    )
    return kept[0], figure


class _Recorder:
    """A client that notes the first call of each chain of pages."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)

        def call(**given: Any) -> Any:
            if "NextToken" not in given:
                self.calls.append((name, given))
            return method(**given)

        return call

    def replay(self) -> None:
        """Make the same calls again, one after the other."""
        for name, given in self.calls:
            method = getattr(self._client, name)
            page = method(**given)
            while token := page.get("NextToken"):
                page = method(**given, NextToken=token)


def _drawn(size: Size, review: Review, asked: Range) -> Iterator[Figure]:
    """Yield how long the terminal's views take."""
    shown, listed, traces = review.map, review.traces, list(review.details.values())[:_WATERFALLS]
    now = time.time()
    views: Mapping[str, tuple[Callable[[], RenderableType], object]] = {
        "the map": (lambda: service_map.service_map(shown, _WIDTH), as_json.service_map(shown)),
        "the latencies": (lambda: latency.of_all(shown, _WIDTH), as_json.service_map(shown)),
        f"the list of {len(listed)} traces": (
            lambda: listing.listing(listed, asked, limit=_LISTED, now=now, width=_WIDTH),
            as_json.listing(listed, len(listed)),
        ),
        f"{len(traces)} waterfalls": (
            lambda: Group(*(waterfall.waterfall(trace, _WIDTH) for trace in traces)),
            [as_json.trace(trace) for trace in traces],
        ),
    }
    for what, (view, document) in views.items():
        yield _beside_dumps(size, f"drawing on a terminal: {what}", partial(_print, view), document)


def _print(view: Callable[[], RenderableType]) -> None:
    Console(file=io.StringIO(), width=_WIDTH, force_terminal=True).print(view())


def _written(size: Size, review: Review, folder: Path) -> Figure:
    page = folder / "review.html"
    return _beside_dumps(size, "writing the page", lambda: report.write(page, review), _whole(review))


def _beside_dumps(size: Size, what: str, draw: Callable[[], object], document: object) -> Figure:
    jobs = {"draw": timed(draw), "dumps": timed(lambda: json.dumps(document))}
    found = in_turns(size, jobs)
    return Figure(what=what, unit="s", values=found["draw"], baselines={_DUMPED: found["dumps"]})


def _whole(review: Review) -> dict[str, Any]:
    """Return all that the page holds, as the commands' documents have it."""
    return {
        "map": as_json.service_map(review.map),
        **as_json.listing(review.traces, len(review.traces)),
        "details": [as_json.trace(trace) for trace in review.details.values()],
    }


def _opened(size: Size, review: Review, folder: Path) -> Iterator[Figure | LeftOut]:
    """Yield how long Chromium needs until the page is drawn, beside a page that only parses the same data."""
    what = "opening the page in Chromium"
    plain = folder / "plain.html"
    data = json.dumps(_whole(review)).replace("<", "\\u003c")
    script = "JSON.parse(data.textContent); document.documentElement.dataset.ready = ''"
    plain.write_text(
        f'<!doctype html><script id="data" type="application/json">{data}</script><script>{script}</script>',
        encoding="utf-8",
    )
    report.write(folder / "review.html", review)
    with _chromium() as browser:
        if isinstance(browser, str):
            yield LeftOut(what=what, why=browser)
            return

        def opened(path: Path) -> Callable[[], object]:
            return lambda: _open(browser, path)

        jobs = {name: timed(opened(path)) for name, path in {"page": folder / "review.html", "plain": plain}.items()}
        found = in_turns(size, jobs)
    yield Figure(
        what=what,
        unit="s",
        values=found["page"],
        baselines={"a page that only parses the same data": found["plain"]},
        note="a new tab each time",
    )


@contextmanager
def _chromium() -> Iterator[Any]:
    """Start a Chromium; where that can't be, why."""
    program = next(filter(None, map(shutil.which, _CHROMIUMS)), None)
    if program is None:
        yield "there is no Chromium on PATH"
        return
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - of the tests' packages, which may be missing
    except ImportError:
        yield "Playwright is missing: make setup-dev"
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_CHROMIUM_ARGUMENTS))
        yield browser
        browser.close()


def _open(browser: Any, path: Path) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(_PATIENCE_MS)
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready]")
    context.close()
