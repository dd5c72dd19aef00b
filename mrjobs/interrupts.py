"""Interrupts (Ctrl-C, SIGTERM) that end a run once, and never in the middle of cleaning up."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_holding = 0
_waiting = False
_heard = False


def heed() -> None:
    """Raise KeyboardInterrupt on the first SIGTERM or SIGINT; later ones find the run ending and change nothing.

    A SIGINT that is ignored, as it is in the background of a shell, stays ignored.
    """
    global _waiting, _heard
    _waiting = _heard = False
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    global _waiting, _heard
    if _holding:
        _waiting = True
    elif not _heard:
        _heard = True
        raise KeyboardInterrupt


def heard() -> bool:
    """Whether the run was interrupted: what fails after that does so because it was cut short."""
    return _heard


@contextmanager
def held() -> Iterator[None]:
    """A block that an interrupt does not cut short; one that came meanwhile is raised at its end."""
    global _holding, _waiting
    _holding += 1
    try:
        yield
    finally:
        _holding -= 1
        if _waiting and not _holding:
            _waiting = False
            _interrupt(signal.SIGINT, None)
