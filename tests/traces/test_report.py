"""The file of a review: whole or not at all, the same for the same review, nothing of the data outside its blocks."""

import base64
import gzip
import hashlib
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.traces.demo import FRONTEND, GATEWAY, PAGE, START, Demo
from traces import report
from traces.model import CLIENT, Key, Segment, Trace
from traces.page import link
from traces.page.timings import timings

VENDOR = Path(report.__file__).parent / "page" / "vendor"


def blocks(page: str) -> dict[str, str]:
    """The data of a page by the blocks' names, unpacked."""
    found = re.findall(r'<script type="application/gzip" id="([\w-]+)">([\w+/=]+)</script>', page)
    return {name: gzip.decompress(base64.b64decode(packed)).decode() for name, packed in found}


def test_the_size_is_told_and_is_the_files(tmp_path: Path) -> None:
    """`write` returns how many bytes it wrote."""
    path = tmp_path / "review.html"
    size = report.write(path, Demo().review(5))
    assert path.stat().st_size == size


def test_the_same_review_gives_the_same_bytes() -> None:
    """Two pages of one review can be compared byte by byte."""
    assert report.page(Demo().review(5)) == report.page(Demo().review(5))


def test_a_page_that_can_t_be_written_leaves_the_old_one_and_no_scraps(tmp_path: Path) -> None:
    """A folder in the page's place is an OSError; what lay there still does, and nothing else."""
    path = tmp_path / "review.html"
    path.mkdir()
    with pytest.raises(OSError, match=r"review\.html"):
        report.write(path, Demo().review(1))
    assert [path] == list(tmp_path.iterdir())


def test_ten_thousand_traces_are_a_few_megabytes() -> None:
    """A trace with its three segments and their documents takes less than 400 bytes of the page."""
    demo = Demo(chains=(PAGE,))
    least, page = len(report.page(demo.review(0))), len(report.page(demo.review(1000)))
    assert (page - least) / 1000 < 400


def test_nothing_of_the_data_stands_in_the_page_as_it_is() -> None:
    """Names, URLs and notes are in packed blocks; the title is the one exception, and there it is text."""
    review = Demo(title="<script>alert(1)</script>").review(3, notes=["</script><img src=x onerror=alert(1)>"])
    page = report.page(review)
    assert "alert(1)</script>" not in page.replace("&lt;script&gt;alert(1)&lt;/script&gt;", "")
    assert "onerror" not in page
    assert "ecs-mesh/frontend" not in page


@pytest.mark.parametrize("title", ["half \ud800 character", "$style $$ ${data}"])
def test_any_title_can_be_written(tmp_path: Path, title: str) -> None:
    """Half characters become a mark, and signs of the template stay what they are."""
    path = tmp_path / "review.html"
    report.write(path, Demo(title=title).review(1))
    assert f"<title>{title.replace(chr(0xD800), '?')} \N{EN DASH} traces</title>" in path.read_text(encoding="utf-8")


def test_annotations_that_json_has_no_word_for_are_told_in_words() -> None:
    """An infinite number does not keep the page from being read."""
    review = Demo().review(1)
    summary = replace(review.traces[0], annotations={"ratio": (math.inf,)})
    index = json.loads(blocks(report.page(replace(review, traces=[summary])))["index"], parse_constant=pytest.fail)
    assert [["inf"]] == [values for _, *values in index["sets"][0]["traces"]["annotations"][0]]


def test_segments_come_in_chunks_in_the_order_of_the_list() -> None:
    """Opening one trace of many unpacks its neighbours only; a trace without details leaves a gap."""
    review = Demo().review(201)
    first, last = review.traces[0].id, review.traces[-1].id
    got = blocks(report.page(replace(review, details={last: review.details[last]})))
    assert [None] * 200 == json.loads(got["segments-0-0"])["traces"]
    [[_, _, rows]] = json.loads(got["segments-0-1"])["traces"]
    assert [segment.id for _, segment in review.details[last].walk()] == [row[1] for row in rows]
    assert first != last


