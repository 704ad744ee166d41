"""What to do about errors of the engine that have a known cause."""

import re
from collections.abc import Iterable

# Each pattern is looked for in the errors of one failed stack; the first that fits gives the advice.
_KNOWN = (
    (
        r"already exists|AlreadyExists|ConflictException|not idempotent",
        (
            "AWS already has what this stack wants to create: the stack's state was probably deleted. Put it back with "
            "`pulumi stack import --stack {stack} --file BACKUP` (a file:// backend keeps backups in .pulumi/backups), "
            "or import the resources; on the embedded AWS `python -m localaws reset` starts afresh."
        ),
    ),
    (
        r"(?is)appmesh.*(AccessDenied|no such host|UnknownEndpoint|EndpointConnectionError|ForbiddenException)",
        (
            "AWS ended App Mesh on 2026-09-30. What it does not delete any more can be taken out of Pulumi's state: "
            "`python automation/destroy.py --forget-app-mesh`, or `migrate.py --to envoy --forget-app-mesh`, with the "
            "same --env."
        ),
    ),
    (
        r"ExpiredToken|InvalidClientTokenId|UnrecognizedClient|no valid credential",
        "AWS does not accept the credentials: check them with `aws sts get-caller-identity`.",
    ),
    (
        r"AccessDenied|UnauthorizedOperation|not authorized to perform",
        "The caller lacks a permission that the error names; who it is: `aws sts get-caller-identity`.",
    ),
)


def advice(stack: str, errors: Iterable[str]) -> str:
    """The advice for a failed stack; empty when its errors say enough themselves."""
    text = "\n".join(errors)
    fitting = (words for pattern, words in _KNOWN if re.search(pattern, text))
    return next(fitting, "").format(stack=stack)
