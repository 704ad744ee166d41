"""What goes wrong with the embedded AWS, for whoever starts it."""


class LocalAwsError(Exception):
    """What is wrong and the next command, for the user to read."""
