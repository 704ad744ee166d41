"""The last steps of enable: requests through the gateway, and the service map that came of them."""

import math
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from automation import display, hops, traffic
from automation.environment import Environment
from automation.hops import Hop
from automation.proof import PAUSE, PAUSE_LOCAL, Search, search
from automation.report import Report
from automation.session import GRAPH, Session
from automation.verify import Aws
from traces.errors import ReviewError
from traces.fetch import XRay
from traces.terminal.service_map import service_map

# At a sampling rate of 5 % a call that each request makes is missing among so many with 1 chance in 28,000.
REQUESTS = 200  # through each gateway
RATE = 100.0  # requests a second
# Seconds until the page must answer, and every hop be on the map: on AWS a load balancer takes minutes, X-Ray one.
PATIENCE_LOCAL, PATIENCE = 30.0, 180.0


def review(session: Session, report: Report, requests: int | None) -> None:
    """Send requests (None: REQUESTS in the local environment, none elsewhere), then look for every declared hop."""
    environment = session.environment
    if requests is None:
        requests = REQUESTS if environment.is_local else 0
    if not requests:
        return
    deployed = outputs(session)
    wanted = provable(deployed, report)
    pages = [page for dns in hops.gateways(deployed) if (page := environment.page(dns))]
    if not pages:
        session.say(
            "No requests are sent: there is no gateway that answers (tasks are simulated, or it leads to nothing yet)."
        )
        return
    for page in pages:
        if not traffic.ready(page, timeout=patience(environment), cancelled=session.cancelled):
            session.say(f"{page} does not answer yet.")
    with session.timed("review"):
        since = time.time()
        sent = []
        for page in pages:
            session.say(f"Sending {requests} requests to {page} …")
            sent.append(traffic.send(page, requests, rate=RATE, cancelled=session.cancelled))
        report.traffic = traffic.together(sent)
        session.record("traffic", sent=report.traffic.sent, answers=dict(report.traffic.answers))
        for problem in report.traffic.problems():
            session.console.print(f"  {problem}", style="red", soft_wrap=True, markup=False)
        if wanted and not session.cancelled.is_set():
            _prove(session, report, wanted, since)


def provable(deployed: Mapping[str, Mapping[str, Any]], report: Report) -> list[Hop]:
    """The declared hops that a run has to do with, given the outputs of the deployed stacks by service."""
    traced = set(report.traced)
    untraced = {row.step.service for row in report.rows} - traced
    declared = [(hop, {hop.source.service, hop.target.service}) for hop in hops.declared(deployed)]
    return [hop for hop, ends in declared if ends & traced and not ends & untraced]


def outputs(session: Session) -> dict[str, Mapping[str, Any]]:
    """The outputs of all deployed stacks of the environment, by service; of those that were deployed to the end."""
    services = session.deployed(session.engine.stacks())
    with ThreadPoolExecutor(max_workers=session.parallel) as pool:
        stacks = [f"{session.environment.name}-{service}" for service in services]
        found = dict(zip(services, pool.map(lambda stack: session.engine.deployed(stack).outputs, stacks), strict=True))
    return {service: found[service] for service in GRAPH if "meshName" in found.get(service, {})}


def patience(environment: Environment) -> float:
    """How long (seconds) to wait for what a deployment brings about."""
    return PATIENCE_LOCAL if environment.is_local else PATIENCE


def _prove(session: Session, report: Report, wanted: Sequence[Hop], since: float) -> None:
    environment = session.environment
    asked = Search(
        hops=wanted,
        since=math.floor(since),
        timeout=patience(environment),
        pause=PAUSE_LOCAL if environment.is_local else PAUSE,
        sent=report.traffic.sent if report.traffic else None,
        option=environment.option,
    )
    session.say("Looking for their traces in X-Ray …")
    with display.looking(session.console) as look:
        try:
            report.proof = search(
                asked,
                XRay.of(environment.region),
                Aws(region=environment.region),
                cancelled=session.cancelled,
                say=look,
            )
        except ReviewError as error:
            report.review_problem = f"X-Ray cannot be read: {error}"
            session.console.print(f"  {report.review_problem}", style="red", soft_wrap=True, markup=False)
            return
    session.record("traced", hops=report.proof.to_json())
    session.console.print(display.proof(report.proof), soft_wrap=True)
    if report.proof.service_map:
        session.console.print(service_map(report.proof.service_map, session.console.width))
