"""What Python programs say of a run: they build up a configuration, which is read as one from a file is."""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from pehchan.metadata.mistakes import Mistake, MistakesError, nearest
from pehchan.zingg.configuration import Configuration
from pehchan.zingg.environment import read_json
from pehchan.zingg.pipes import Pipe
from pehchan.zingg.wrapped import read


class MatchType:
    """How values of a field are compared."""

    FUZZY = "FUZZY"
    TEXT = "TEXT"
    NUMERIC = "NUMERIC"
    EXACT = "EXACT"
    PINCODE = "PINCODE"
    EMAIL = "EMAIL"
    NUMERIC_WITH_UNITS = "NUMERIC_WITH_UNITS"
    NULL_OR_BLANK = "NULL_OR_BLANK"
    ONLY_ALPHABETS_FUZZY = "ONLY_ALPHABETS_FUZZY"
    ONLY_ALPHABETS_EXACT = "ONLY_ALPHABETS_EXACT"
    DONT_USE = "DONT_USE"


class FieldDefinition:
    """A field of the records, its data type, and one match type or several."""

    def __init__(self, name: str, dataType: str, *matchType: "str | Sequence[str]"):
        types = [each for given in matchType for each in ([given] if isinstance(given, str) else given)]
        self._data: dict[str, Any] = {
            "fieldName": name,
            "fields": name,
            "dataType": dataType,
            "matchType": ",".join(map(str, types)),
        }

    def setStopWords(self, stopWords: str) -> None:
        """Name a CSV file of words that are left out of the comparison."""
        self._data["stopWords"] = stopWords

    def getFieldDefinition(self) -> dict[str, Any]:
        """As it stands in a configuration."""
        return dict(self._data)


def each_of(given: Iterable[Any]) -> list[Any]:
    """One after the other, of several arguments or of a list of them."""
    return [one for each in given for one in (each if isinstance(each, list | tuple) else [each])]


class Arguments:
    """The configuration of a program."""

    def __init__(self) -> None:
        self._data: dict[str, Any] = {}

    @staticmethod
    def createArgumentsFromJSON(fileName: str, phase: str = "") -> "Arguments":
        """Those of a configuration file."""
        import os

        found = Arguments()
        found.setArgs(read_json(fileName, os.environ))
        return found

    def setFieldDefinition(self, fieldDefinition: Sequence[FieldDefinition]) -> None:
        self._data["fieldDefinition"] = [each.getFieldDefinition() for each in fieldDefinition]

    def setData(self, *pipes: "Pipe | Sequence[Pipe]") -> None:
        self._data["data"] = [each.getPipe() for each in each_of(pipes)]

    def setOutput(self, *pipes: "Pipe | Sequence[Pipe]") -> None:
        self._data["output"] = [each.getPipe() for each in each_of(pipes)]

    def setTrainingSamples(self, *pipes: "Pipe | Sequence[Pipe]") -> None:
        self._data["trainingSamples"] = [each.getPipe() for each in each_of(pipes)]

    def setModelId(self, id: str) -> None:
        self._data["modelId"] = id

    def getModelId(self) -> str:
        return str(self._data.get("modelId", Configuration.model_id))

    def setZinggDir(self, folder: str) -> None:
        self._data["zinggDir"] = folder

    def getZinggDir(self) -> str:
        return str(self._data.get("zinggDir", Configuration.zingg_dir))

    def setNumPartitions(self, number: int) -> None:
        self._data["numPartitions"] = number

    def setLabelDataSampleSize(self, size: float) -> None:
        self._data["labelDataSampleSize"] = size

    def setStopWordsCutoff(self, cutoff: float) -> None:
        self._data["stopWordsCutoff"] = cutoff

    def setColumn(self, column: str) -> None:
        self._data["column"] = column

    def setShowConcise(self, concise: bool) -> None:
        self._data["showConcise"] = concise

    def setBlockSize(self, size: int) -> None:
        self._data["blockSize"] = size

    def setCollectMetrics(self, collect: bool) -> None:
        self._data["collectMetrics"] = collect

    def getArgs(self) -> dict[str, Any]:
        """As it would stand in a configuration file."""
        return deepcopy(self._data)

    def setArgs(self, args: "dict[str, Any] | Arguments") -> None:
        self._data = args.getArgs() if isinstance(args, Arguments) else deepcopy(args)

    def getZinggBaseModelDir(self) -> str:
        return str(Path(self.getZinggDir()) / self.getModelId())

    def getZinggModelDir(self) -> str:
        return f"{self.getZinggBaseModelDir()}/model"

    def getZinggBaseTrainingDataDir(self) -> str:
        return f"{self.getZinggBaseModelDir()}/trainingData"

    def getZinggTrainingDataUnmarkedDir(self) -> str:
        return f"{self.getZinggBaseTrainingDataDir()}/unmarked"

    def getZinggTrainingDataMarkedDir(self) -> str:
        return f"{self.getZinggBaseTrainingDataDir()}/marked"

    def configuration(self) -> Configuration:
        """Read. Raises MistakesError with all that is wrong."""
        return read(self.getArgs(), "Arguments")


#: Options of a program that change what is done.
_USED = (
    *("--phase", "--conf", "--zinggDir", "--modelId", "--location", "--column", "--showConcise"),
    *("--cluster", "--zinggid", "--compareTo", "--originalZinggId", "--runner", "--conf-path"),
)
#: Those that Zingg takes and that are not needed here.
_NOT_NEEDED = ("--license", "--email", "--format", "--remote", "--preprocess", "--jobId", "--collectMetrics")


class ClientOptions:
    """Options as on the command line: ["--phase", "match"] or ["--phase=match"].

    --runner, inline or local and so on, is pehchan's own. Raises MistakesError for unknown ones.
    """

    PHASE = "--phase"
    CONF = "--conf"
    LICENSE = "--license"
    EMAIL = "--email"
    LOCATION = "--location"
    REMOTE = "--remote"
    ZINGG_DIR = "--zinggDir"
    MODEL_ID = "--modelId"
    COLUMN = "--column"
    RUNNER = "--runner"

    def __init__(self, argsSent: Sequence[str] | None = None):
        self._values: dict[str, str] = {}
        words = list(argsSent or [])
        while words:
            option, separator, value = str(words.pop(0)).partition("=")
            if not separator:
                value = str(words.pop(0)) if words and not str(words[0]).startswith("--") else "true"
            self.setOptionValue(option, value)

    def getOptionValue(self, option: str) -> str | None:
        return self._values.get(option)

    def setOptionValue(self, option: str, value: str) -> None:
        if option not in (*_USED, *_NOT_NEEDED):
            what = f'unknown option "{option}".'
            raise MistakesError(
                [Mistake("ClientOptions", what, nearest(str(option), (*_USED, *_NOT_NEEDED)))]
            )
        self._values[option] = value

    def getPhase(self) -> str:
        return self._values.get(self.PHASE, "")

    def setPhase(self, phase: str) -> None:
        self._values[self.PHASE] = phase

    def getConf(self) -> str | None:
        return self._values.get(self.CONF)

    def hasLocation(self) -> bool:
        return self.LOCATION in self._values

    def getLocation(self) -> str | None:
        return self._values.get(self.LOCATION)

    def getClientOptions(self) -> dict[str, str]:
        """All of them, by name."""
        return dict(self._values)
