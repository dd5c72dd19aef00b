"""The pehchan command, run as a person does, by the clock."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path


def run(arguments: Sequence[str], folder: Path | None = None) -> float:
    """Seconds of the command from its start to its end, in a folder; ends the benchmark where it fails."""
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "pehchan.console.command", *arguments],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.monotonic() - began
