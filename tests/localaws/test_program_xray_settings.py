"""How the X-Ray daemon starts: flags, environment, configuration file, and what it refuses."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.localaws.program_support import FakeServer, Program, new_address, running
from tests.localaws.support import until

_NO_REGION = (
    "[Error] Cannot fetch region variable from config file, environment variables, ecs metadata, or ec2 metadata. "
    "Use local-mode to use the local config region."
)


@pytest.fixture
def xray() -> Iterator[FakeServer]:
    with FakeServer(port=4566) as server:
        yield server


@pytest.fixture
def variables(xray: FakeServer) -> dict[str, str]:
    """A container's environment, without a region."""
    return {"AWS_ENDPOINT_URL": xray.url, "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}


def ends(program: Program, code: int) -> str:
    """Return the last line of a program that has to have ended with this exit code."""
    assert (code, []) == (program.process.returncode, [line for line in program.lines if "Traceback" in line])
    return program.lines[-1]


def region_of(xray: FakeServer, program: Program, port: int = 2000) -> str:
    """Return the region that the daemon signs for."""
    with program.connected(port) as connection:
        connection.request("POST", "/GetSamplingRules", "{}")
        connection.getresponse().read()
    return xray.received[-1].headers["authorization"].split("/")[2]


def test_no_region(variables: dict[str, str]) -> None:
    """Without a region the daemon ends with code 1 and the original's message; AWS_DEFAULT_REGION is none."""
    with running("xray_daemon", port="", **variables, AWS_DEFAULT_REGION="us-east-1") as program:
        assert ends(program, 1).endswith(_NO_REGION)


@pytest.mark.parametrize(
    ("arguments", "more", "region"),
    [
        ([], {"AWS_REGION": "us-east-1"}, "us-east-1"),
        (["-n", "us-east-2"], {"AWS_REGION": "us-east-1"}, "us-east-2"),
        (["--region=us-west-2"], {}, "us-west-2"),
        (["-o"], {"AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
    ],
)
def test_region(
    xray: FakeServer, variables: dict[str, str], arguments: list[str], more: dict[str, str], region: str
) -> None:
    """The flag comes first, then AWS_REGION; in local mode AWS_DEFAULT_REGION last."""
    with running("xray_daemon", *arguments, port="2000", **variables, **more) as program:
        assert region == region_of(xray, program)
        assert program.printed(f"[Info] Using region: {region}")


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["-x"], 2, "flag provided but not defined: -x"),
        (["--regions", "us-east-1"], 2, "flag provided but not defined: -regions"),
        (["-n"], 2, "flag needs an argument: -n"),
        (["-m", "many"], 2, 'invalid value "many" for flag -m: parse error'),
        (["-h"], 0, "Usage: X-Ray [options]"),
        (["-v"], 0, "AWS X-Ray daemon version: 3.6.6 (localaws)"),
    ],
)
def test_flags_end_as_the_originals(variables: dict[str, str], arguments: list[str], code: int, line: str) -> None:
    """A bad flag is named, with the usage below, and exits 2; help and version exit 0."""
    with running("xray_daemon", *arguments, port="", **variables) as program:
        ends(program, code)
        assert line == program.lines[0]
        assert (code == 2 or "-h" in arguments) == program.printed("\t-n\t--region\t")


@pytest.mark.parametrize(
    ("arguments", "more", "reason"),
    [
        (["-m", "2"], {}, "Not enough Buffers Memory Allocated. Min Buffers Memory required: 3 MB."),
        (["-b", "10.0.0.5:2000"], {}, "listen 10.0.0.5:2000: 10.0.0.5 is not in 127.0.0.0/8"),
        (["-t", "2000"], {}, "address 2000: an address to listen on is HOST:PORT"),
        (["-p", "http://proxy.example.com:3128"], {}, "proxy.example.com is not in 127.0.0.0/8"),
        ([], {"AWS_ENDPOINT_URL": "https://xray.us-east-1.amazonaws.com"}, "is no http:// URL"),
        ([], {"AWS_ENDPOINT_URL": "http://xray.us-east-1.amazonaws.com"}, "is not in 127.0.0.0/8"),
        ([], {"AWS_ENDPOINT_URL_XRAY": "http://10.0.0.1"}, "10.0.0.1 is not in 127.0.0.0/8"),
        ([], {"AWS_ENDPOINT_URL": ""}, "AWS_ENDPOINT_URL is not set"),
        ([], {"LOCALAWS_TASK_ADDRESS": "192.168.1.1"}, "192.168.1.1 is not in 127.0.0.0/8"),
        (["-c", "/nowhere.yaml"], {}, "Error occur when using config flag: [Errno 2] No such file"),
        (["-f", "/nowhere/log"], {}, "No such file or directory: '/nowhere/log'"),
    ],
)
def test_mistakes_are_one_error(
    variables: dict[str, str], arguments: list[str], more: dict[str, str], reason: str
) -> None:
    """What can't work ends the daemon with code 1 and one line that names the value; only loopback is ever used."""
    with running("xray_daemon", *arguments, port="", **{"AWS_REGION": "us-east-1"} | variables | more) as program:
        assert reason in ends(program, 1)


