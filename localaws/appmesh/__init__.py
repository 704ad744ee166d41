"""App Mesh, all of it, in place of moto's: driven by botocore's model of the service, which says what a call may hold.

AWS ends App Mesh on 2026-09-30, and botocore its model some day after; this answers as the service did in 2023.
"""

from moto.appmesh.models import appmesh_backends

from localaws.appmesh.models import MeshBackend


def install() -> None:
    """Put this App Mesh in the place of moto's; to be called before the first request."""
    appmesh_backends.backend = MeshBackend


__all__ = ["install"]
