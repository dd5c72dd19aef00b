"""The clusters that are worth a look as a file for spreadsheets, to go through them there."""

from collections.abc import Iterator, Mapping

from pehchan.console.clusters_shown import (
    Doubt,
    all_columns,
    check_clusters,
    items_of,
    most_doubtful,
    words_of_farthest,
)
from pehchan.console.masking import Masking
from pehchan.console.output import read_plan, tagged_lines
from pehchan.console.spreadsheet import check_file, spreadsheet
from pehchan.learning.odds import probability_of
from pehchan.learning.whole_files import write_whole
from pehchan.mrjobs.exporting import log_odds_steps, with_set
from pehchan.mrjobs.places import Place
from pehchan.mrjobs.wire import CLUSTERED, Clustered, Identity

#: A record with its smallest and largest distance to others of its cluster, None without any, and how many these are.
Member = tuple[Identity, int | None, int | None, int]


def write_review(out: Place, number: int, path: str, overwrite: bool, masking: Masking | None) -> str:
    """Write the clusters of `pehchan review`, one record a row; what is said of it.

    Raises MistakesError where `out` holds no clusters or the file must not be written.
    """
    run = check_clusters(out)
    check_file(path, overwrite, run["inputs"])
    worst, sizes, _ = most_doubtful(out, number)
    members = _members(out, {doubt.cluster: [] for doubt in worst})
    rows = list(_rows(out, worst, members, masking))
    # Reading took a while.
    write_whole(check_file(path, overwrite), spreadsheet(rows))
    there = f"{len(worst):,} of {sizes.total():,} clusters of two or more records"
    return f"written to {path}: {there}, {len(rows) - 1:,} rows"


def _rows(
    out: Place, worst: list[Doubt], members: Mapping[Identity, list[Member]], masking: Masking | None
) -> Iterator[list[str | int]]:
    """The names of the columns, and a row a record."""
    plan = read_plan(out)
    steps = log_odds_steps(plan)
    columns = all_columns(plan)
    wanted = {record for of_one in members.values() for record, *_ in of_one}
    names, items = items_of(out, plan, wanted, columns)
    with_sets = plan is not None and len(plan.sets) > 1
    scale = ("min_probability", "max_probability") if steps else ("min_distance", "max_distance")
    farthest = words_of_farthest(plan)
    yield ["cluster", "why", "records", "id", *scale, "pairs", *names]
    for place, doubt in enumerate(worst, 1):
        for (set_name, record_id), *distances, mates in members[doubt.cluster]:
            numbers = [_number(distance, steps) for distance in distances]
            values = items.get((set_name, record_id), [""] * len(names))
            if masking is not None:
                record_id, values = masking(record_id), [masking(value) for value in values]
            shown = with_set(set_name, record_id) if with_sets else record_id
            # The larger the distance the smaller the probability.
            least, most = reversed(numbers) if steps else numbers
            yield [place, doubt.text(farthest), doubt.shape.size, shown, least, most, mates, *values]


def _number(distance: int | None, steps: int) -> str:
    if distance is None:
        return ""
    return f"{probability_of(distance, steps):.6f}" if steps else str(distance)


def _members(out: Place, members: dict[Identity, list[Member]]) -> dict[Identity, list[Member]]:
    """The records of these clusters, in order."""
    for tag, payload in tagged_lines([out / "internal" / "clusters"]):
        if tag == CLUSTERED:
            some = Clustered.decode(payload)
            for (cluster, record), *numbers in zip(
                some, some.nearest, some.farthest, some.mates, strict=True
            ):
                if cluster in members:
                    members[cluster].append((record, *numbers))
    return members