def test_an_address_in_use(variables: dict[str, str]) -> None:
    """A second daemon in a task ends with code 1, as the original does."""
    given = {**variables, "AWS_REGION": "us-east-1", "LOCALAWS_TASK_ADDRESS": new_address()}
    with (
        running("xray_daemon", port="2000", **given) as first,
        running("xray_daemon", port="", **given) as second,
    ):
        assert f"listen udp {first.address}:2000: bind: Address already in use" in ends(second, 1)


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1", "localhost", ""])
def test_addresses_mean_the_task(xray: FakeServer, variables: dict[str, str], host: str) -> None:
    """What means all or this machine in a container's command means the task's own address here."""
    arguments = ["-b", f"{host}:2001", "-t", f"{host}:2002"]
    with running("xray_daemon", *arguments, port="2002", **variables, AWS_REGION="us-east-1") as program:
        assert "us-east-1" == region_of(xray, program, 2002)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.sendto(b'{"format":"json","version":1}\n{}', (program.address, 2001))
        until(lambda: xray.called("/TraceSegments"))


def test_x_rays_own_endpoint_comes_first(xray: FakeServer, variables: dict[str, str]) -> None:
    """AWS_ENDPOINT_URL_XRAY wins over AWS_ENDPOINT_URL, as in the SDKs."""
    given = {**variables, "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_XRAY": xray.url}
    with running("xray_daemon", port="2000", **given, AWS_REGION="us-east-1") as program:
        assert "us-east-1" == region_of(xray, program)


def test_configuration_file(xray: FakeServer, variables: dict[str, str], tmp_path: Path) -> None:
    """The file gives what no flag does."""
    log = tmp_path / "daemon.log"
    config = tmp_path / "cfg.yaml"
    config.write_text(
        f"""
TotalBufferSizeMB: 24
Concurrency: 2
Region: "us-west-1"
Socket:
  UDPAddress: "127.0.0.1:3001"
  TCPAddress: "127.0.0.1:3001"
Logging:
  LogLevel: "info"
  LogPath: "{log}"
LocalMode: true
NoVerifySSL: false
Version: 2
""",
        encoding="utf-8",
    )
    with running("xray_daemon", "-c", str(config), "-n", "us-east-2", port="3001", **variables) as program:
        assert "us-east-2" == region_of(xray, program, 3001)
    lines = log.read_text(encoding="utf-8")

    assert "[Info] Using buffer memory limit of 24 MB" in lines
    assert [] == program.lines


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Region: us-east-1", "Config Version is missing."),
        ("Version: 3", "Config Version Setting is not correct."),
        ("Version: 2\nRegions: us-east-1", "Regions flag is invalid."),
        ("Version: 2\nSocket:\n  Address: x", "Socket.Address flag is invalid."),
        ("Version: 2\nConcurrency: many", "Error occur when using config flag: many is no number"),
        ("Version: [", "Error occur when using config flag: "),
    ],
)
def test_a_bad_configuration_file(variables: dict[str, str], tmp_path: Path, text: str, reason: str) -> None:
    """The daemon ends with code 1 and names the key."""
    config = tmp_path / "cfg.yaml"
    config.write_text(text, encoding="utf-8")
    with running("xray_daemon", "-c", str(config), port="", **variables, AWS_REGION="us-east-1") as program:
        ends(program, 1)
        assert reason in program.lines[0]


def test_log_levels(xray: FakeServer, variables: dict[str, str]) -> None:
    """Fewer lines at error, more at debug."""
    given = {**variables, "AWS_REGION": "us-east-1"}
    with running("xray_daemon", "-l", "error", port="2000", **given) as quiet:
        region_of(xray, quiet)
        quiet.ask_to_stop()
        quiet.ended()
    with running("xray_daemon", "-l", "debug", port="2000", **given) as loud:
        region_of(xray, loud)

        assert [] == quiet.lines
        assert loud.printed("[Debug] Received request on HTTP Proxy server : /GetSamplingRules")
