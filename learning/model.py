"""What was learnt: keys that find candidates, and a sum of evidence that says how sure a match is.

The model of a set of records is a file that people can read, model.json. Its numbers are rounded to six digits and
used as they are rounded, so that a model that was read is the one that was written.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pehchan.learning.em import Estimate
from pehchan.learning.evidence import Evidence, words_in_common
from pehchan.learning.fields import LearntField
from pehchan.learning.keys import Keys
from pehchan.learning.labels import MODEL_FILE
from pehchan.learning.lookalikes import Lookalikes
from pehchan.learning.odds import CUTOFF, steps_of
from pehchan.learning.patterns import Floats, Positions
from pehchan.learning.predicates import Key, Part
from pehchan.learning.table import Table
from pehchan.learning.whole_files import write_whole

VERSION = 1
#: Pairs whose features are in memory at a time.
AT_ONCE = 100_000
#: Name of the feature that says how much likelier a lookalike is than a match.
LOOKALIKE = "lookalike"
#: What adds to the log odds besides the fields: what they are without any evidence, less the threshold; and others,
#: by the name of their feature.
START = "to begin with"
OTHER_PARTS = {LOOKALIKE: "others may look as much alike", "record: words": "words of the whole records"}


@dataclass(frozen=True)
class Model:
    """How records of one entity differ.

    fields        that are compared
    keys          of which two records must share one to be a candidate pair
    estimate      how often matches and strangers agree
    lookalikes    the class between, if there is one
    coefficients  by the name of a feature, what it counts; features that are not named do not
    intercept     log odds of a pair without any evidence
    threshold     log odds from which a pair is a match
    clean         of two sets that are linked, those without duplicates: 0 the first, 1 the second
    learnt_from   numbers of what there was: records, pairs, labels
    findings      for people: what identifies, what finds candidates, how sure it is
    warnings      for people: what is not safe, and what to do about it
    """

    fields: tuple[LearntField, ...]
    keys: Keys
    estimate: Estimate
    lookalikes: Lookalikes | None
    coefficients: Mapping[str, float]
    intercept: float
    threshold: float = 0.0
    clean: tuple[int, ...] = ()
    learnt_from: Mapping[str, float] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def log_odds(self, table: Table, i: Positions, j: Positions) -> Floats:
        """float64[n]: of a match of the records in these rows of a table with the fields of the model.

        The same to the last bit in any order and company of the pairs.
        """
        found = np.empty(len(i))
        for start in range(0, len(i), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            found[part] = self._log_odds(table, i[part], j[part])
        return found

    def distances(self, table: Table, i: Positions, j: Positions) -> NDArray[np.int64]:
        """int64[n] from 0 to odds.SCALE: of the pairs, as pehchan.learning.odds has them."""
        steps = steps_of(bool(self.clean))
        above = np.clip((self.log_odds(table, i, j) - self.threshold) * steps, -CUTOFF, CUTOFF)
        # Up, so that no pair under the threshold is at the cutoff.
        return np.ceil(CUTOFF - above).astype(np.int64)

    def _log_odds(self, table: Table, i: Positions, j: Positions) -> Floats:
        total = np.full(len(i), self.intercept)
        evidence = Evidence.of(table, i, j)
        made = features(table, i, j, evidence, self.estimate, self.lookalikes, self.coefficients)
        for name, coefficient in self.coefficients.items():
            total += made[name] * coefficient
        return total

    def shares(self, table: Table, i: Positions, j: Positions) -> dict[str, Floats]:
        """What makes the log odds above the threshold of pairs, float64[n] each: every field, and what else counts.

        Their sum is `log_odds` less the threshold, but for the last digits.
        """
        evidence = Evidence.of(table, i, j)
        made = features(table, i, j, evidence, self.estimate, self.lookalikes, self.coefficients)
        found = {each.name: np.zeros(len(i)) for each in self.fields}
        found[START] = np.full(len(i), self.intercept - self.threshold)
        for name, coefficient in self.coefficients.items():
            of_field, _, _ = name.rpartition(": ")
            part = of_field if of_field in found else OTHER_PARTS.get(name, name)
            found[part] = found.get(part, 0.0) + made[name] * coefficient
        return found

    def write(self, folder: Path) -> None:
        """Into model.json in a folder, which is made where it is not there."""
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False)
        write_whole(folder / MODEL_FILE, (text + "\n").encode())

    @classmethod
    def read(cls, folder: Path) -> "Model":
        """From a folder. Raises ValueError, for a person, where there is no model that this version can read."""
        file = folder / MODEL_FILE
        try:
            given = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ValueError(f"{file} is not there.\nGive the folder that a model was learnt into.") from None
        except ValueError as error:
            raise ValueError(f"{file} is no model: {error}.\nLearn it anew.") from None
        if not isinstance(given, dict) or given.get("version") != VERSION:
            version = given.get("version") if isinstance(given, dict) else None
            raise ValueError(f"{file} has version {version!r}, this is {VERSION}.\nLearn it anew.")
        try:
            return cls.from_dict(given)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"{file} is no whole model: {error!r}.\nLearn it anew.") from None

    def to_dict(self) -> dict[str, Any]:
        """For JSON, in the order in which a person reads it."""
        looks = self.lookalikes
        return {
            "version": VERSION,
            "findings": list(self.findings),
            "warnings": list(self.warnings),
            "learnt from": dict(self.learnt_from),
            "without duplicates": list(self.clean),
            "threshold": self.threshold,
            "keys": {
                "texts": self.keys.texts(self.fields),
                "parts": [[[part.field, part.predicate] for part in key.parts] for key in self.keys.keys],
                "refinements": [[part.field, part.predicate] for part in self.keys.refinements],
                "recall": self.keys.recall,
                "cost": self.keys.cost,
            },
            "intercept": self.intercept,
            "coefficients": dict(self.coefficients),
            "share of matches": self.estimate.share,
            "lookalikes": None if looks is None else {"share": looks.share, "at random": list(looks.fields)},
            "fields": [
                {
                    "levels of matches": self.estimate.m[k].tolist(),
                    "levels of strangers": self.estimate.u[k].tolist(),
                    **({} if looks is None else {"levels of lookalikes": looks.m[k].tolist()}),
                    **each.to_dict(),
                }
                for k, each in enumerate(self.fields)
            ],
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> "Model":
        fields, m, u, alike = [], [], [], []
        for each in given["fields"]:
            rest = dict(each)
            m.append(np.array(rest.pop("levels of matches")))
            u.append(np.array(rest.pop("levels of strangers")))
            alike.append(np.array(rest.pop("levels of lookalikes", ())))
            fields.append(LearntField.from_dict(rest))
        keys, looks = given["keys"], given["lookalikes"]
        return cls(
            tuple(fields),
            Keys(
                tuple(Key(tuple(Part(*part) for part in parts)) for parts in keys["parts"]),
                tuple(Part(*part) for part in keys["refinements"]),
                keys["recall"],
                keys["cost"],
            ),
            Estimate(m, u, given["share of matches"]),
            None if looks is None else Lookalikes(alike, looks["share"], looks["at random"]),
            given["coefficients"],
            given["intercept"],
            given["threshold"],
            tuple(given["without duplicates"]),
            given["learnt from"],
            tuple(given["findings"]),
            tuple(given["warnings"]),
        )


def features(
    table: Table,
    i: Positions,
    j: Positions,
    evidence: Evidence,
    estimate: Estimate,
    lookalikes: Lookalikes | None,
    wanted: Mapping[str, float] | None = None,
) -> dict[str, Floats]:
    """By name, float64[n] of each pair: what the log odds are a weighted sum of.

    "name: weight" of a field is the log ratio of matches and strangers for its level and its value, "name: alike" its
    similarity, where it is missing that of neither; then what words have in common, and what lookalikes take away.
    wanted  names of those that are needed; None for all
    """
    found: dict[str, Floats] = {}
    weights = evidence.weights(estimate)
    for place, each in enumerate(evidence.fields):
        found[f"{each.name}: weight"] = weights[:, place]
        alike = evidence.similarities[:, place]
        found[f"{each.name}: alike"] = np.where(np.isnan(alike), 0.5, alike)
    if lookalikes is not None:
        total = np.full(len(i), estimate.prior_log_odds)
        for place in range(weights.shape[1]):
            total += weights[:, place]
        # What is left of the log odds against strangers against strangers and lookalikes, at most 0.
        found[LOOKALIKE] = -np.logaddexp(0.0, total - lookalikes.contrast(evidence.levels, estimate))
    if wanted is None or any(name not in found for name in wanted):
        names, words = words_in_common(table, i, j)
        found.update(zip(names, words, strict=True))
    return found


def rounded(number: float) -> float:
    """To six digits that count."""
    return float(f"{number:.6g}")


def rounded_all(distributions: Sequence[Floats]) -> list[Floats]:
    """Each number of each to six digits that count."""
    return [np.array([*map(rounded, each.tolist())]) for each in distributions]
