"""What jobs wrote, to compare a run on the cluster with one in this process."""

from pehchan.console.output import tagged_lines
from pehchan.mrjobs.places import place
from pehchan.mrjobs.wire import PAIRS, Pairs


def lines(out: object, name: str) -> list[str]:
    """The sorted lines of an output, here or on the cluster."""
    return sorted(line.decode() for line in (place(str(out)) / name).lines())


def pairs(out: object) -> list[tuple[object, ...]]:
    """The pairs of the tagged lines of a job, each as it stands, sorted; their batches depend on the runner."""
    return sorted(
        (pair.first, pair.second, pair.distance, pair.first_items, pair.second_items)
        for tag, payload in tagged_lines([place(str(out))])
        if tag == PAIRS
        for pair in Pairs.decode(payload)
    )
