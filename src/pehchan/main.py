"""The pehchan command with the commands of all rooms."""

import sys
from collections.abc import Sequence

from pehchan.console import command
from pehchan.zingg.command import add_command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return command.main(arguments, [add_command])


if __name__ == "__main__":
    sys.exit(main())
