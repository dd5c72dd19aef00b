"""Libraries that only this room needs, and that `pip install pehchan` leaves out."""

from importlib import import_module
from typing import Any

from pehchan.metadata.mistakes import Mistake, MistakesError


def library(name: str) -> Any:
    """A module of the extra `zingg`. Raises MistakesError where it is not installed."""
    try:
        return import_module(name)
    except ImportError as error:
        missing = Mistake(
            name.partition(".")[0],
            f"this library is missing, or cannot be used: {error}.",
            "Install it with the others that Zingg's phases need: pip install 'pehchan[zingg]'",
        )
        raise MistakesError([missing]) from None
