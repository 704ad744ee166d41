"""One Envoy of a mesh, and the configuration that makes a real Envoy be it.

`model` says what the Envoy is to do in the mesh's own terms; `render` turns that into Envoy's. Pure: no file, no
network, no AWS. Both the self-managed mesh and the embedded App Mesh build on it.
"""

from envoymesh.model import (
    AccessLog,
    Destination,
    Endpoint,
    HealthCheck,
    Listener,
    Match,
    OutlierDetection,
    Proxy,
    Retry,
    Route,
    Tracing,
    ValueMatch,
    VirtualHost,
)
from envoymesh.render import bootstrap, discovered

__all__ = [
    "AccessLog",
    "Destination",
    "Endpoint",
    "HealthCheck",
    "Listener",
    "Match",
    "OutlierDetection",
    "Proxy",
    "Retry",
    "Route",
    "Tracing",
    "ValueMatch",
    "VirtualHost",
    "bootstrap",
    "discovered",
]
