"""The lines of a text file in any encoding, packed or not, and what in them is no text."""

import bz2
import codecs
import gzip
import io
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pehchan.metadata.mistakes import Mistake, MistakesError

FilePath = str | os.PathLike[str]

# UTF-32 before UTF-16: its little-endian mark begins with the one of UTF-16.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What cannot be text stands in the decoded text as a lone surrogate, which no valid text holds:
# a byte that is not in the encoding as U+DC00 + byte, a NUL (which csv refuses before 3.11) as U+DFFF.
_NUL = "\udfff"
NOT_TEXT = re.compile("[\0\ud800-\udfff]")


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error("pehchan.stand_in", _stand_in)


class Row(NamedTuple):
    """A row, its text without the line end and the number of its first line.

    Values are None where it was set aside for a reason, or is blank (no reason).
    """

    number: int
    text: str
    values: list[str] | None
    reason: str = ""


class Lines(Iterator[str]):
    """The lines of a file as text with their ends; keeps those of the row that is being read."""

    def __init__(self, path: FilePath, encoding: str, newline: str):
        self.path = path
        self.number = 0
        self.ended = False
        self._row: list[str] = []
        self._file = _open(path)
        try:
            start = self._file.read(4)
            self._file.seek(0)
            marked = (name for mark, name in _BYTE_ORDER_MARKS if start.startswith(mark))
            self.encoding = next(marked, encoding)
            self._text = io.TextIOWrapper(self._file, self.encoding, "pehchan.stand_in", newline)
        except (EOFError, OSError, zlib.error) as error:
            self._file.close()
            raise self._broken(error) from None
        except (LookupError, ValueError):
            self._file.close()
            raise mistake(
                path,
                f"no text encoding is named {encoding!r}",
                "Known are Python's, for example utf-8, latin-1, cp1252, utf-16, shift_jis.",
            ) from None

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *_: object) -> None:
        self._text.close()

    def __next__(self) -> str:
        try:
            line = next(self._text)
        except StopIteration:
            self.ended = True
            raise
        except UnicodeError as error:
            raise mistake(self.path, f"cannot be read as {self.encoding}: {error}") from None
        except (EOFError, OSError, zlib.error) as error:
            raise self._broken(error) from None
        if not self.number:
            line = line.lstrip("\ufeff")  # a mark in an encoding that does not drop its own, or a second one
        if "\0" in line:
            line = line.replace("\0", _NUL)
        self.number += 1
        self._row.append(line)
        return line

    def begin_row(self) -> None:
        self._row = []

    def row(self, values: list[str] | None, reason: str = "") -> Row:
        """The row read since begin_row; set aside, whatever its values, where it is not text."""
        text = "".join(self._row).rstrip("\r\n")
        reason = self.not_text(text) or reason
        return Row(self.number - len(self._row) + 1, text, None if reason else values, reason)

    def not_text(self, text: str) -> str:
        """Why a piece of the file is not text; "" where it is."""
        if text.isascii() or not (found := NOT_TEXT.search(text)):
            return ""
        if found.group() == _NUL:
            return "a NUL byte: not text, or text in UTF-16 (set input.encoding=utf-16)"
        byte, encoding = ord(found.group()) & 0xFF, self.encoding.removesuffix("-sig")
        return (
            f"byte 0x{byte:02x} is not {encoding}; if the whole file is in another encoding, "
            "name it with input.encoding"
        )

    def open_quote(self) -> int:
        """The number of the line where a quote opened that was never closed."""
        # Whatever follows it are doubled quotes, so it is in the last line with a run of odd length.
        odd = [at for at, line in enumerate(self._row) if any(len(run) % 2 for run in re.findall('"+', line))]
        return self.number - len(self._row) + 1 + odd[-1]

    def _broken(self, error: Exception) -> MistakesError:
        return mistake(
            self.path,
            f"cannot be read past line {self.number}: {error}",
            "The file is damaged or cut short; copy or compress it again.",
        )


def _open(path: FilePath) -> Any:
    """The bytes of a file, decompressed where they begin as gzip or bzip2 does."""
    path = Path(path)
    if path.is_dir():
        raise mistake(path, "a folder", "Give the files in it.")
    try:
        with open(path, "rb") as file:
            start = file.read(10)
        if start.startswith(b"\x1f\x8b"):
            return gzip.open(path, "rb")
        # The magic of a stream, and of its first block or its end.
        if re.match(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)", start):
            return bz2.open(path, "rb")
        return open(path, "rb")
    except OSError as error:
        raise mistake(path, f"cannot be read: {error.strerror}") from None


def shown(text: str) -> str:
    """The text of a row set aside: a byte that is not text as \\xNN."""
    if text.isascii():
        return text
    return NOT_TEXT.sub(lambda c: "\0" if c.group() == _NUL else f"\\x{ord(c.group()) & 0xFF:02x}", text)


def mistake(where: object, what: str, right: str = "") -> MistakesError:
    return MistakesError([Mistake(str(where), what, right)])
