"""Words of a column that are so frequent that they tell little."""

from collections import Counter

from pehchan.zingg.extras import library
from pehchan.zingg.sources import Sources

pa = library("pyarrow")
pc = library("pyarrow.compute")


def recommended(sources: Sources, column: str, cutoff: float) -> "pa.RecordBatch":
    """The words that are more than a share of all words of a column, the most frequent first: z_stopword, z_count."""
    counts: Counter[str] = Counter()
    for source in sources.each:
        for _, batch in source.batches([column]):
            texts = pc.utf8_trim_whitespace(batch.column(0).cast(pa.string()))
            words = pc.utf8_split_whitespace(texts).flatten()
            for each in words.value_counts().to_pylist():
                counts[each["values"]] += each["counts"]
    del counts[""]
    total = sum(counts.values())
    found = sorted(((word, count) for word, count in counts.items() if count > total * cutoff), key=_order)
    return pa.RecordBatch.from_arrays(
        [
            pa.array([word for word, _ in found], pa.string()),
            pa.array([count for _, count in found], pa.int64()),
        ],
        names=["z_stopword", "z_count"],
    )


def _order(counted: tuple[str, int]) -> tuple[int, str]:
    word, count = counted
    return -count, word
