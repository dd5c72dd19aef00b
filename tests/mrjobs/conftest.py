"""Interrupts for the tests of what ends with a run."""

import signal

import pytest

from pehchan.mrjobs import interrupts


@pytest.fixture
def heeding():
    """Interrupts as a command has them, and as they were after it."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    interrupts.heed()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    interrupts._waiting = interrupts._heard = False
