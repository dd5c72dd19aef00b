"""A report in words and numbers, as its page shows them."""

from collections.abc import Callable, Mapping
from typing import Any

from pehchan.clustering.evaluation import best_cutoff
from pehchan.console import plots
from pehchan.console.masking import Masking
from pehchan.console.report import FieldOfPairs, Report
from pehchan.console.report_values import SideBySide
from pehchan.console.scale_words import ScaleWords
from pehchan.learning.model import Model
from pehchan.metadata.properties import KEYS, Settings
from pehchan.metadata.schemas import native_text

#: Points of a curve.
POINTS = 200

#: Fields that have a plot.
PLOTS = 24

#: Sizes of clusters that have a bar of their own.
SIZES = 15


class Told:
    """A report in words and numbers as the template shows them."""

    def __init__(self, report: Report, masking: Masking | None):
        self._report = report
        self._scale = ScaleWords(report.plan, report.cutoff)
        self._beside = SideBySide(report.plan, self._scale, masking)
        self._fields = [field.name for field in report.plan.schema.fields]

    def context(self) -> dict[str, Any]:
        """What the template is given."""
        run = self._report.run
        inputs = ", ".join(run["inputs"])
        drawn, places = self._field_plots()
        specs: dict[str, Any] = {"distances": self._distances_plot(), **drawn}
        sizes = self._sizes()
        specs["sizes"] = plots.sizes_plot(sizes)
        truth = self._truth()
        if truth and truth["curve"]:
            specs["curve"] = truth.pop("plot")
        contents = [
            *(("asked", "Asked"), ("happened", "Happened"), ("distances", "Distances"), ("fields", "Fields")),
            *(("clusters", "Clusters"), ("pairs", "Doubtful pairs")),
            *([("truth", "Truth")] if truth else []),
        ]
        return {
            "title": f"pehchan {run['command']}: {inputs}",
            "lead": self._lead(),
            "contents": contents,
            "asked": self._asked(),
            "schema": native_text(run["schema"]) if run["schema"] else "",
            "settings": self._settings(),
            "findings": list(Model.from_dict(self._report.plan.model).findings)
            if self._report.plan.model
            else [],
            "warnings": [*run["warnings"], *((run["model"] or {}).get("warnings", []))],
            "happened": self._happened(),
            "stages": self._stages(),
            "memory": self._memory(),
            "words": self._words(),
            "cuts_head": ["", self._scale.name, "pairs", "beside now", "how it is known"],
            "cuts": self._cuts(),
            "bars": self._bar_rows(),
            "fields_head": [
                "field",
                "compared as",
                "missing",
                "different values",
                "mean distance, kept",
                "refused",
            ],
            "fields": self._field_rows(),
            "field_plots": places,
            "parts_head": ["field", "pairs", *self._part_names(), "missing"],
            "parts": self._part_rows(),
            "weights": self._weights(),
            "sizes": [[size, f"{count:,}"] for size, count in sizes],
            "clusters": [
                self._beside.cluster(shown.doubt, shown.records) for shown in self._report.shown_clusters
            ],
            "pairs": [self._beside.pair(shown) for shown in self._report.shown_pairs],
            "truth": truth,
            "versions": ", ".join(f"{name} {number}" for name, number in run["versions"].items()),
            "plots": plots.as_json(specs),
        }

    # What was asked, and what happened.

    def _lead(self) -> str:
        counts, report = self._report.run["counters"], self._report
        clusters = counts.get("Clusters", {})
        kept = sum(count for distance, count in report.pairs.distances.items() if distance <= report.cutoff)
        return (
            f"{report.records.number:,} records, {kept:,} pairs {self._scale.within}, "
            f"{clusters.get('All', 0):,} clusters, {clusters.get('Of two or more', 0):,} of them of two records "
            "or more."
        )

    def _asked(self) -> list[list[str]]:
        run, plan = self._report.run, self._report.plan
        rows = [
            ["command", run["command"]],
            ["inputs", ", ".join(run["inputs"])],
            ["properties", run["properties"] or "none"],
            *([["decisions", run["decisions"]]] if run.get("decisions") else []),
            ["runner", run["runner"]],
            ["started", run["started"]],
            ["records meet", JOINS[plan.join]],
            ["sets", ", ".join(name for name in plan.sets if name) or "one"],
            ["cutoff", self._scale.cutoff],
            ["clusters", f"by {plan.settings.cluster_by}"],
        ]
        if plan.join != "learnt":
            names = [self._fields[number] for number in plan.index_limits]
            by = f"an index of {', '.join(names)}" if names else "comparison of whole tiles"
            rows.insert(6, ["pairs are found by", by])
        return rows

    def _settings(self) -> list[list[str]]:
        default, given = Settings().to_dict(), self._report.run["settings"]
        return [
            [KEYS[name].name if name in KEYS else name, str(value)]
            for name, value in given.items()
            if value != default.get(name)
        ]

    def _happened(self) -> list[list[str]]:
        return [
            [f"{group}: {name[:1].lower()}{name[1:]}", f"{amount:,}"]
            for group, named in self._report.run["counters"].items()
            for name, amount in named.items()
        ]

    def _stages(self) -> list[list[str]]:
        seconds = self._report.run["seconds"]
        total = sum(seconds.values())
        rows = [[name, f"{took:,.1f}", f"{took / max(total, 1e-9):.0%}"] for name, took in seconds.items()]
        return [*rows, ["together", f"{total:,.1f}", ""]]

    def _memory(self) -> str:
        peak = self._report.run.get("memory_mb")
        if peak is None:
            return "Memory: tasks ran elsewhere, and nobody measured it."
        return f"Memory: at most {peak:,} MB in one process."

    # Distances.

    def _words(self) -> dict[str, str]:
        report, beyond, scale = self._report, self._report.beyond, self._scale
        if beyond.whole:
            sampled = (
                f"Beyond it, all {beyond.records:,} records were compared with each other for this report"
            )
        else:
            sampled = (
                f"What lies beyond it no index looks at: that is told by {beyond.records:,} records, chosen by a "
                f"hash of their ids and compared with each other for this report. Each of their "
                f"{beyond.pairs:,} pairs stands for about {beyond.times:,.0f}"
            )
        if report.plan.join in ("blocking", "learnt"):
            sampled += "; they are compared whether they share a key or not"
        if beyond.cut:
            sampled += f". A field's threshold cuts {beyond.cut:,} of these pairs, which are not shown"
        if not beyond.whole and report.plan.model is None:
            sampled += (
                ". A run with a larger sts.dist.threshold, and this cutoff as --cutoff, counts what is beyond"
            )
        kept = len(report.pairs.sample)
        refused = f"{report.refused_pairs:,} refused ones, the nearest of the sample"
        told = len(self._told_fields())
        drawn = ""
        if told > PLOTS:
            drawn = f" Drawn are the {PLOTS} of {told:,} fields in which these two differ most; the tables hold all."
        return {
            "distances": scale.heading,
            "kept": f"Exact up to {scale.shown(report.plan.cutoff)}, up to which pairs were kept.",
            "sampled": sampled + ".",
            "outlined": "all pairs of the sample" if beyond.whole else "the sample, times what it stands for",
            "fields": f"Distances of a field are from 0 (equal) to 1, here of {_many(kept, 'pair')} that "
            f"{'was' if kept == 1 else 'were'} kept, chosen by a hash, and of {refused}.{drawn}",
            "clusters": self._clusters_said(),
            "pairs": f"Those nearest to the cutoff ({scale.cutoff}), on either side of it. {scale.adding} The dashed "
            f"line is {scale.line}.",
            "adds": scale.adds,
            "running": "added up",
        }

    def _clusters_said(self) -> str:
        several, sparse = sum(self._report.sizes.values()), self._report.sparse
        alone = self._report.run["counters"].get("Clusters", {}).get("All", several) - several
        if not several:
            return f"There is no cluster of two records or more: all {_many(alone, 'record')} stand alone."
        largest = max(self._report.sizes)
        not_all = f"In {_many(sparse, 'cluster')} not all pairs" if sparse else "In all of them all pairs"
        return (
            f"{_many(several, 'cluster')} of two records or more, the largest of {largest:,}, and "
            f"{_many(alone, 'record')} alone. {not_all} are under the cutoff."
        )

    def _bars(self) -> tuple[list[tuple[float, float, float]], list[tuple[float, float, float]]]:
        """(from, to, pairs) of what was kept, and of the sample times what it stands for beyond that."""
        report = self._report
        kept, limit = report.pairs.distances, report.plan.cutoff
        sampled = {distance: n for distance, n in report.beyond.distances.items() if distance > limit}
        every = [*kept, *sampled, report.cutoff]
        low, high = min(every), max(every)
        wide = max(1, -(-(high - low + 1) // plots.BARS))
        found = []
        for counts, times in ((kept, 1.0), (sampled, report.beyond.times)):
            of_bar: dict[int, float] = {}
            for distance, count in counts.items():
                # No bar lies on both sides of the cutoff.
                bar = -((report.cutoff - distance) // wide)
                of_bar[bar] = of_bar.get(bar, 0.0) + count * times
            ends = [
                (max(low - 1, report.cutoff + (bar - 1) * wide), min(high, report.cutoff + bar * wide), pairs)
                for bar, pairs in sorted(of_bar.items())
            ]
            found.append([(*sorted(map(self._scale.at, ends)), pairs) for *ends, pairs in ends])
        return found[0], found[1]

    def _distances_plot(self) -> dict[str, Any]:
        kept, sampled = self._bars()
        return plots.distances_plot(kept, sampled, self._scale.at(self._report.cutoff), self._scale.name)

    def _bar_rows(self) -> list[list[str]]:
        kept, sampled = self._bars()
        rows: dict[tuple[float, float], list[str]] = {}
        for place, bars in enumerate((kept, sampled)):
            for start, end, pairs in bars:
                about = "" if place == 0 or self._report.beyond.whole else "about "
                rows.setdefault((start, end), ["", ""])[place] = f"{about}{pairs:,.0f}"
        return [[f"{start:g}", f"{end:g}", *numbers] for (start, end), numbers in rows.items()]

    def _cuts(self) -> list[list[str]]:
        report = self._report
        now = next(cut.pairs for cut in report.cuts if cut.cutoff >= report.cutoff)
        rows = []
        for cut in report.cuts:
            known = "counted"
            if cut.found is not None:
                known = f"{cut.found:,} more in the sample" if cut.exact else self._estimated(cut.found)
            about = "" if cut.exact else "about "
            more = cut.pairs - now
            rows.append(
                [
                    "now" if cut.cutoff == report.cutoff else "",
                    self._scale.shown(cut.cutoff),
                    f"{about}{cut.pairs:,}",
                    f"{more:+,}" if more else "as many",
                    known,
                ]
            )
        return rows

    def _estimated(self, found: int) -> str:
        times = self._report.beyond.times
        if not found:
            # 95 % of samples show one where there are three times as many as each stands for.
            return f"none of the sample; there may be up to about {3 * times:,.0f} more"
        return f"{found:,} of the sample, times {times:,.0f}"

    # Fields.

    def _field_rows(self) -> list[list[str]]:
        report, rows = self._report, []
        records = max(1, report.records.number)
        means = dict.fromkeys(self._fields, ("", ""))
        for name, accepted, refused in zip(self._told_fields(), report.accepted, report.refused, strict=True):
            means[name] = (_mean(accepted), _mean(refused))
        for seen, field in zip(report.fields, report.plan.schema.fields, strict=True):
            about = "" if seen.exact else "about "
            missing = f"{seen.missing:,} ({seen.missing / records:.1%})"
            measure = field.measure if report.plan.model is None else self._kind(field.name)
            rows.append([field.name, measure, missing, f"{about}{seen.distinct:,}", *means[field.name]])
        return rows

    def _told_fields(self) -> list[str]:
        """The fields of which there are distances."""
        model = self._report.plan.model
        return self._fields if model is None else [each["name"] for each in model["fields"]]

    def _kind(self, name: str) -> str:
        model = self._report.plan.model or {"fields": []}
        return next((each["kind"] for each in model["fields"] if each["name"] == name), "not learnt from")

    def _field_plots(self) -> tuple[dict[str, Any], list[tuple[str, int]]]:
        specs, places = {}, []
        both = list(zip(self._told_fields(), self._report.accepted, self._report.refused, strict=True))
        gaps = [abs((refused.mean or 0.0) - (accepted.mean or 0.0)) for _, accepted, refused in both]
        most = sorted(range(len(both)), key=lambda number: -gaps[number])[:PLOTS]
        for number in sorted(most):
            name, accepted, refused = both[number]
            specs[f"field-{number}"] = plots.field_plot(_shares(accepted), _shares(refused))
            places.append((name, number))
        return specs, places

    def _part_names(self) -> list[str]:
        bins = len(self._report.accepted[0].counts) if self._report.accepted else 0
        return [f"to {(k + 1) / bins:.1f}" for k in range(bins)]

    def _part_rows(self) -> list[list[str]]:
        rows = []
        both = zip(self._told_fields(), self._report.accepted, self._report.refused, strict=True)
        for name, *sides in both:
            for what, side in zip(("kept", "refused"), sides, strict=True):
                rows.append([name, what, *(f"{n:,}" for n in side.counts.tolist()), f"{side.missing:,}"])
        return rows

    def _weights(self) -> list[list[str]]:
        """Of a model, what the levels of each field say."""
        if self._report.plan.model is None:
            return []
        model = Model.from_dict(self._report.plan.model)
        rows = []
        for field, weights in zip(model.fields, model.estimate.weights, strict=True):
            times = model.coefficients.get(f"{field.name}: weight", 0.0)
            levels = [f"{weight * times:+.1f}" for weight in weights[1:].tolist()]
            rows.append([field.name, field.kind, levels[-1], levels[0], " ".join(levels)])
        return rows

    # Clusters.

    def _sizes(self) -> list[tuple[str, int]]:
        sizes = self._report.sizes
        several = sum(sizes.values())
        alone = self._report.run["counters"].get("Clusters", {}).get("All", several) - several
        listed = sorted(sizes.items())
        if alone:
            listed.insert(0, (1, alone))
        rest = listed[SIZES:]
        found = [(str(size), count) for size, count in listed[:SIZES]]
        if rest:
            found.append((f"{rest[0][0]:,} to {rest[-1][0]:,}", sum(count for _, count in rest)))
        return found

    # The truth.

    def _truth(self) -> dict[str, Any] | None:
        truth = self._report.truth
        if truth is None:
            return None
        scores = [
            [name, *(f"{share:.4f}" for share in (each.precision, each.recall, each.f1))]
            + [f"{n:,}" for n in (each.true_positive, each.predicted, each.actual)]
            for name, each in truth.scores.items()
        ]
        if truth.measures is not None:
            of = truth.measures
            scores.append(["b-cubed", *(f"{n:.4f}" for n in (of.precision, of.recall, of.f1)), "", "", ""])
        best = best_cutoff(truth.curve)
        said = "" if best is None else f"The best F1 of pairs is at {self._scale.shown(best.cutoff)}."
        step = max(1, -(-len(truth.curve) // POINTS))
        points = [*truth.curve[::-1][::step]][::-1]
        chosen = [point.cutoff for point in points if point.cutoff <= self._report.cutoff]
        at: Callable[[int], float] = self._scale.at
        plot = plots.curve_plot(
            [(at(point.cutoff), point.scores.precision, point.scores.recall) for point in points],
            at(chosen[-1]) if chosen else None,
        )
        rows: Mapping[int, Any] = {point.cutoff: point.scores for point in points}
        return {
            "scores": scores,
            "said": said,
            "curve": [
                [self._scale.shown(cutoff), *(f"{n:.4f}" for n in (each.precision, each.recall, each.f1))]
                for cutoff, each in rows.items()
            ],
            "plot": plot,
        }


#: How records meet, by what the plan says.
JOINS = {
    "all_pairs": "every two",
    "same_id": "where they share an id",
    "blocking": "where they share a blocking key",
    "learnt": "where they share a learnt key",
}


def _many(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def _mean(field: FieldOfPairs) -> str:
    return "" if field.mean is None else f"{field.mean:.3f}"


def _shares(field: FieldOfPairs) -> list[float]:
    there = max(1, int(field.counts.sum()))
    return [count / there for count in field.counts.tolist()]
