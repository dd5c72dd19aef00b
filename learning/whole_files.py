"""Files that are there whole, as they were or as they shall be, whenever the writing is cut short.

They are for their owner alone to read: models, questions and labels hold values of records.
"""

import os
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, in place of an earlier one; it is on the disk when this returns.

    It is written aside, under a name that starts with a dot and ends in .unfinished, and renamed: programs that read
    whole folders leave such files out. Raises OSError.
    """
    aside = path.with_name(f".{path.name}.unfinished")
    aside.unlink(missing_ok=True)
    try:
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    except BaseException:
        # On a full disk, too, nothing half-written is left.
        aside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Have the names of the files in a folder on the disk: only then is a new one there for good."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
