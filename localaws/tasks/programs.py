"""What runs in place of each container image."""

import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from localaws.ecs import images
from localaws.ecs.images import CannotPullError

# Image repository → module of ours that does what the image does.
_MODULES = {
    **dict.fromkeys(images.XRAY_DAEMONS, "xray_daemon"),
    **dict.fromkeys(images.ADOT_COLLECTORS, "adot"),
    **dict.fromkeys(images.CLOUDWATCH_AGENTS, "cloudwatch_agent"),
    **{repository: repository.rpartition("-")[2] for repository in images.DEMO},
}
_REPOSITORY = Path(__file__).parents[2]
_CURL = f'exec "{sys.executable}" -I -S "{_REPOSITORY / "localaws" / "programs" / "curl.py"}"'
# Commands that images have and this machine may not; health checks use them. The second is `/healthcheck [-port PORT]`.
_TOOLS = {"curl": f'{_CURL} "$@"', "healthcheck": f'{_CURL} -sSf "http://127.0.0.1:${{2:-13133}}/"'}
# Those of the plain Envoy image, which lacks what this machine may have. Source: distribution/docker in Envoy's own
# repository. Where it has no shell, it has Envoy alone, which is its entry point.
_ENVOY, _ENTRY_POINT = "/usr/local/bin/envoy", "/docker-entrypoint.sh"
_ENVOY_TOOLS = {
    "envoy": f'exec "{sys.executable}" -P -m localaws.programs.envoy "$@"',
    "docker-entrypoint.sh": 'case "$1" in -*) set -- envoy "$@" ;; esac; exec "$@"',
    **dict.fromkeys(("curl", "wget"), 'echo "${0##*/}: not found" >&2; exit 127'),
}
_ENVOY_ARGUMENTS = ("-c", "/etc/envoy/envoy.yaml")
_HOME = re.compile(r"\b127\.0\.0\.1\b|(?<=/dev/tcp/)localhost\b")
_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


def check(reference: str) -> None:
    """See whether there is something to run for an image.

    Raises:
        CannotPullError: no registry has it, or nothing here stands for it; the message is the reason for the task.

    """
    image = images.find(reference)
    if image.repository not in {*_MODULES, *images.PLAIN_ENVOYS, images.ENVOY}:
        known = ", ".join(sorted([*_MODULES, *images.PLAIN_ENVOYS]))
        message = (
            f"CannotPullContainerError: localaws runs tasks as local processes and has none for {reference}. "
            f"It has: {images.ENVOY}, {known}"
        )
        raise CannotPullError(message)


def is_envoy(reference: str) -> bool:
    """Return whether an image is App Mesh's Envoy."""
    return images.find(reference).repository == images.ENVOY


def is_plain_envoy(reference: str) -> bool:
    """Return whether an image is the Envoy project's own."""
    return images.find(reference).repository in images.PLAIN_ENVOYS


def command(spec: Mapping[str, Any], folder: Path, address: str) -> list[str]:
    """Return the command line of a container whose image is not App Mesh's Envoy, in the task with that address.

    `spec` is its definition. A plain Envoy's is run as it is: its image has a shell and an entry point, which ours have
    not.
    """
    reference, arguments = spec["image"], spec.get("command") or []
    if not is_plain_envoy(reference):
        module = _MODULES[images.find(reference).repository]
        return [sys.executable, "-P", "-m", f"localaws.programs.{module}", *arguments]
    if spec.get("entryPoint"):  # then the image's own arguments do not count either
        words = [*spec["entryPoint"], *arguments]
    else:
        entry = _ENTRY_POINT if images.find(reference).has_shell else _ENVOY
        words = [entry, *(arguments or _ENVOY_ARGUMENTS)]
    return ["/usr/bin/env", *(located(reference, folder, word) for word in at_home(words, address))]


def at_home(words: Sequence[str], address: str) -> list[str]:
    """Return the words of a command that a shell runs: the task's loopback is the address that stands for it."""
    return [word if word.startswith("{") else _HOME.sub(address, word) for word in words]


def environment(reference: str, folder: Path, own: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables of a container: its own, and what every image and our programs need."""
    is_bare = is_plain_envoy(reference) and not images.find(reference).has_shell
    return {
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PATH": os.pathsep.join([str(_tools(reference, folder)), *([] if is_bare else [_SYSTEM_PATH])]),
        "PYTHONPATH": str(_REPOSITORY),
        "PYTHONDONTWRITEBYTECODE": "",
        **own,
    }


def located(reference: str, folder: Path, path: str) -> str:
    """Return where a program is that a container's definition names; an absolute path is one inside the image."""
    image, tool = images.find(reference), _tools(reference, folder) / Path(path).name
    if is_plain_envoy(reference):
        is_tool = path.startswith("/") and (tool.exists() or not image.has_shell)
    else:
        is_tool = path == "/healthcheck" and image.repository in images.ADOT_COLLECTORS
    return str(tool) if is_tool else path


def _tools(reference: str, folder: Path) -> Path:
    """Return a folder of an image's commands."""
    commands, name = (_ENVOY_TOOLS, "envoy-bin") if is_plain_envoy(reference) else (_TOOLS, "bin")
    tools = folder / name
    tools.mkdir(parents=True, exist_ok=True)
    for name, command_line in commands.items():
        tool = tools / name
        if not tool.exists():
            tool.write_text(f"#!/bin/sh\n{command_line}\n", encoding="utf-8")
            tool.chmod(0o755)
    return tools
