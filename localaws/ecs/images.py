"""Which images the simulated registries have.

Nothing is pulled, so this is a judgement, made simply. In the namespaces that this project takes images from, an image
is there if its repository is listed in `_KNOWN` and its tag looks like those published there. In any other namespace of
the public ECR and Docker Hub every well-formed reference is taken to be there, so that a service of one's own runs.
Other registries can't be reached.
"""

import re
from dataclasses import dataclass

_REFERENCE = re.compile(
    r"(?:(?P<registry>[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?|localhost(?::\d+)?)/)?"
    r"(?P<path>[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@sha256:[0-9a-f]{64})?"
)
_REGISTRIES = ("docker.io", "public.ecr.aws")

ENVOY = "public.ecr.aws/appmesh/aws-appmesh-envoy"
PLAIN_ENVOYS = ("docker.io/envoyproxy/envoy", "public.ecr.aws/envoyproxy/envoy")
XRAY_DAEMONS = ("public.ecr.aws/xray/aws-xray-daemon", "docker.io/amazon/aws-xray-daemon")
ADOT_COLLECTORS = ("public.ecr.aws/aws-observability/aws-otel-collector", "docker.io/amazon/aws-otel-collector")
CLOUDWATCH_AGENTS = ("public.ecr.aws/cloudwatch-agent/cloudwatch-agent", "docker.io/amazon/cloudwatch-agent")
DEMO = tuple(f"public.ecr.aws/aws-containers/ecsdemo-{name}" for name in ("crystal", "frontend", "nodejs"))
# Repository → the tags published there, as a pattern.
_KNOWN = {
    ENVOY: r"latest|v\d+\.\d+\.\d+\.\d+-prod",
    **dict.fromkeys(PLAIN_ENVOYS, r"([a-z]+-)?v\d+\.\d+(\.\d+|-latest)"),
    **dict.fromkeys(XRAY_DAEMONS, r"latest|beta|alpha|\d+\.x|\d+(\.\d+){0,2}"),
    **dict.fromkeys(ADOT_COLLECTORS, r"latest|v\d+(\.\d+){0,2}"),
    **dict.fromkeys(CLOUDWATCH_AGENTS, r"latest(-(amd|arm)64)?|\d[\w.-]*"),
    **dict.fromkeys(DEMO, r"latest|[\w.-]+"),
}
_NAMESPACES = {repository.rpartition("/")[0] for repository in _KNOWN}
# Images without a shell, in which a health check of the kind CMD-SHELL can't work.
_SHELLLESS = {*XRAY_DAEMONS, *ADOT_COLLECTORS, *CLOUDWATCH_AGENTS}


class CannotPullError(Exception):
    """An image that can't be had; the message is the reason that ECS gives."""


@dataclass(frozen=True)
class Image:
    """An image reference, taken apart."""

    repository: str  # registry included
    tag: str

    @property
    def has_shell(self) -> bool:
        """Return whether a shell can be run in it."""
        return self.repository not in _SHELLLESS and not self.tag.startswith("distroless-")


def find(reference: str) -> Image:
    """Return the image that a reference means.

    Raises:
        CannotPullError: no registry has it.

    """
    match = _REFERENCE.fullmatch(reference)
    if not match:
        message = f"CannotPullContainerError: invalid reference format: {reference!r}"
        raise CannotPullError(message)
    registry, path, tag = match["registry"] or "docker.io", match["path"], match["tag"] or "latest"
    full = f"{registry}/{path}" if "/" in path or registry != "docker.io" else f"{registry}/library/{path}"
    image = Image(full, tag)
    if registry not in _REGISTRIES:
        raise _not_resolved(image, f"dial tcp: lookup {registry}: no such host")
    if full.rpartition("/")[0] in _NAMESPACES and not re.fullmatch(_KNOWN.get(full, "(?!)"), tag):
        raise _not_resolved(image, f"{full}:{tag}: not found")
    return image


def _not_resolved(image: Image, reason: str) -> CannotPullError:
    return CannotPullError(
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): "
        f"failed to resolve ref {image.repository}:{image.tag}: {reason}"
    )
