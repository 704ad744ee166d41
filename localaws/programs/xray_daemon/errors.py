"""How calls fail."""


class CallError(Exception):
    """A call that failed."""

    def __init__(self, message: str, *, counted_as: str = "OtherCount", retriable: bool = False) -> None:
        """`counted_as`: the member of X-Ray's BackendConnectionErrors that counts such failures."""
        super().__init__(message)
        self.counted_as = counted_as
        self.retriable = retriable
