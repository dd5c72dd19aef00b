"""What pehchan plans for a run, and what the run then does, side by side."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watching import watch

from pehchan.console.pipeline import Request
from pehchan.console.planning import Forecast, forecast


@dataclass(frozen=True)
class Asked:
    """What is asked of `pehchan similarity`: its inputs, properties or a schema, and properties over those."""

    inputs: tuple[Path, ...]
    properties: Path | None = None
    schema: Path | None = None
    defines: tuple[str, ...] = ()

    def planned(self) -> "Planned":
        """What the plan says of it."""
        request = Request(
            "plan",
            [str(path) for path in self.inputs],
            "",
            self.properties and str(self.properties),
            self.schema and str(self.schema),
            self.defines,
            runner="local",
            clusters=False,
        )
        return Planned(forecast(request)[1])

    def run(self, folder: Path) -> "Done":
        """Run it with -r local, to `out` in a folder."""
        arguments = ["similarity", *map(str, self.inputs), "-o", "out", "--overwrite"]
        arguments += ["-p", str(self.properties)] if self.properties else []
        arguments += ["-s", str(self.schema)] if self.schema else []
        seconds, tasks = watch(
            [*arguments, *(word for each in self.defines for word in ("-D", each))], folder
        )
        return Done(
            folder / "out",
            seconds,
            tasks[0].megabytes,
            json.loads((folder / "out" / "run.json").read_text())["counters"],
        )


@dataclass(frozen=True)
class Planned:
    """A plan, in the words of the measurements."""

    forecast: Forecast

    @property
    def records(self) -> int:
        return sum(self.forecast.look.counted.records.values())

    @property
    def pairs(self) -> float:
        """All pairs that may meet."""
        found = self.forecast.look.pairs
        return self.records * (self.records - 1) / 2 if found is None else found

    @property
    def candidates(self) -> float:
        """The pairs that are to be compared."""
        index = self.forecast.index
        # That of one cell, in which the records of two buckets meet as if they were of one.
        return self.pairs if index is None else self.pairs * index.candidates / max(1.0, index.all_pairs)

    @property
    def error(self) -> float:
        """The standard error of their number, for the records that it is from."""
        return self.forecast.searches[0].error if self.forecast.searches else 0.0

    @property
    def seconds(self) -> float:
        """To read and to compare, without the start of the jobs."""
        return self.forecast.read_seconds + (self.forecast.compare_seconds or 0.0)

    @property
    def search(self) -> str:
        return "signatures" if self.forecast.index else "tiles"

    def __str__(self) -> str:
        """The search, the cells, and the limits of the fields by which pairs are found."""
        cells = f"{self.forecast.cells} cell{'s' if self.forecast.cells != 1 else ''}"
        if self.forecast.index is None:
            return f"{self.search}, {cells}"
        fields = self.forecast.plan.schema.fields
        limits = self.forecast.index.limits.items()
        return f"{self.search}, {cells}: " + ", ".join(
            f"{fields[number].name} {limit:.3f}" for number, limit in limits
        )


@dataclass(frozen=True)
class Done:
    """A run: where its output is, how long it took from start to end, its largest task, and what it counted."""

    out: Path
    seconds: float
    megabytes: float
    counters: dict[str, dict[str, Any]]

    @property
    def compared(self) -> int:
        return self.counters["Pairs"].get("Compared", 0)

    @property
    def kept(self) -> int:
        return self.counters["Pairs"].get("Kept", 0)
