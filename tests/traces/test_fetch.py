"""X-Ray is read in full where it can be, and what cannot be read is told."""

import random
import socket
import threading
from collections.abc import Callable

import boto3
import pytest

from tests.traces import fake_xray
from tests.traces.fake_xray import GRAPH, SUMMARIES, TRACES, Answer, Body, Call, FakeXRay, client_of, reader, refusal
from traces import fetch
from traces.calling import WORKERS, Caller, connect
from traces.errors import RequestError, ReviewError
from traces.fetch import XRay
from traces.model import CLIENT, RUN, Key
from traces.ranges import Range

NOON = 1_774_958_400  # 2026-03-31 12:00:00 UTC
HOUR = 3600
PROXY = "AWS::AppMesh::Proxy"


def calls_over(seconds: int, many: int, seed: int = 1) -> list[Call]:
    """Calls at random times from `NOON` on, no two alike."""
    dice = random.Random(seed)  # noqa: S311 - the same calls each time
    ways = [("", "gateway"), ("gateway", "gateway"), ("gateway", "frontend"), ("frontend", "nodejs"), ("", "frontend")]
    return [
        Call(at, *dice.choice(ways), dice.randrange(1, 300), dice.choice([200] * 6 + [404, 429, 500]))
        for at in sorted(dice.sample(range(NOON, NOON + seconds), many))
    ]


def first(many: int, answer: Answer, path: str) -> Callable[[str, Body], Answer | None]:
    """So many times that answer on that path, then the right one."""
    left = [answer] * many
    return lambda at, _body: left.pop() if at == path and left else None


# The service map.


def test_a_long_range_is_split_into_what_a_call_may_ask_for(fake: FakeXRay) -> None:
    """GetServiceGraph answers for six hours at most; the windows cover the range without gap or overlap."""
    reader(fake).service_map(Range(NOON + 7, NOON + 25 * HOUR))
    asked = sorted((body["StartTime"], body["EndTime"]) for body in fake.asked_for(GRAPH))
    assert (NOON + 7, NOON + 25 * HOUR) == (asked[0][0], asked[-1][1])
    assert [end for _, end in asked[:-1]] == [start for start, _ in asked[1:]]
    assert all(end - start <= 6 * HOUR for start, end in asked)


@pytest.mark.parametrize("seed", range(5))
def test_a_map_read_in_windows_is_the_map_read_at_once(
    fake: FakeXRay, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts, response times and histograms add up, whatever a window lacks."""
    fake.calls = calls_over(20 * HOUR, 60, seed)
    asked = Range(NOON, NOON + 20 * HOUR)
    split = reader(fake).service_map(asked).value
    monkeypatch.setattr(fetch, "GRAPH_WINDOW_SECONDS", 20 * HOUR)
    whole = reader(fake).service_map(asked).value
    assert len(fake.asked_for(GRAPH)) > 4
    assert whole.nodes.keys() == split.nodes.keys()
    for key, node in whole.nodes.items():
        other = split.nodes[key]
        assert (node.durations, node.root) == (other.durations, other.root)
        assert rounded(node.statistics) == rounded(other.statistics)
    assert whole.edges.keys() == split.edges.keys()
    for ends, edge in whole.edges.items():
        assert edge.responses == split.edges[ends].responses
        assert rounded(edge.statistics) == rounded(split.edges[ends].statistics)


def rounded(statistics: object) -> object:
    """Sums of floats differ in their last digit by the order of the terms."""
    return statistics and {name: round(value, 6) for name, value in vars(statistics).items()}


def test_the_throttled_are_not_counted_among_the_errors_again(fake: FakeXRay) -> None:
    """X-Ray's error total holds the throttled; the four counts of the map add up to the total."""
    fake.calls = [Call(NOON, "", "a", 5, 200), Call(NOON + 1, "", "a", 5, 404), Call(NOON + 2, "", "a", 5, 429)]
    statistics = reader(fake).service_map(Range(NOON, NOON + 60)).value.nodes[Key("a", PROXY)].statistics
    assert statistics is not None
    assert (1, 1, 1, 0, 3) == (
        statistics.ok,
        statistics.error,
        statistics.throttle,
        statistics.fault,
        statistics.total,
    )


def test_clients_have_no_statistics(fake: FakeXRay) -> None:
    """Nobody measures a browser; what it waited is on its edge."""
    fake.calls = [Call(NOON, "", "a", 5, 200)]
    shown = reader(fake).service_map(Range(NOON, NOON + 60)).value
    assert shown.nodes[Key("a", CLIENT)].statistics is None
    assert 1 == shown.edges[Key("a", CLIENT), Key("a", PROXY)].statistics.total


def test_edges_may_lead_to_a_service_on_another_page(fake: FakeXRay) -> None:
    """All pages make one answer."""
    fake.calls = calls_over(600, 50)
    whole = reader(fake).service_map(Range(NOON, NOON + 600)).value
    fake.page = 1
    assert whole == reader(fake).service_map(Range(NOON, NOON + 600)).value


def test_an_edge_to_nowhere_is_left_out(fake: FakeXRay) -> None:
    """A reference to a service that the answer lacks does not end the review."""
    services = b'{"Services": [{"ReferenceId": 0, "Name": "a", "Edges": [{"ReferenceId": 7}]}]}'
    fake.trouble = first(1, Answer(200, services), GRAPH)
    shown = reader(fake).service_map(Range(NOON, NOON + 60)).value
    assert ([Key("a", "")], []) == (list(shown.nodes), list(shown.edges))


# What fails for a while, for good, and in part.


@pytest.mark.parametrize("trouble", [fake_xray.THROTTLED, fake_xray.BROKEN, fake_xray.GARBAGE])
def test_what_passes_is_waited_for(fake: FakeXRay, trouble: Answer) -> None:
    """Throttling, a broken server and an answer that is no JSON are tried again."""
    fake.calls = calls_over(600, 20)
    fake.trouble = first(3, trouble, GRAPH)
    fetched = reader(fake).service_map(Range(NOON, NOON + 600))
    assert () == fetched.missing
    assert 4 == len(fake.asked_for(GRAPH))


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (fake_xray.THROTTLED, "X-Ray throttles GetServiceGraph"),
        (fake_xray.BROKEN, "X-Ray fails at GetServiceGraph: 500 InternalFailure"),
        (fake_xray.GARBAGE, "X-Ray's answer to GetServiceGraph cannot be understood"),
    ],
)
def test_what_does_not_pass_is_one_clear_error(fake: FakeXRay, trouble: Answer, told: str) -> None:
    """Patience ends."""
    fake.trouble = first(100, trouble, GRAPH)
    with pytest.raises(ReviewError, match=told):
        reader(fake).service_map(Range(NOON, NOON + 600))


