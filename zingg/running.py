"""A phase at work: what is asked of it, and what phases have in common."""

import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pehchan.console.pipeline import Request, Result
from pehchan.console.progress import Progress
from pehchan.metadata.mistakes import Mistake, Mistakes, MistakesError
from pehchan.zingg.configuration import Configuration, FieldDefinition, Pipe
from pehchan.zingg.extras import library
from pehchan.zingg.kept_rows import KeptRows
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


def folder_of(configuration: Configuration) -> Path:
    """The folder of all that belongs to a model."""
    return Path(configuration.zingg_dir) / configuration.model_id


def state_of(configuration: Configuration) -> Path:
    """The folder of the entities of a model, of records with a primary key."""
    return folder_of(configuration) / "state"


@dataclass(frozen=True)
class Asked:
    """What is asked of a phase besides the configuration.

    clusters  one z_cluster or ZINGG_ID of the result, or two, to be explained
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
        return folder_of(self.configuration)

    @property
    def model(self) -> Path:
        return self.folder / "model"

    @property
    def state(self) -> Path:
        """Where entities are kept, of records with a primary key."""
        return state_of(self.configuration)

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
        sources = self.read_of(configuration.data, "data", configuration.fields)
        if not sources.rows:
            places = ", ".join(pipe.where for pipe in configuration.data)
            raise MistakesError([Mistake(places, "no records.", "Give pipes that hold some.")])
        return sources

    def read_of(self, pipes: Sequence[Pipe], name: str, fields: Sequence[FieldDefinition]) -> Sources:
        """The records of some pipes, of which each has to have the columns of these fields."""
        rejected = self.folder / "rejected"
        if name != "data":
            rejected /= name
        with self.progress.stage("read pipes"):
            return read_pipes(pipes, fields, self.here / name, rejected, self.asked.tell)

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

    def records(
        self,
        sources: Sequence[int],
        of: Sources,
        name: str = "records",
        keys: Sequence[str] | None = None,
        rows: KeptRows | None = None,
    ) -> str:
        """A file of the records of some of the sources; with keys in the place of z_zid, and whole rows as text."""
        path = self.here / f"{name}.csv"
        some = [of.each[number] for number in sources]
        with self.progress.stage("write records"):
            write_records(some, self.columns, self.stop_words, path, keys, rows)
        return str(path)

    def announce(self, result: Result) -> None:
        for warning in result.warnings:
            self.asked.tell(f"warning: {warning}")

    def check_pipes(self, output: bool = False) -> None:
        """Raises MistakesError with all that is wrong with the pipes, as far as that is seen before they are read."""
        configuration = self.configuration
        inputs = (*configuration.data, *configuration.training_samples)
        if output and not configuration.output:
            right = 'Give output: [{"name": "out", "format": "csv", "props": {"location": "out", "header": true}}].'
            raise MistakesError([Mistake("output", "no pipe says where the result goes.", right)])
        self.check_pipes_of(inputs, configuration.output if output else ())

    def check_pipes_of(self, inputs: Sequence[Pipe], outputs: Sequence[Pipe]) -> None:
        """The same of pipes that are read, and such as are written."""
        mistakes = Mistakes()
        for pipe in inputs:
            check_pipe_in(pipe, mistakes)
        for pipe in outputs:
            check_pipe_out(pipe, self.configuration.model_id, mistakes, inputs)
        mistakes.raise_if_any()
        for warning in mistakes.warnings:
            self.asked.tell(f"warning: {warning}")

    def write(
        self,
        made: Callable[[], tuple[Iterator["pa.RecordBatch"], "pa.Schema"]],
        pipes: Sequence[Pipe] | None = None,
    ) -> str:
        """Write a result to some pipes, or to all of the output; where it is, for a person."""
        told = []
        with self.progress.stage("write"):
            for pipe in self.configuration.output if pipes is None else pipes:
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
