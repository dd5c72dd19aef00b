"""Zingg's phases from Python programs: what stood under zingg.client stands under pehchan.zingg.client.

    from pehchan.zingg.client import *
    from pehchan.zingg.pipes import *

    args = Arguments()
    args.setFieldDefinition([FieldDefinition("name", "string", MatchType.FUZZY)])
    args.setData(CsvPipe("customers", "customers.csv", "id string, name string"))
    args.setOutput(CsvPipe("out", "out"))
    Zingg(args, ClientOptions([ClientOptions.PHASE, "trainMatch"])).initAndExecute()

There is no Spark here: records come back as pandas data frames.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from enum import IntEnum
from pathlib import Path
from typing import Any, NoReturn

from pehchan.console.pipeline import quiet_mrjob
from pehchan.learning.labels import MATCH, NO_MATCH, UNSURE
from pehchan.zingg.arguments import Arguments, ClientOptions, FieldDefinition, MatchType
from pehchan.zingg.command import clusters_of
from pehchan.zingg.configuration import Configuration, checked
from pehchan.zingg.entity_rows import ZINGG_ID
from pehchan.zingg.extras import library
from pehchan.zingg.labelling import label, marking_of, update_label
from pehchan.zingg.marking import ANSWER, CLUSTER, PREDICTION, ROW_ID, SCORE, SOURCE, Marking, Pairs, pairs_of
from pehchan.zingg.phases import PHASES, find_phase, run_phase
from pehchan.zingg.running import Asked, Run
from pehchan.zingg.wrapped import read_configuration_file

__all__ = [
    "Arguments",
    "ClientOptions",
    "ColName",
    "FieldDefinition",
    "LabelMatchType",
    "MatchType",
    "Zingg",
    "ZinggOptions",
    "ZinggWithSpark",
    "getDfFromDs",
    "getGateway",
    "getJVM",
    "getPandasDfFromDs",
    "getSparkContext",
    "getSparkSession",
    "getSqlContext",
    "initClient",
    "initDataBricksConectClient",
    "initSparkClient",
    "parseArguments",
]


class ZinggOptions:
    """The names of the phases."""

    FIND_TRAINING_DATA = "findTrainingData"
    LABEL = "label"
    FIND_AND_LABEL = "findAndLabel"
    UPDATE_LABEL = "updateLabel"
    TRAIN = "train"
    MATCH = "match"
    TRAIN_MATCH = "trainMatch"
    LINK = "link"
    RECOMMEND = "recommend"
    GENERATE_DOCS = "generateDocs"
    VERIFY_BLOCKING = "verifyBlocking"
    EXPLAIN = "explain"
    RUN_INCREMENTAL = "runIncremental"
    RUN_LOOKUP = "runLookup"
    DIFF = "diff"
    REASSIGN_ZINGG_ID = "reassignZinggId"
    EXPORT_MODEL = "exportModel"
    PEEK_MODEL = "peekModel"
    ASSESS_MODEL = "assessModel"


class LabelMatchType(IntEnum):
    """What z_isMatch says."""

    DO_NOT_MATCH = NO_MATCH
    MATCH = MATCH
    NOT_SURE = UNSURE


class ColName:
    """The columns that are made."""

    ID_COL = ROW_ID
    CLUSTER_COLUMN = CLUSTER
    ZINGG_ID_COLUMN = ZINGG_ID
    MATCH_FLAG_COL = ANSWER
    PREDICTION_COL = PREDICTION
    SCORE_COL = SCORE
    SCORE_MIN_COL = "z_minScore"
    SCORE_MAX_COL = "z_maxScore"
    SOURCE_COL = SOURCE
    STOPWORD_COL = "z_stopword"
    COUNT_COL = "z_count"


_told: set[str] = set()


def _tell_once(text: str) -> None:
    """Print it, unless it was said: a program runs one phase after the other with the same arguments."""
    if text not in _told:
        _told.add(text)
        print(text)


class Zingg:
    """A phase with its arguments."""

    def __init__(self, args: Arguments | None, options: ClientOptions):
        """args: None for those of the file that --conf names."""
        self.setArguments(args)
        self.setOptions(options)

    def setArguments(self, args: Arguments | None) -> None:
        self._args = args

    def getArguments(self) -> Arguments:
        if self._args is None:
            return Arguments.createArgumentsFromJSON(self._options.getConf() or "")
        return self._args

    def setOptions(self, options: ClientOptions) -> None:
        self._options = options

    def getOptions(self) -> ClientOptions:
        return self._options

    def init(self) -> None:
        """Check what is asked. Raises MistakesError with all that is wrong."""
        find_phase(self._options.getPhase())
        self._configuration()

    def execute(self) -> None:
        """Run the phase, and print what it did. Raises MistakesError before work starts, RunError after it."""
        quiet_mrjob(False)
        print(run_phase(self._options.getPhase(), self._configuration(), self._asked()))

    def initAndExecute(self) -> None:
        self.init()
        self.execute()

    def _configuration(self, args: Arguments | None = None) -> Configuration:
        configuration = (args or self.getArguments()).configuration()
        options = self._options.getClientOptions()
        names = ("zinggDir", "modelId", "column", "showConcise")
        given = {name: options[f"--{name}"] for name in names if f"--{name}" in options}
        original = options.get("--compareTo") or options.get("--originalZinggId")
        if original is not None:
            configuration = replace(configuration, original=read_configuration_file(original))
        return checked(configuration, given)

    def _asked(self) -> Asked:
        options = self._options.getClientOptions()
        return Asked(
            runner=options.get("--runner", "inline"),
            conf_path=options.get("--conf-path"),
            location=self._options.getLocation(),
            clusters=clusters_of(options.get("--cluster") or options.get("--zinggid")),
            tell=_tell_once,
        )

    def _run(self, args: Arguments | None = None) -> Run:
        # Nothing of what it is for here needs a folder of its own.
        return Run(replace(self._configuration(args), notices=()), self._asked(), Path())

    def executeLabel(self) -> None:
        """Ask on the terminal for the pairs that wait."""
        print(label(self._run()))

    def executeLabelUpdate(self) -> None:
        """Ask on the terminal for new answers to labelled pairs."""
        print(update_label(self._run()))

    def getMarkedRecords(self) -> Any:
        """The labelled pairs as a pandas data frame, two rows a pair; without rows where there are none."""
        run = self._run()
        marking = Marking(run.training_data)
        return self._frame(run, Pairs(marking.schema, tuple(marking.marked)))

    def getUnmarkedRecords(self) -> Any:
        """The pairs that wait for an answer, in the same way."""
        run = self._run()
        marking = Marking(run.training_data)
        return self._frame(run, Pairs(marking.schema, tuple(marking.waiting)))

    def _frame(self, run: Run, pairs: Pairs) -> Any:
        if not pairs.pairs:
            fields = [each.name for each in run.configuration.fields]
            columns = [ROW_ID, CLUSTER, PREDICTION, SCORE, ANSWER, *fields, SOURCE]
            return library("pandas").DataFrame(columns=columns)
        return pairs.table().to_pandas()

    def processRecordsCli(self, unmarkedRecords: Any, args: Arguments | None = None) -> Any:
        """Ask on the terminal for the pairs of a data frame; all that are labelled then. Answers are kept at once."""
        run = self._run(args)
        print(label(run, pairs_of(_arrow(unmarkedRecords), "unmarkedRecords")))
        return self.getMarkedRecords()

    def processRecordsCliLabelUpdate(self, lines: Any = None, args: Arguments | None = None) -> Any:
        """Ask on the terminal for new answers; all pairs that are labelled then. Answers are kept at once."""
        print(update_label(self._run(args)))
        return self.getMarkedRecords()

    def writeLabelledOutput(self, updatedRecords: Any, args: Arguments | None = None) -> None:
        """Keep the pairs of a data frame that have an answer: z_isMatch 1, 0 or 2 in both of their rows.

        A pair that is labelled already gets the new answer. Raises MistakesError where a row is no half of a pair.
        """
        run = self._run(args)
        there = run.training_data.marked.parent.is_dir()
        with marking_of(run, None if there else Pairs(library("pyarrow").schema([]))) as marking:
            where = "the data frame"
            pairs = pairs_of(marking.as_here(_arrow(updatedRecords)), where)
            for reason in pairs.odd:
                run.asked.tell(f"warning: {reason}")
            answered = tuple(pair for pair in pairs.pairs if pair.answer in tuple(LabelMatchType))
            if len(answered) < len(pairs.pairs):
                left = len(pairs.pairs) - len(answered)
                run.asked.tell(f"{left:,} pairs without an answer (z_isMatch 1, 0 or 2) still wait.")
            marking.keep(Pairs(pairs.schema, answered), where)

    def writeLabelledOutputFromPandas(self, candidate_pairs_pd: Any, args: Arguments | None = None) -> None:
        """The same."""
        self.writeLabelledOutput(candidate_pairs_pd, args)

    def getMarkedRecordsStat(self, markedRecords: Any, value: int) -> int:
        """How many pairs of a data frame have this answer."""
        frame = getPandasDfFromDs(markedRecords)
        return int(frame[frame[ANSWER] == int(value)][CLUSTER].nunique())

    def getMatchedMarkedRecordsStat(self, markedRecords: Any = None) -> int:
        return self._stat(markedRecords, LabelMatchType.MATCH)

    def getUnmatchedMarkedRecordsStat(self, markedRecords: Any = None) -> int:
        return self._stat(markedRecords, LabelMatchType.DO_NOT_MATCH)

    def getUnsureMarkedRecordsStat(self, markedRecords: Any = None) -> int:
        return self._stat(markedRecords, LabelMatchType.NOT_SURE)

    def _stat(self, records: Any, value: int) -> int:
        return self.getMarkedRecordsStat(self.getMarkedRecords() if records is None else records, value)


class ZinggWithSpark(Zingg):
    """The same: there is no Spark here."""


def _arrow(data: Any) -> Any:
    """A data frame as a pyarrow.Table."""
    pa = library("pyarrow")
    if isinstance(data, pa.Table):
        return data
    return pa.Table.from_pandas(getPandasDfFromDs(data), preserve_index=False)


def getPandasDfFromDs(data: Any) -> Any:
    """As a pandas data frame: one that is one already, or of pyarrow, Spark and others that can become one."""
    pandas = library("pandas")
    if isinstance(data, pandas.DataFrame):
        return data
    for name in ("to_pandas", "toPandas"):
        if hasattr(data, name):
            return getattr(data, name)()
    return pandas.DataFrame(data)


def getDfFromDs(data: Any) -> Any:
    """As it is: records come as pandas data frames."""
    return data


def initClient() -> None:
    """Nothing needs to be set up."""


def initSparkClient() -> None:
    """Nothing needs to be set up: there is no Spark here."""


def initDataBricksConectClient() -> None:
    """Nothing needs to be set up: there is no Spark here."""


def _no_spark(name: str) -> NoReturn:
    raise NotImplementedError(
        f"{name}: there is no Spark here. Records come as pandas data frames, files are read with pandas.read_csv "
        "or pandas.read_parquet; ClientOptions([..., '--runner', 'local']) uses all cores."
    )


def getSparkContext() -> NoReturn:
    _no_spark("getSparkContext")


def getSparkSession() -> NoReturn:
    _no_spark("getSparkSession")


def getSqlContext() -> NoReturn:
    _no_spark("getSqlContext")


def getJVM() -> NoReturn:
    _no_spark("getJVM")


def getGateway() -> NoReturn:
    _no_spark("getGateway")


def parseArguments(argv: Sequence[str]) -> list[str]:
    """The options among the words of a command line, for ClientOptions; --phase must be there."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--phase", required=True, choices=list(PHASES))
    words = list(argv)
    parser.parse_known_args(words)
    first = next(at for at, word in enumerate(words) if word.startswith("--"))
    return words[first:]