def test_a_window_that_fails_is_told_and_the_others_are_shown(fake: FakeXRay) -> None:
    """Nothing is silently left out of a map."""
    fake.calls = [Call(NOON, "", "early", 5, 200), Call(NOON + 7 * HOUR, "", "late", 5, 200)]
    fake.trouble = lambda _path, body: fake_xray.BROKEN if body["StartTime"] == NOON else None
    fetched = reader(fake).service_map(Range(NOON, NOON + 8 * HOUR))
    assert {"late"} == {key.name for key in fetched.value.nodes}
    assert 1 == len(fetched.missing)
    assert str(Range(NOON, NOON + 6 * HOUR)) in fetched.missing[0]


def test_a_window_that_times_out_is_told(fake: FakeXRay) -> None:
    """A hanging call costs its window and no more."""
    fake.calls = [Call(NOON + 7 * HOUR, "", "late", 5, 200)]
    fake.hangs = lambda _path, body: body["StartTime"] == NOON
    fetched = reader(fake, patience=3).service_map(Range(NOON, NOON + 8 * HOUR))
    assert {"late"} == {key.name for key in fetched.value.nodes}
    assert "Read timeout" in fetched.missing[0]


def test_a_refused_page_token_starts_the_pages_again(fake: FakeXRay) -> None:
    """A token that expired costs time; nothing is counted twice."""
    fake.calls = calls_over(600, 50)
    fake.page = 1
    whole = reader(fake).service_map(Range(NOON, NOON + 600)).value
    refused = first(1, fake_xray.BAD_TOKEN, GRAPH)
    fake.trouble = lambda path, body: refused(path, body) if body.get("NextToken") == "2" else None
    fetched = reader(fake).service_map(Range(NOON, NOON + 600))
    assert (whole, ()) == (fetched.value, fetched.missing)


@pytest.mark.parametrize("path", [GRAPH, SUMMARIES])
def test_a_page_that_names_itself_the_next_is_no_endless_loop(fake: FakeXRay, path: str) -> None:
    """A server that repeats its token is told, not followed for ever."""
    fake.trouble = lambda _path, _body: Answer(200, b'{"Services": [], "TraceSummaries": [], "NextToken": "x"}')
    xray = reader(fake)
    read = xray.service_map if path == GRAPH else xray.summaries
    with pytest.raises(ReviewError, match="page token"):
        read(Range(NOON, NOON + 60))


