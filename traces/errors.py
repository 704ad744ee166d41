"""The errors of a review.

ReviewError
└── RequestError    what was asked for is wrong: a time, a name, a filter, a trace id
"""


class ReviewError(Exception):
    """X-Ray could not be read. The message is for the user: it names the value, the place and the next command."""

    def __init__(self, message: str, *, next_command: str | None = None) -> None:
        super().__init__(message)
        self.next_command = next_command


class RequestError(ReviewError):
    """What the user asked for is wrong. Asking again in the same way does not help."""
