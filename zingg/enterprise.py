"""What programs for Zingg's enterprise edition import: arguments and pipes of entities that stay.

    from pehchan.zingg.enterprise import *

    args = EArguments()
    id = EFieldDefinition("id", "string", MatchType.DONT_USE)
    id.setPrimaryKey(True)
    …
    EZingg(args, ClientOptions([ClientOptions.PHASE, "trainMatch"])).initAndExecute()

    incremental = IncrementalArguments()
    incremental.setParentArgs(args)
    incremental.setIncrementalData(ECsvPipe("more", "more.csv", "id string, name string"))
    EZingg(incremental, ClientOptions([ClientOptions.PHASE, "runIncremental"])).initAndExecute()

The modules of pehchan.zinggEC and pehchan.zinggES have the same names.
"""

from collections.abc import Sequence
from typing import Any

from pehchan.zingg import client, pipes
from pehchan.zingg.arguments import Arguments, ClientOptions, FieldDefinition, each_of
from pehchan.zingg.client import *  # noqa: F403
from pehchan.zingg.client import Zingg
from pehchan.zingg.pipes import *  # noqa: F403
from pehchan.zingg.pipes import BigQueryPipe, CsvPipe, Pipe, SnowflakePipe, UCPipe

__all__ = [
    *client.__all__,
    *pipes.__all__,
    "CompareArguments",
    "DeterministicMatching",
    "EArguments",
    "EBigQueryPipe",
    "EClientOptions",
    "ECsvPipe",
    "EFieldDefinition",
    "EPipe",
    "ESnowflakePipe",
    "EUCPipe",
    "EZingg",
    "ExplainArguments",
    "IncrementalArguments",
    "LookupArguments",
    "TransformedOutputArguments",
]


class EFieldDefinition(FieldDefinition):
    """A field, which may be the primary key."""

    def setPrimaryKey(self, primaryKey: bool) -> None:
        """Whether it says which record is which, alone or with other fields."""
        self._data["primaryKey"] = bool(primaryKey)

    def setPostProcessors(self, processors: Any) -> None:
        """Refused when a phase runs: it is not built."""
        self._data["postProcessors"] = str(processors)


class DeterministicMatching:
    """Fields that make a match where all are equal. A phase refuses it: it is not built."""

    def __init__(self, *fields: str):
        self.condition = {"matchCondition": [{"fieldName": field} for field in fields]}


class EArguments(Arguments):
    """The configuration of a program; fields may be a primary key."""

    def setBlockingModel(self, model: str) -> None:
        """Taken, and not needed."""
        self._data["blockingModel"] = model

    def setOutputStats(self, pipe: Pipe) -> None:
        """Taken, and not needed."""
        self._data["outputStats"] = pipe.getPipe()

    def setPassthroughExpr(self, expression: str) -> None:
        """Refused when a phase runs: it is not built."""
        self._data["passthroughExpr"] = expression

    def setDeterministicMatchingCondition(self, *conditions: DeterministicMatching) -> None:
        """Refused when a phase runs: it is not built."""
        self._data["deterministicMatching"] = [each.condition for each in conditions]


class _WithParent(EArguments):
    """Arguments of a phase that goes on from what others describe."""

    def setParentArgs(self, args: Arguments) -> None:
        """Those of the phase match, whose entities there are."""
        self._data["config"] = args.getArgs()

    def _parent(self) -> Arguments:
        found = Arguments()
        found.setArgs(self._data.get("config", {}))
        return found

    def getModelId(self) -> str:
        return self._parent().getModelId()

    def getZinggDir(self) -> str:
        return self._parent().getZinggDir()

    def _set(self, key: str, given: Sequence[Any]) -> None:
        self._data[key] = [each.getPipe() for each in each_of(given)]


class IncrementalArguments(_WithParent):
    """Of runIncremental."""

    def setIncrementalData(self, *pipes: "Pipe | Sequence[Pipe]") -> None:
        """Where new and changed records come from."""
        self._set("incrementalData", pipes)

    def setDeletedData(self, *pipes: "Pipe | Sequence[Pipe]") -> None:
        """Where the primary keys of records come from that are gone. It is pehchan's own."""
        self._set("deletedData", pipes)

    def setOutputTmp(self, *pipes: "Pipe | Sequence[Pipe]") -> None:
        """Where the records of those entities go that the run changes."""
        self._set("outputTmp", pipes)


class LookupArguments(_WithParent):
    """Of runLookup."""

    def setLookupData(self, *pipes: "Pipe | Sequence[Pipe]") -> None:
        """Where the records come from that are looked up."""
        self._set("lookupData", pipes)

    def setLookupOutput(self, *pipes: "Pipe | Sequence[Pipe]") -> None:
        """Where they go, with their entities."""
        self._set("lookupOutput", pipes)


class CompareArguments(_WithParent):
    """Of diff and reassignZinggId."""

    def setCompareToArgs(self, args: Arguments) -> None:
        """Those whose entities were there before, for diff."""
        self._data["compareTo"] = args.getArgs()

    def setOriginalArgs(self, args: Arguments) -> None:
        """Those whose ids go on, for reassignZinggId."""
        self._data["originalZinggId"] = args.getArgs()

    def setResults(self, *pipes: "Pipe | Sequence[Pipe]") -> None:
        """Where the result goes."""
        self._set("transformedOutputPath", pipes)

    def setTransformedOutputPath(self, *pipes: "Pipe | Sequence[Pipe]") -> None:
        """The same."""
        self._set("transformedOutputPath", pipes)


class TransformedOutputArguments(CompareArguments):
    """The same, as it was called before."""


class ExplainArguments(_WithParent):
    """Of explain."""

    def setExplainOutput(self, *pipes: "Pipe | Sequence[Pipe]") -> None:
        """Where the pairs of the entity go that match."""
        self._set("explainOutput", pipes)


class EClientOptions(ClientOptions):
    """Options as on the command line."""

    ZINGG_ID = "--zinggid"
    COMPARE_TO = "--compareTo"
    ORIGINAL_ZINGG_ID = "--originalZinggId"


class EZingg(Zingg):
    """A phase with its arguments."""


class EPipe(Pipe):
    """A place of records."""


class ECsvPipe(CsvPipe):
    """A file of CSV, or a folder of them."""


class EBigQueryPipe(BigQueryPipe):
    """A table of BigQuery, which is neither read nor written."""


class ESnowflakePipe(SnowflakePipe):
    """A table of Snowflake, which is neither read nor written."""


class EUCPipe(UCPipe):
    """A table of Unity Catalog, which is neither read nor written."""
