"""A real Chromium that opens pages of reviews, and fails a test whose page complains or asks for anything."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright

from traces import report

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_PATIENCE_MS = 20_000

Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium of this machine. One for a module: Playwright's event loop must be gone when other modules run."""
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if program is None:
        told = "Chromium is not on PATH: apt-get install chromium"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(told)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=list(_ARGUMENTS))
        yield running
        running.close()


@pytest.fixture
def visit(browser: Browser, tmp_path: Path) -> Iterator[Visit]:
    """Open a review: ``visit(review, "#trace=…", color_scheme="dark")``; what its page complains of fails the test."""
    complaints: list[str] = []
    asked: list[str] = []
    path = tmp_path / "review.html"

    def opened(review: report.Review, hash_: str = "", **options: object) -> Page:
        report.write(path, review)
        settings = {"viewport": {"width": 1400, "height": 1000}, "timezone_id": "Europe/Berlin", **options}
        page = browser.new_context(**settings).new_page()  # type: ignore[arg-type]
        page.set_default_timeout(_PATIENCE_MS)
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: asked.append(_address(request)))
        page.goto(f"{path.as_uri()}{hash_}")
        page.wait_for_selector("html[data-ready]")
        return page

    yield opened
    for context in browser.contexts:
        context.close()
    assert [] == complaints
    assert {path.as_uri()} >= set(asked)


def _address(request: Request) -> str:
    return request.url.partition("#")[0]
