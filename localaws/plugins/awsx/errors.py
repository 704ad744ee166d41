"""The one error of this plugin."""


class ArgumentError(Exception):
    """An argument of `awsx.ec2.Vpc` can't be used.

    Args:
        argument: its name as the engine spells it, with the path into it: `subnetSpecs[1].cidrMask`.
        reason: what is wrong with which value, for the user.

    """

    def __init__(self, argument: str, reason: str) -> None:
        super().__init__(f"{argument}: {reason}")
        self.argument = argument
        self.reason = reason
