"""Get the Pulumi CLI and print where it is.

    python -m pulumicli                          find, download or build it
    PATH="$(dirname "$(python -m pulumicli)"):$PATH"    then plain `pulumi` works in this shell

The path goes to stdout, progress to stderr. Exit code 0, or 2 when something is missing; the message then names the
command that installs it.
"""

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter

from pulumicli import PulumiCliError, ensure

EXIT_MISSING = 2


def main() -> int:
    """Run the command; return its exit code."""
    parser = ArgumentParser(
        prog="python -m pulumicli", description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    parser.parse_args()
    try:
        print(ensure(lambda line: print(line, file=sys.stderr, flush=True)))
    except PulumiCliError as error:
        print(error, file=sys.stderr)
        return EXIT_MISSING
    except KeyboardInterrupt:
        print("Interrupted; nothing half-made is kept. Run the same command again.", file=sys.stderr)
        return 130  # what shells report for SIGINT
    return 0


if __name__ == "__main__":
    sys.exit(main())
