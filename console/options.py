"""What several commands have in common: how they are added, and the options of runners and progress."""

import argparse
from collections.abc import Callable


def count(text: str) -> int:
    """A whole number of 1 or more."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


# What argparse calls it in its messages.
count.__name__ = "number from 1"


def command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    run: Callable[[argparse.Namespace], int | None],
    text: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    parser.set_defaults(run=run, command=name)
    return parser


def add_progress_options(parser: argparse.ArgumentParser) -> None:
    """How much is said of a run while it goes on."""
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress")
    parser.add_argument("-v", "--verbose", action="store_true", help="the runner's own log too")


def add_runner_options(parser: argparse.ArgumentParser) -> None:
    """Where a run runs."""
    parser.add_argument(
        "-r",
        "--runner",
        default="inline",
        help="inline (one process), local (all cores), hadoop, spark or emr",
    )
    parser.add_argument("--conf-path", metavar="FILE", help="configuration of mrjob's runners")
