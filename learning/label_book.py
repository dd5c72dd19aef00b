"""The labels of a model, on the disk as they are given."""

from collections.abc import Sequence
from pathlib import Path

from pehchan.learning.labels import Label, aligned, read_label_file, write_label_file
from pehchan.metadata.mistakes import Mistake, MistakesError


class LabelBook:
    """The labels of a model, in the order they were given; each is on the disk before the next is asked for.

    The file is written anew each time, aside, and renamed: it is whole at any moment, an answer costs a few
    milliseconds, and taking one back is the same as giving one. Appending would save little, and leave half a pair
    behind where it is cut short.
    """

    def __init__(self, path: Path):
        """Raises MistakesError where a row of the file is no label: writing it anew would lose that row."""
        self.path = path
        self.columns: tuple[str, ...] = ()
        self.labels: list[Label] = []
        if path.exists():
            self.columns, self.labels, aside = read_label_file(path)
            if aside:
                right = "Mend the row, or take it out."
                raise MistakesError(
                    [Mistake(f"{row.file} line {row.number}", row.reason, right) for row in aside]
                )

    def add(self, columns: Sequence[str], label: Label) -> None:
        """Keep an answer about two records with these columns."""
        every = tuple(dict.fromkeys([*self.columns, *columns]))
        labels = [aligned(known, self.columns, every) for known in self.labels]
        self._keep(every, [*labels, aligned(label, columns, every)])

    def take_back(self) -> Label:
        """Drop the last answer, and give it. Raises IndexError where there is none."""
        last = self.labels[-1]
        self._keep(self.columns, self.labels[:-1])
        return last

    def _keep(self, columns: tuple[str, ...], labels: list[Label]) -> None:
        write_label_file(self.path, columns, labels)
        self.columns, self.labels = columns, labels