def test_scripts_may_run_only_as_they_are_in_the_page() -> None:
    """The policy names the hashes of the page's two scripts and its style, and allows nothing to be fetched."""
    page = report.page(Demo().review(1))
    policy = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)[0]
    scripts = re.findall(r'<script(?: type="module")?>(.*?)</script>', page, re.DOTALL)
    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(each.encode()).digest()).decode()}'" for each in scripts]
    assert 2 == len(hashes)
    assert f"default-src 'none'; script-src {' '.join(hashes)}; " in policy
    assert "unsafe" not in policy


def test_the_libraries_are_those_the_readme_names() -> None:
    """Every vendored file has the SHA-256 of the README, and its licence is in the page."""
    named = dict(
        re.findall(r"^\| (\S+\.js) \| .+ \| ([0-9a-f]{64}) \|$", (VENDOR / "README.md").read_text(), re.MULTILINE)
    )
    assert named == {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in VENDOR.glob("*.js")}
    assert (VENDOR / "LICENSES.txt").read_text() in report.page(Demo().review(1))


def test_modules_that_import_each_other_in_a_circle_are_named(tmp_path: Path) -> None:
    """The page's modules load in one order; a circle has none."""
    (tmp_path / "one.js").write_text('import { b } from "./two.js";\nexport const a = 1;\n')
    (tmp_path / "two.js").write_text('import { a } from "./one.js";\nexport const b = 1;\n')
    with pytest.raises(ValueError, match="one → two → one"):
        link.script(tmp_path, "one")


def test_an_import_that_would_be_left_in_the_page_is_an_error(tmp_path: Path) -> None:
    """Words the linking does not know are named, not shipped."""
    (tmp_path / "one.js").write_text('import thing from "./two.js";\n')
    with pytest.raises(ValueError, match="import thing"):
        link.script(tmp_path, "one")


def segment(key: Key, start: float, end: float | None, *children: Segment) -> Segment:
    return Segment(id="", parent="", name=key.name, type=key.type, start=start, end=end, state="ok", children=children)


CLIENT_OF_GATEWAY = (Key(GATEWAY.name, CLIENT), GATEWAY)


def times_of(root: Segment, *known: Key | tuple[Key, Key]) -> dict[Key | tuple[Key, Key], list[float]]:
    trace = Trace(id="", start=START, duration=0, roots=(root,))
    return {item: [round(seconds, 6) for seconds in found] for item, found in timings(trace, known).items()}


def test_a_call_takes_as_long_as_its_caller_saw_a_node_as_it_saw_itself() -> None:
    """The caller's segment has the network in it; a client waits as long as the first service."""
    root = segment(GATEWAY, 0, 0.5, segment(FRONTEND, 0.1, 0.4))
    call = (GATEWAY, FRONTEND)
    expected = {GATEWAY: [0.5], CLIENT_OF_GATEWAY: [0.5], FRONTEND: [0.3], call: [0.5]}
    assert expected == times_of(root, GATEWAY, FRONTEND, call, CLIENT_OF_GATEWAY)


def test_a_subsegment_is_its_services_and_times_what_it_calls() -> None:
    """Between a service and the next lies the subsegment that waited: the call is as long as that."""
    waiting = segment(Key("GET /", "remote"), 0.1, 0.3, segment(FRONTEND, 0.15, 0.25))
    call = (GATEWAY, FRONTEND)
    expected = {GATEWAY: [0.5], FRONTEND: [0.1], call: [0.2]}
    assert expected == times_of(segment(GATEWAY, 0, 0.5, waiting), GATEWAY, FRONTEND, call)


def test_calls_that_the_map_does_not_have_are_not_measured() -> None:
    """Two segments of one service, one below the other, are no call where the map draws none."""
    assert {GATEWAY: [0.5, 0.4]} == times_of(segment(GATEWAY, 0, 0.5, segment(GATEWAY, 0, 0.4)), GATEWAY)


def test_a_segment_in_progress_counts_as_no_time() -> None:
    """Nobody knows how long it takes; it is still a trace of its service."""
    assert {GATEWAY: [0.0]} == times_of(segment(GATEWAY, 0, None), GATEWAY)
