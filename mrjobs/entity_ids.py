"""The ids of entities, which stay: e, the version of a state that first had the entity, and a hash of this and of the
smallest of its records then. So they are the same wherever that version is made, and tell which entity is older.
A state that goes on with the ids of another counts on from the versions of that one.
"""

from collections.abc import Sequence
from hashlib import blake2b

#: Bytes of a hash: two ids of a billion are the same with a chance of one in a million.
_BYTES = 10


def entity_ids(lineage: str, version: int, records: Sequence[str]) -> list[str]:
    """The ids of entities that a version is the first to have, by the smallest of their records; equal ones
    may follow each other.

    lineage  what tells two states that number their versions alike
    """
    found: list[str] = []
    last = None
    for record in records:
        if record != last:
            text = f"{lineage}\0{version}\0{record}".encode("utf-8", "surrogatepass")
            made, last = f"e{version}-{blake2b(text, digest_size=_BYTES).hexdigest()}", record
        found.append(made)
    return found


def age_of(entity: str) -> int:
    """The version that first had an entity: the smaller, the older it is."""
    return int(entity[1:].partition("-")[0])
