"""What a person sees, rendered at a fixed time and width."""

import io

from rich.console import Console, RenderableType

from automation import display
from automation.events import Progress
from automation.forecast import Change
from automation.run import Row, State
from automation.steps import Step


def shown(thing: RenderableType, width: int = 100) -> str:
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(thing)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def row(service: str, state: State, **given: object) -> Row:
    return Row(step=Step(service=service, stack=f"local-{service}", needs=()), state=state, **given)  # type: ignore[arg-type]


def test_the_board_shows_state_resources_and_time_of_each_stack() -> None:
    """One row a stack, so that parallel work stays readable."""
    working = row(
        "crystal",
        State.RUNNING,
        started=100.0,
        progress=Progress(planned=12, done=7, current="create ecs.Service crystal"),
    )
    lines = shown(display.board([working, row("frontend", State.WAITING)], now=103.25)).splitlines()
    assert lines[1].split() == ["crystal", "running", "7/12", "3.2", "s", "create", "ecs.Service", "crystal"]
    assert lines[2].split() == ["frontend", "waiting"]


def test_the_board_fits_a_narrow_terminal() -> None:
    """Rows never wrap: the last column gives way."""
    long = row("crystal", State.RUNNING, started=1.0, progress=Progress(current="create " + "x" * 200))
    lines = shown(display.board([long], now=2.0), width=60).splitlines()
    assert [len(line) <= 60 for line in lines] == [True, True]
    assert lines[1].split()[:5] == ["crystal", "running", "0", "1.0", "s"]


def test_a_plan_names_each_resource_and_what_differs() -> None:
    """The flip's three changes, as a reviewer wants to read them."""
    changes = [
        Change(
            op="replace",
            type="aws:ecs/taskDefinition:TaskDefinition",
            name="crystal",
            properties=("containerDefinitions",),
        ),
        Change(op="create", type="aws:iam/rolePolicyAttachment:RolePolicyAttachment", name="crystal-xray"),
    ]
    assert shown(display.plan("Plan", {"crystal": changes, "nodejs": []})).splitlines() == [
        "Plan",
        "  crystal   create 1, replace 1",
        "    +- ecs.TaskDefinition crystal  [containerDefinitions]",
        "     + iam.RolePolicyAttachment crystal-xray",
        "  nodejs    no changes",
    ]


def test_a_long_plan_is_told_by_type() -> None:
    """Ninety lines that all say "new" are one fact, not ninety."""
    changes = [Change(op="create", type="aws:ec2/subnet:Subnet", name=f"s{number}") for number in range(20)]
    assert shown(display.plan("Plan", {"platform": changes})).splitlines()[2] == "     + ec2.Subnet x20"


def test_diagnostics_of_two_failed_stacks_are_never_mixed() -> None:
    """Each stack's errors stand together under its name."""
    rows = [
        row("crystal", State.FAILED, progress=Progress(errors=["c1", "c2"])),
        row("nodejs", State.FAILED, progress=Progress(errors=["n1"])),
        row("frontend", State.BLOCKED, reason="'crystal' failed"),
    ]
    expected = ["crystal failed:", "  c1", "  c2", "nodejs failed:", "  n1"]
    assert shown(display.diagnostics(rows)).splitlines() == expected


def test_a_failure_with_a_known_cause_comes_with_advice() -> None:
    """What already exists in AWS but not in the state is the mark of a deleted state: the way back is named."""
    error = (
        "crystal-node: creating App Mesh Virtual Node: ConflictException: VirtualNode with name crystal already exists"
    )
    text = shown(display.diagnostics([row("crystal", State.FAILED, progress=Progress(errors=[error]))]), width=1000)
    assert "state was probably deleted" in text
    assert "pulumi stack import --stack local-crystal" in text


def test_text_from_aws_is_never_taken_for_markup() -> None:
    """An error with square brackets is shown as it is."""
    rows = [row("crystal", State.FAILED, progress=Progress(errors=["bad value [bold]x[/bold]"]))]
    assert "bad value [bold]x[/bold]" in shown(display.diagnostics(rows))
