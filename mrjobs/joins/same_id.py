"""Sets whose ids agree once the set id is peeled off: keyed by the entity id, so the work is O(n)."""

from dataclasses import dataclass

from pehchan.metadata.records import Record
from pehchan.mrjobs.joins.all_pairs import AllPairs


@dataclass(frozen=True)
class SameId(AllPairs):
    """Records of different sets meet where their partition and their entity id are the same: that is their group.

    id_ordinal    the column of the id as it was read: a suffix given to a duplicate id is not part of it
    set_id_size   characters of the set id, the first ones of the id
    """

    id_ordinal: int = 0
    set_id_size: int = 0

    def group(self, record: Record) -> str | None:
        entity = record.items[self.id_ordinal][self.set_id_size :]
        if not entity:
            # A record without an id of its own meets nothing.
            return None
        partition = super().group(record) or ""
        # The length, so that no two pairs of a partition and an id make the same group.
        return f"{len(partition)}:{partition}{entity}"

    def route_of_all(self, set_name: str) -> None:
        """None: it depends on its id where a record goes."""
