"""How the pairs of two blocks are found without comparing all: by the fields in which they are near each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Index:
    """How the pairs of two blocks are found: field by field, those within a limit below 1 (by number).

    all_pairs   of the blocks
    candidates  pairs, about, that are then compared
    error       standard error of their number, as it is told from some of the records
    costs       microseconds, about, by number
    signatures  that are made, about
    held        bytes that are held at a time, about
    loose       fields that may not count in the sum where a value is missing: if any other may, pairs are lost
    parts       the numbers of those fields whose pairs are found together, where several tasks share the fields
    """

    limits: Mapping[int, float]
    all_pairs: float = 0.0
    candidates: float = 0.0
    costs: Mapping[int, float] = field(default_factory=dict)
    signatures: float = 0.0
    held: float = 0.0
    loose: frozenset[int] = frozenset()
    parts: Sequence[Sequence[int]] = ()
    error: float = 0.0

    @property
    def cost(self) -> float:
        """Microseconds, about."""
        return sum(self.costs.values())

    def shared_by(self, parts: int) -> "Index":
        """The index in so many parts, which cost about the same."""
        together: list[list[int]] = [[] for _ in range(parts)]
        for number in sorted(self.costs, key=lambda number: (-self.costs[number], number)):
            least = min(together, key=lambda part: sum(self.costs[each] for each in part))
            least.append(number)
        return replace(self, parts=together)

    @property
    def dearest_part(self) -> float:
        """Microseconds, about, of the part that costs most."""
        return max((sum(self.costs[number] for number in part) for part in self.parts), default=self.cost)

    def __add__(self, other: "Index") -> "Index":
        """Both, one after the other."""
        return Index(
            {**self.limits, **other.limits},
            self.all_pairs,
            self.candidates + other.candidates,
            {**self.costs, **other.costs},
            self.signatures + other.signatures,
            max(self.held, other.held),
            self.loose | other.loose,
        )
