"""X-Ray, in place of moto's: driven by botocore's model of the service, its data in a database of its own.

Its calls hold no lock over moto's state and change nothing of it. Not known here: insights, indexing rules and
Transaction Search.
"""

from localaws.xray.service import XRay

__all__ = ["XRay"]
