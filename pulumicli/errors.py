"""The one exception of this package."""


class PulumiCliError(Exception):
    """No usable Pulumi CLI. The message is for the user: what is missing and the command that installs it."""
