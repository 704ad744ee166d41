"""X-Ray, in place of moto's: driven by botocore's model of the service, its data in a database of its own.

Its calls need not hold the lock over moto's state, nor do they change that state.
"""

from pathlib import Path

from moto.xray import urls

from localaws.xray import responses


def install(folder: Path) -> None:
    """Put this X-Ray in the place of moto's, its data in `folder`; to be called before the first request."""
    responses.install(folder)
    urls.url_paths.clear()
    urls.url_paths["{0}/(?P<rest>.+)$"] = responses.XRayResponse.dispatch


__all__ = ["install"]
