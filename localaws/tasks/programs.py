"""What runs in place of each container image."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

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
_TOOLS = {
    "curl": f'{_CURL} "$@"',
    "envoy": f'exec "{sys.executable}" -P -m localaws.programs.envoy "$@"',
    "healthcheck": f'{_CURL} -sSf "http://127.0.0.1:${{2:-13133}}/"',
}
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


def command(reference: str, arguments: Sequence[str], address: str) -> list[str]:
    """Return the command line for an image other than App Mesh's Envoy's, in the task with that address.

    `arguments` are the container definition's command. A plain Envoy's is run as it is: its image has a shell, and an
    entry point that puts `envoy` before mere options.
    """
    if is_plain_envoy(reference):
        words = at_home(arguments or ["-c", "/etc/envoy/envoy.yaml"], address)
        return ["/usr/bin/env", *(["envoy"] if words[0].startswith("-") else []), *words]
    module = _MODULES[images.find(reference).repository]
    return [sys.executable, "-P", "-m", f"localaws.programs.{module}", *arguments]


def at_home(words: Sequence[str], address: str) -> list[str]:
    """Return the words of a command that a shell runs: the task's loopback is the address that stands for it."""
    return [word if word.startswith("{") else word.replace("127.0.0.1", address) for word in words]


def environment(folder: Path, own: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables of a container: its own, and what every image and our programs need."""
    return {
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PATH": f"{_tools(folder)}{os.pathsep}{_SYSTEM_PATH}",
        "PYTHONPATH": str(_REPOSITORY),
        "PYTHONDONTWRITEBYTECODE": "",
        **own,
    }


def located(reference: str, folder: Path, path: str) -> str:
    """Return where a program is that a health check names; an absolute path is one inside the image."""
    if path == "/healthcheck" and images.find(reference).repository in images.ADOT_COLLECTORS:
        return str(_tools(folder) / "healthcheck")
    return path


def _tools(folder: Path) -> Path:
    """Return a folder of the commands."""
    tools = folder / "bin"
    tools.mkdir(parents=True, exist_ok=True)
    for name, command_line in _TOOLS.items():
        tool = tools / name
        if not tool.exists():
            tool.write_text(f"#!/bin/sh\n{command_line}\n", encoding="utf-8")
            tool.chmod(0o755)
    return tools
