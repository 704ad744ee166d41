"""A run as a tree of spans: run, stack, step, resource. Pure: made of the rows and of what was timed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from automation.run import Row
from automation.timings import Timed
from traces.model import RUN


@dataclass(frozen=True, kw_only=True)
class Span:
    """Something that took its time; seconds since the epoch."""

    name: str
    began: float
    ended: float
    about: Mapping[str, str | int | bool] = field(default_factory=dict)
    problem: str = ""  # "": it went well
    below: Sequence["Span"] = ()

    def levels(self) -> Iterator[tuple["Span | None", "Span"]]:
        """Each span with the one it is part of: the run, all stacks, all steps, all resources."""
        ahead: list[tuple[Span | None, Span]] = [(None, self)]
        while ahead:
            yield from ahead
            ahead = [(above, span) for _, above in ahead for span in above.below]


@dataclass(frozen=True, kw_only=True)
class Run:
    """What is told of a run."""

    about: Mapping[str, str | int | bool]
    problem: str
    began: float
    ended: float
    rows: Sequence[Row]  # of a stack as many as there were flips of it
    rolled_back: Sequence[Row] = ()
    timeline: Sequence[Timed] = ()
    doing: str = "deploy"  # what the engine does with a stack
    wall: float  # what makes a monotonic time of the rows one since the epoch


def of(run: Run) -> Span:
    """The run's span with all below it. Stacks that nothing was done with have none."""
    stacks = [_stack(run, service) for service in dict.fromkeys(row.step.service for row in run.rows)]
    whole = [_span(timed) for timed in run.timeline if not timed.service]
    below = [span for span in stacks if span] + whole
    return Span(
        name=RUN, began=run.began, ended=run.ended, about=run.about, problem=run.problem, below=_in_order(below)
    )


def _stack(run: Run, service: str) -> Span | None:
    """All that was done with one stack, in whatever many steps."""
    rows = [row for row in run.rows if row.step.service == service]
    back = [row for row in run.rolled_back if row.step.service == service]
    done = [_engine(run.doing, row, run) for row in rows] + [_engine("rollback", row, run) for row in back]
    steps = [_span(timed) for timed in run.timeline if timed.service == service] + [span for span in done if span]
    if not steps:
        return None
    last = rows[-1]
    return Span(
        name=last.step.stack,
        began=min(step.began for step in steps),
        ended=max(step.ended for step in steps),
        about={"service": service, "state": last.state.value},
        problem="" if last.state.is_good else last.reason or last.state.value,
        below=_in_order(steps),
    )


def _engine(name: str, row: Row, run: Run) -> Span | None:
    """A step that the engine did, from its turn to its end."""
    if row.started is None:
        return None
    ended = run.ended if row.ended is None else row.ended + run.wall
    resources = [
        Span(
            name=f"{worked.op} {worked.type} {worked.name}",
            began=worked.began,
            ended=ended if worked.ended is None else worked.ended,
            problem="failed" if worked.failed or worked.ended is None else "",
        )
        for worked in row.progress.timings.worked()
    ]
    problem = "" if row.state.is_good else row.reason
    began = min([row.started + run.wall, *(span.began for span in resources)])
    return Span(name=name, began=began, ended=max(began, ended), problem=problem, below=resources)


def _span(timed: Timed) -> Span:
    return Span(name=timed.name, began=timed.began, ended=timed.ended)


def _in_order(spans: Sequence[Span]) -> list[Span]:
    return sorted(spans, key=lambda span: span.began)