def test_a_denied_call_names_action_and_policy_and_is_not_repeated(fake: FakeXRay) -> None:
    """The reader learns what to ask the account's administrator for; no further window is tried."""
    fake.trouble = lambda _path, _body: fake_xray.DENIED
    with pytest.raises(ReviewError, match=r"xray:GetServiceGraph.*user/eve.*AWSXrayReadOnlyAccess"):
        reader(fake).service_map(Range(NOON, NOON + 25 * 24 * HOUR))
    assert len(fake.asked) <= 2 * WORKERS


def test_credentials_that_aws_does_not_take_are_told_as_such(fake: FakeXRay) -> None:
    """An expired session is no fault of X-Ray's."""
    fake.trouble = lambda _path, _body: refusal(403, "ExpiredTokenException", "The security token is expired")
    with pytest.raises(ReviewError, match="does not accept the credentials: ExpiredTokenException"):
        reader(fake).service_map(Range(NOON, NOON + 60))


def test_no_credentials_at_all_are_told_as_such(fake: FakeXRay, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ordinary chain is asked, and what it lacks is named, with a command that shows it."""
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_ENDPOINT_URL_XRAY", fake.endpoint)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    with pytest.raises(ReviewError, match="No AWS credentials") as caught:
        XRay.of("us-east-1").service_map(Range(NOON, NOON + 60))
    assert "aws sts get-caller-identity" == caught.value.next_command


def test_a_profile_that_does_not_exist_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A typo in AWS_PROFILE is no traceback."""
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    with pytest.raises(ReviewError, match="no-such-profile"):
        connect("us-east-1")


def test_an_endpoint_where_nobody_is_is_told() -> None:
    """Wrong region, no network: the address that was tried is named."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else takes it
        endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ReviewError, match=f"cannot be reached.*{endpoint}"):
            XRay(Caller(client_of(endpoint), waits=())).service_map(Range(NOON, NOON + 60))


# The list of traces.


def test_all_summaries_come_newest_first(fake: FakeXRay) -> None:
    """From all windows and pages, each trace once."""
    fake.calls = calls_over(6 * HOUR, 100)
    fake.page = 3
    fetched = reader(fake).summaries(Range(NOON, NOON + 6 * HOUR))
    assert [call.at for call in reversed(fake.calls)] == [trace.start for trace in fetched.value]
    assert () == fetched.missing


def test_windows_of_summaries_are_a_day_at_most_and_read_side_by_side(fake: FakeXRay) -> None:
    """Long ranges are asked for in parallel, within bounds."""
    together = threading.Barrier(2, timeout=20)
    fake.hangs = lambda _path, _body: together.wait() < 0 if len(fake.asked) <= 2 else False
    reader(fake).summaries(Range(NOON, NOON + 20 * 24 * HOUR))
    assert all(body["EndTime"] - body["StartTime"] <= 24 * HOUR for body in fake.asked_for(SUMMARIES))
    assert 2 <= fake.most_at_once <= WORKERS


def test_of_too_many_traces_the_newest_are_read_and_the_rest_is_told(fake: FakeXRay) -> None:
    """There is a bound, and whoever reads the list learns that it was reached."""
    fake.calls = calls_over(6 * HOUR, 100)
    fake.page = 2
    fetched = reader(fake).summaries(Range(NOON, NOON + 6 * HOUR), most=10)
    assert [call.at for call in reversed(fake.calls)][:10] == [trace.start for trace in fetched.value]
    assert ("only the newest 10 traces were read: ask for less time, or filter",) == fetched.missing


def test_as_many_traces_as_the_bound_are_all(fake: FakeXRay) -> None:
    """Nothing is told as missing when nothing is."""
    fake.calls = calls_over(6 * HOUR, 10)
    assert () == reader(fake).summaries(Range(NOON, NOON + 6 * HOUR), most=10).missing


def test_a_summary_tells_how_the_trace_ended(fake: FakeXRay) -> None:
    """429 is throttled, not just another error."""
    codes = (200, 404, 429, 500)
    fake.calls = [Call(NOON - second, "", "a", second, code) for second, code in enumerate(codes, start=1)]
    traces = reader(fake).summaries(Range(NOON - 60, NOON)).value
    assert ["ok", "error", "throttle", "fault"] == [trace.state for trace in traces]
    assert list(codes) == [trace.status for trace in traces]


def test_a_filter_goes_to_x_ray_as_it_is(fake: FakeXRay) -> None:
    """Its language is X-Ray's business."""
    reader(fake).summaries(Range(NOON, NOON + 60), 'service("a") AND fault')
    assert ['service("a") AND fault'] == [body["FilterExpression"] for body in fake.asked_for(SUMMARIES)]


def test_runs_of_the_automation_are_no_traffic(fake: FakeXRay) -> None:
    """Neither the map counts them nor the list, unless a filter asks for them."""
    fake.calls = [Call(NOON, "", "a", 5, 200), Call(NOON + 1, "", RUN, 60_000, 200)]
    asked = Range(NOON, NOON + 60)
    shown = reader(fake).service_map(asked).value

    assert {key.name for key in shown.nodes} == {"a"}
    assert {source.name for source, _ in shown.edges} == {"a"}
    assert [trace.url for trace in reader(fake).summaries(asked).value] == ["http://a/"]
    assert len(reader(fake).summaries(asked, f'service("{RUN}")').value) == 2  # the fake does not filter


def test_a_filter_that_x_ray_refuses_is_the_users_mistake(fake: FakeXRay) -> None:
    """It is quoted with X-Ray's reason."""
    fake.trouble = lambda _path, _body: refusal(400, "InvalidRequestException", "Invalid character at 3")
    with pytest.raises(RequestError, match="refuses the filter 'a = = b': Invalid character at 3"):
        reader(fake).summaries(Range(NOON, NOON + HOUR), "a = = b")


# Traces in detail.


def document(name: str = "a") -> str:
    return f'{{"id": "{name:0>16}", "name": "{name}", "start_time": 1.0, "end_time": 1.1}}'


def trace_id(number: int) -> str:
    return f"1-58406520-{number:024x}"


def test_any_number_of_traces_is_read_five_a_call(fake: FakeXRay) -> None:
    """In the order asked for, each once."""
    ids = [trace_id(number) for number in range(12)]
    fake.documents = {one: [document()] for one in ids}
    fetched = reader(fake).traces([*ids, ids[0]])
    assert ids == [trace.id for trace in fetched.value]
    assert [2, 5, 5] == sorted(len(body["TraceIds"]) for body in fake.asked_for(TRACES))


def test_traces_come_over_several_pages(fake: FakeXRay) -> None:
    """BatchGetTraces pages, too."""
    ids = [trace_id(number) for number in range(5)]
    fake.documents = {one: [document()] for one in ids}
    fake.page = 2
    assert ids == [trace.id for trace in reader(fake).traces(ids).value]


def test_unprocessed_traces_are_asked_for_again(fake: FakeXRay) -> None:
    """X-Ray leaves some of a batch for later."""
    ids = [trace_id(number) for number in range(3)]
    fake.documents = {one: [document()] for one in ids}
    fake.unprocessed = lambda one: one == ids[1] and len(fake.asked) == 1
    fetched = reader(fake).traces(ids)
    assert (ids, ()) == ([trace.id for trace in fetched.value], fetched.missing)


def test_what_is_missing_of_traces_is_told_by_trace(fake: FakeXRay) -> None:
    """Never processed, unknown, and a document that is no segment."""
    stuck, unknown, broken = (trace_id(number) for number in range(3))
    fake.documents = {stuck: [document()], broken: [document(), "{"]}
    fake.unprocessed = lambda one: one == stuck
    fetched = reader(fake).traces([stuck, unknown, broken])
    assert [broken] == [trace.id for trace in fetched.value]
    assert {
        f"trace {stuck}: X-Ray left it unprocessed, time and again",
        f"trace {unknown}: X-Ray does not have it",
        f"trace {broken}: 1 of its 2 documents cannot be read",
    } == set(fetched.missing)


def test_a_batch_that_fails_is_told_and_the_others_are_shown(fake: FakeXRay) -> None:
    """Five traces are missing, and are named."""
    ids = [trace_id(number) for number in range(7)]
    fake.documents = {one: [document()] for one in ids}
    fake.trouble = lambda _path, body: fake_xray.BROKEN if ids[0] in body["TraceIds"] else None
    fetched = reader(fake).traces(ids)
    assert ids[5:] == [trace.id for trace in fetched.value]
    assert all(one in fetched.missing[0] for one in ids[:5])


def test_progress_is_told_from_none_to_all(fake: FakeXRay) -> None:
    """Whoever waits for a long range sees how far it is."""
    told: list[tuple[str, int, int]] = []
    reader(fake, lambda *step: told.append(step)).service_map(Range(NOON, NOON + 20 * HOUR))
    assert [("service map", done, 4) for done in range(5)] == told
