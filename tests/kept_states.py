"""A state in memory, for tests of what changes one."""

from collections.abc import Iterable
from typing import TypeVar

from pehchan.identity.updating import Batch, Update, Updating
from pehchan.metadata.plan import Plan
from pehchan.mrjobs.state_lines import Kept, KeptMembers, Search

K = TypeVar("K", bound=Kept)


class KeptState:
    """Versions of a state, as lines; a search reads all of them."""

    def __init__(self, plan: Plan):
        self.plan, self.number = plan, 0
        self.lines: list[bytes] = []
        #: By record its entity, and the record, as the log and the batches have it.
        self.log: list[dict] = []

    def search(self, kind: type[K], search: Search) -> Iterable[K]:
        # As a job is told, and tells.
        asked = Search.decode(search.encode())
        for line in self.lines:
            if line.startswith(kind.tag + b"\t") and (found := asked.in_line(line)) is not None:
                yield kind.decode(found.encode())

    def update(self, batch: Batch) -> Update:
        """Bring a batch in."""
        update = Updating(self, self.plan, self.number + 1, 0, "").update(batch)
        if update.changes:
            self.number += 1
            self.lines += [each.encode() for each in (*update.records, *update.members, *update.pairs)]
            self.log += update.log
        return update

    def entities(self) -> dict[str, str]:
        """By record its entity: what the newest of its rows says."""
        found: dict[str, str] = {}
        for line in self.lines:
            if line.startswith(b"kept-members\t"):
                found.update(KeptMembers.decode(line).members())
        return {record: entity for record, entity in found.items() if entity}
