"""Waits until the calls that the deployed services declare are on the service map: `traces.py wait`."""

from automation import display, hops, review
from automation.cli import Reading, Shared
from automation.errors import UsageError
from automation.proof import PAUSE, PAUSE_LOCAL, Proof, Search, search
from automation.session import opened
from automation.verify import Aws
from services import SERVICES
from traces.fetch import XRay


def wait(given: Reading, *, since: float, timeout: float, joined: bool) -> Proof:
    """Look (for `timeout` seconds at most) for every declared call since `since`, seconds since the epoch.

    Raises `UsageError` where no call is declared between traced services, `ReviewError` where X-Ray cannot be read.
    """
    shared = Shared(environment=given.environment, as_json=given.as_json, services=(), yes=False, parallel=None)
    with opened(shared, changes=False) as session:
        environment = session.environment
        deployed = review.outputs(session)
        wanted = hops.declared(deployed)
        if not wanted:
            message = f"No two services that call each other are traced in environment '{given.environment}'."
            raise UsageError(message, next_command=f"python automation/enable.py{environment.option}")
        origins = [hop.source.segment_name for hop in wanted if SERVICES[hop.source.service].is_platform]
        asked = Search(
            hops=wanted,
            since=since,
            timeout=timeout,
            pause=PAUSE_LOCAL if environment.is_local else PAUSE,
            joined_from=origins if joined else (),
            option=environment.option,
        )
        with display.looking(session.console) as look:
            xray, aws = XRay.of(environment.region), Aws(region=environment.region)
            return search(asked, xray, aws, cancelled=session.cancelled, say=look)
