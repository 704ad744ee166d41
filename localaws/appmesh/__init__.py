"""App Mesh, all of it, in place of moto's: driven by botocore's model of the service, which says what a call may hold.

AWS ends App Mesh on 2026-09-30, and botocore its model some day after; this answers as the service did in 2023.
"""

from localaws.appmesh.models import MeshBackend, mesh_backends


def install() -> None:
    """Put this App Mesh in the place of moto's; to be called before the first request."""
    mesh_backends.backend = MeshBackend


__all__ = ["install"]
