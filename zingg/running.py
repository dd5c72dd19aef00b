"""A phase at work: what is asked of it, and what phases have in common."""

import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pehchan.console.pipeline import Request, Result
from pehchan.console.progress import Progress
from pehchan.metadata.mistakes import Mistake, Mistakes, MistakesError
from pehchan.zingg.configuration import Configuration
from pehchan.zingg.extras import library
from pehchan.zingg.labels import Answers, read_answers
from pehchan.zingg.reading import check_pipe_in
from pehchan.zingg.records import (
    Columns,
    StopWords,
    compared,
    read_stop_words,
    write_records,
    write_schema,
)
from pehchan.zingg.sources import Sources, read_pipes
from pehchan.zingg.training_data import TrainingData
from pehchan.zingg.writing import check_pipe_out, write_pipe

pa = library("pyarrow")


@dataclass(frozen=True)
class Asked:
    """What is asked of a phase besides the configuration.

    clusters  one z_cluster of the result, or two, to be explained
    command   words of the command that runs another phase of it but for the phase; () where there is none
    tell      takes what a person is to know before the end: notices and warnings
    """

    runner: str = "inline"
    conf_path: str | None = None
    quiet: bool = False
    location: str | None = None
    clusters: Sequence[str] = ()
    command: Sequence[str] = ()
    tell: Callable[[str], None] = print

    def next(self, phase: str) -> str:
        """How to run another phase."""
        return shlex.join([*self.command, "--phase", phase]) if self.command else f"the phase {phase}"


@dataclass
class Run:
    """A phase at work.

    here  a folder of this machine that is gone afterwards
    """

    configuration: Configuration
    asked: Asked
    here: Path
    progress: Progress = field(init=False)

    def __post_init__(self) -> None:
        self.progress = Progress(quiet=self.asked.quiet)
        self.columns: Columns = compared(self.configuration.fields)
        self._stop_words: StopWords | None = None

    @property
    def folder(self) -> Path:
        """Of all that belongs to the model."""
        return Path(self.configuration.zingg_dir) / self.configuration.model_id

    @property
    def model(self) -> Path:
        return self.folder / "model"

    @property
    def training_data(self) -> TrainingData:
        return TrainingData(self.folder / "trainingData")

    @property
    def stop_words(self) -> StopWords:
        if self._stop_words is None:
            self._stop_words = read_stop_words(self.configuration.fields, self.here)
        return self._stop_words

    def read(self) -> Sources:
        """The records of the data pipes. Raises MistakesError where there are none."""
        configuration = self.configuration
        with self.progress.stage("read pipes"):
            sources = read_pipes(
                configuration.data,
                configuration.fields,
                self.here / "data",
                self.folder / "rejected",
                self.asked.tell,
            )
        if not sources.rows:
            places = ", ".join(pipe.where for pipe in configuration.data)
            raise MistakesError([Mistake(places, "no records.", "Give pipes that hold some.")])
        return sources

    def answers(self, sources: Sources, with_waiting: bool = False) -> Answers:
        return read_answers(
            self.configuration,
            self.training_data,
            self.columns,
            self.stop_words,
            self.here / "samples",
            self.asked.tell,
            sources,
            with_waiting,
        )

    def request(self, command: str, records: Sequence[str], out: str = "", link_as: str = "") -> Request:
        """What is asked of pehchan's own pipeline; of links, of which kind."""
        schema = self.here / "schema.json"
        write_schema(self.columns, schema)
        return Request(
            command,
            records,
            out,
            schema=str(schema),
            defines=[f"link.as={link_as}"] if link_as else [],
            runner=self.asked.runner,
            conf_path=self.asked.conf_path,
            link=bool(link_as),
        )

    def records(self, sources: Sequence[int], of: Sources, name: str = "records") -> str:
        """A file of the records of some of the sources."""
        path = self.here / f"{name}.csv"
        with self.progress.stage("write records"):
            write_records([of.each[number] for number in sources], self.columns, self.stop_words, path)
        return str(path)

    def announce(self, result: Result) -> None:
        for warning in result.warnings:
            self.asked.tell(f"warning: {warning}")

    def check_pipes(self, output: bool = False) -> None:
        """Raises MistakesError with all that is wrong with the pipes, as far as that is seen before they are read."""
        configuration, mistakes = self.configuration, Mistakes()
        inputs = (*configuration.data, *configuration.training_samples)
        for pipe in inputs:
            check_pipe_in(pipe, mistakes)
        if output and not configuration.output:
            right = 'Give output: [{"name": "out", "format": "csv", "props": {"location": "out", "header": true}}].'
            mistakes.add("output", "no pipe says where the result goes.", right)
        for pipe in configuration.output if output else ():
            check_pipe_out(pipe, configuration.model_id, mistakes, inputs)
        mistakes.raise_if_any()
        for warning in mistakes.warnings:
            self.asked.tell(f"warning: {warning}")

    def write(self, made: Callable[[], tuple[Iterator["pa.RecordBatch"], "pa.Schema"]]) -> str:
        """Write a result to all pipes of the output; where it is, for a person."""
        told = []
        with self.progress.stage("write"):
            for pipe in self.configuration.output:
                batches, schema = made()
                written = write_pipe(pipe, batches, schema, self.configuration.model_id)
                place = next(
                    (
                        pipe.props[key]
                        for key in ("location", "path", "dbtable", "table")
                        if key in pipe.props
                    ),
                    pipe.name,
                )
                told.append(
                    f"written to {place}" if written is not None else f"{place} was there, and is as it was"
                )
        return "\n".join(told)
