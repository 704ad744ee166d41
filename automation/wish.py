"""What the user asked for: the options of the commands that deploy, and what becomes of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import click

from automation.deployment import TIMEOUT, How
from automation.environments import RUN_TRACES
from automation.resume import Earlier
from automation.stackfiles import NAMESPACE
from automation.waves import checked


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the user asked for."""

    tracing: bool | None  # None: of each stack what its configuration says
    settings: Mapping[str, str] = field(default_factory=dict)  # beside the flag, by key of the project's namespace
    in_app_mesh: bool = True  # whether what is configured to be in App Mesh needs App Mesh
    yes: bool = False
    skip_preview: bool = False
    skip_preflight: bool = False
    test_segment: bool = False
    refresh: bool = False
    verify_timeout: float = 600.0  # seconds
    traffic: int | None = None  # requests to send afterwards; None: as many as the environment is used to
    on_failure: str = "continue"  # stop, continue or rollback
    stack_timeout: float = TIMEOUT  # seconds
    wave: str = ""  # such as 1,10%,rest
    run_traces: str | None = None  # off, xray or otlp; None: as the environment's file says
    resume: bool = False
    scheduler: str = ""  # address of the Dask scheduler whose workers run the engines; "": they run here
    earlier: Earlier | None = None  # the run that is continued

    def config(self, region: str) -> dict[str, str]:
        """The configuration every selected stack must have."""
        wanted = {"aws:region": region}
        if self.tracing is not None:
            wanted[f"{NAMESPACE}:tracing"] = str(self.tracing).lower()
        return {**wanted, **{f"{NAMESPACE}:{key}": value for key, value in self.settings.items()}}

    @property
    def how(self) -> How:
        """How stacks are deployed; what is left of a run is deployed against what AWS really has."""
        return How(refresh=self.refresh or self.earlier is not None, timeout=self.stack_timeout)

    @property
    def words(self) -> str:
        """``tracing on``."""
        return {True: "tracing on", False: "tracing off", None: "as configured"}[self.tracing]

    @property
    def command(self) -> str:
        """The command that asks for it."""
        return {True: "enable", False: "disable", None: "deploy"}[self.tracing]


def flip_options(function: Callable[..., None]) -> Callable[..., None]:
    """The options that enable, disable and deploy share."""
    skip = click.option("--skip-preview", is_flag=True, help="Deploy at once, without working out the plan first.")
    refresh = click.option("--refresh", is_flag=True, help="Read what AWS really has first: repairs drift.")
    failure = click.option(
        "--on-failure",
        type=click.Choice(["stop", "continue", "rollback"]),
        default="continue",
        show_default=True,
        help="stop: start no more stacks; continue: all but its dependents; rollback: stop, and take this run back.",
    )
    again = click.option(
        "--resume", is_flag=True, help="Go on with the last run, which failed or was killed: do what is left of it."
    )
    limit = click.option(
        "--stack-timeout",
        type=click.FloatRange(min=0, min_open=True),
        default=TIMEOUT,
        show_default=True,
        metavar="SECONDS",
        help="How long one stack may take before its engine is ended.",
    )
    wave = click.option(
        "--wave",
        default="",
        callback=checked,
        metavar="WAVES",
        help="Such as 1,10%,rest: so many stacks at a time, each wave verified and its traces seen before the next.",
    )
    traces = click.option(
        "--run-traces",
        type=click.Choice(["off", *RUN_TRACES]),
        help="Send the run itself as a trace.  [default: as environments/NAME.yaml says, else off]",
    )
    scheduler = click.option(
        "--scheduler",
        default="",
        metavar="ADDRESS",
        help="Of a Dask scheduler, such as tcp://10.0.0.5:8786: its workers run the engines.",
    )
    return scheduler(traces(again(wave(failure(limit(skip(refresh(deployment_options(function)))))))))


def deployment_options(function: Callable[..., None]) -> Callable[..., None]:
    """The options of every command that deploys."""
    ready = click.option(
        "--skip-preflight", is_flag=True, help="Do not look first whether the account can be used as it is meant to."
    )
    wait = click.option(
        "--verify-timeout",
        type=click.FloatRange(min=0),
        default=600.0,
        show_default=True,
        metavar="SECONDS",
        help="How long the rollouts may take before verification fails.",
    )
    segment = click.option(
        "--test-segment", is_flag=True, help="Also look whether X-Ray takes a segment, by writing one."
    )
    return ready(segment(wait(function)))
