"""The output of a run against the truth."""

from collections.abc import Iterator
from pathlib import Path

import orjson

from pehchan.clustering.evaluation import Scores, cluster_pair_scores, exact_cluster_scores, pair_scores
from pehchan.clustering.truth import read_truth
from pehchan.console.pipeline import read_run, tagged_lines
from pehchan.metadata.plan import Plan
from pehchan.mrjobs.wire import CLUSTERED, PAIRS, Identity, decode_pairs


def evaluate(out: Path, truth_path: str) -> dict[str, Scores]:
    """Scores of what a run found, by name. Raises MistakesError where `out` or the truth cannot be used."""
    run = read_run(out)
    plan_path = out / "internal" / "plan.json"
    sets = Plan.read(plan_path).sets if plan_path.is_file() else ()
    truth = read_truth(truth_path, sets=sets if len(sets) == 2 else ())
    scores: dict[str, Scores] = {}
    of_record = clusters(out)
    if (out / "internal" / "pairs").is_dir():
        pairs = kept_pairs(out, run["cluster_cutoff"])
        scores["pairs at or under the cutoff"] = pair_scores(pairs, truth, of_record or None)
    if of_record:
        scores["pairs within clusters"] = cluster_pair_scores(of_record, truth)
        scores["whole clusters"] = exact_cluster_scores(of_record, truth)
    return scores


def kept_pairs(out: Path, cutoff: int | None) -> Iterator[tuple[Identity, Identity]]:
    """The pairs of a run at or under a cutoff (None: all that were kept)."""
    for tag, payload in tagged_lines(out / "internal" / "pairs"):
        if tag == PAIRS:
            for pair in decode_pairs(payload):
                if cutoff is None or pair.distance <= cutoff:
                    yield pair.first, pair.second


def clusters(out: Path) -> dict[Identity, Identity]:
    """The cluster of every record of a run; none where it made no clusters."""
    members = (
        orjson.loads(payload)
        for tag, payload in tagged_lines(out / "internal" / "clusters")
        if tag == CLUSTERED
    )
    return {
        (set_name, record_id): (cluster_set, cluster_id)
        for _, cluster_set, cluster_id, set_name, record_id, *_ in members
    }
