"""Masks in the place of values, so that a report and the lines set aside can be shown to others."""

import hashlib
import json
import re
import secrets

from pehchan.mrjobs.places import Place

#: In a reason, what may tell a letter, a length or a place in a value.
_NUMBERS = re.compile(r"0x[0-9a-fA-F]+|\d+")


class Masking:
    """Gives each value a mask: the same for the same value, and nothing of its letters or its length.

    Nobody can try out values, as the masks hang on a key that is drawn at random and kept nowhere. So they are others
    each time that something is masked.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def __call__(self, value: str) -> str:
        """The mask of a value; a missing one stays missing."""
        if not value:
            return ""
        data = value.encode("utf-8", "surrogatepass")
        return f"#{hashlib.blake2b(data, key=self._key, digest_size=5).hexdigest()}"

    def rejected(self, folder: Place) -> None:
        """Mask the lines set aside that lie in a folder, and what their reasons tell of them."""
        for file in folder.files():
            file.write(b"".join(self._masked(line) for line in file.read().splitlines()))

    def _masked(self, line: bytes) -> bytes:
        parts = json.loads(line)
        parts["line"] = self(parts["line"])
        parts["reason"] = _NUMBERS.sub("N", parts["reason"])
        return json.dumps(parts).encode() + b"\n"
