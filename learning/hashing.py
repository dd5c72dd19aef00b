"""Hashes of texts that are the same on every machine and in every process, for many texts at once."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: Texts of more bytes are hashed one by one.
_SHORT = 64
_STEP = np.uint64(0x9E3779B97F4A7C15)


def text_hashes(texts: Sequence[str]) -> NDArray[np.uint64]:
    """uint64[n]: a hash of each text, never 0 but of the empty text, which is always 0.

    Texts are taken to hold no NUL. Eight bytes at a time are mixed into the hash, for all texts together.
    """
    encoded = [text.encode() for text in texts]
    lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
    hashes = np.zeros(len(encoded), np.uint64)
    longest = int(lengths.max(initial=0))
    if longest > _SHORT:
        for k in np.flatnonzero(lengths > _SHORT).tolist():
            hashes[k] = int.from_bytes(hashlib.blake2b(encoded[k], digest_size=8).digest(), "little") or 1
        # What numpy cuts off of the long ones is of no account: they have their hash.
        longest = _SHORT
    if longest == 0:
        return hashes
    width = (longest + 7) // 8
    words = np.array(encoded, dtype=f"S{width * 8}").view("<u8").reshape(len(encoded), width)
    mixed = np.zeros(len(encoded), np.uint64)
    for k in range(width):
        word = words[:, k].astype(np.uint64, copy=False)
        # Padding must not count: how wide the words are depends on the other texts.
        mixed = np.where(word != 0, _mix((mixed + _STEP) ^ word), mixed)
    mixed[(mixed == 0) & (lengths > 0)] = 1
    return np.where(lengths > _SHORT, hashes, mixed)


def combined(hashes: Sequence[NDArray[np.uint64]], seed: int = 0) -> NDArray[np.uint64]:
    """uint64[n]: one hash of several a row, 0 where one of them is 0, and only there."""
    first = hashes[0]
    mixed, none = _mix(first ^ np.uint64(seed)), first == 0
    for each in hashes[1:]:
        mixed = _mix((mixed + _STEP) ^ each)
        none = none | (each == 0)
    mixed[mixed == 0] = 1
    mixed[none] = 0
    return mixed


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finalizer of splitmix64 (G. Steele and others, "Fast splittable pseudorandom number generators", 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
