"""What the benchmarks share: the pehchan command by the clock, and made-up customers."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

CUSTOMERS = Path(__file__).parents[1] / "tutorial" / "customers.py"


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


def customers(folder: Path, records: int) -> Path:
    """A file of so many made-up customers."""
    path = folder / f"customers-{records}.csv"
    # Some of them are there twice.
    subprocess.run(
        [
            *(sys.executable, str(CUSTOMERS), "--records", str(records), "--seed", "1"),
            *("--output", str(path), "--truth", str(folder / "truth.csv")),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:records]))
    return path
