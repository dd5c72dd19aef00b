"""The output of a run against the truth."""

from collections.abc import Iterator

import orjson

from pehchan.clustering.evaluation import Scores, cluster_pair_scores, exact_cluster_scores, pair_scores
from pehchan.clustering.truth import read_truth
from pehchan.console.output import read_run, tagged_lines
from pehchan.console.places import Place
from pehchan.metadata.plan import Plan
from pehchan.mrjobs.wire import CLUSTERED, PAIRS, Identity, Pairs


def evaluate(out: Place, truth_path: str) -> dict[str, Scores]:
    """Scores of what a run found, by name. Raises MistakesError where `out` or the truth cannot be used."""
    run = read_run(out)
    plan = out / "internal" / "plan.json"
    sets = Plan.from_dict(orjson.loads(plan.read())).sets if plan.exists() else ()
    truth = read_truth(truth_path, sets=sets if len(sets) == 2 else ())
    scores: dict[str, Scores] = {}
    of_record = clusters(out)
    if (out / "internal" / "pairs").exists():
        pairs = kept_pairs(out, run["cluster_cutoff"])
        scores["pairs at or under the cutoff"] = pair_scores(pairs, truth, of_record or None)
    if of_record:
        scores["pairs within clusters"] = cluster_pair_scores(of_record, truth)
        scores["whole clusters"] = exact_cluster_scores(of_record, truth)
    return scores


def kept_pairs(out: Place, cutoff: int | None) -> Iterator[tuple[Identity, Identity]]:
    """The pairs of a run at or under a cutoff (None: all that were kept)."""
    for tag, payload in tagged_lines([out / "internal" / "pairs"]):
        if tag == PAIRS:
            for pair in Pairs.decode(payload):
                if cutoff is None or pair.distance <= cutoff:
                    yield pair.first, pair.second


def clusters(out: Place) -> dict[Identity, Identity]:
    """The cluster of every record of a run; none where it made no clusters."""
    folder = out / "internal" / "clusters"
    members = (
        orjson.loads(payload)
        for tag, payload in tagged_lines([folder] if folder.exists() else [])
        if tag == CLUSTERED
    )
    return {
        (set_name, record_id): (cluster_set, cluster_id)
        for _, cluster_set, cluster_id, set_name, record_id, *_ in members
    }
