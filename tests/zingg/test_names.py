"""All that Zingg's users may name is there, or the page for them says what is there instead.

The lists are those of Zingg 0.7.0, written by hand.
"""

# ruff: noqa: SIM905
import re
from pathlib import Path

import pytest

from pehchan.metadata.mistakes import MistakesError
from pehchan.zingg import client, enterprise, pipes
from pehchan.zingg.configuration import read_configuration
from pehchan.zingg.phases import find_phase
from pehchan.zingg.wrapped import PARENT, PIPES

PAGE = (Path(__file__).parents[2] / "tutorial" / "zingg.md").read_text(encoding="utf-8")

PHASES = """
findTrainingData label findAndLabel updateLabel train match trainMatch link recommend generateDocs exportModel
peekModel assessModel verifyBlocking explain explainOutput runIncremental diff runLookup reassignZinggId
""".split()
NO_PHASES = ["approve", "transform", "stats"]

MATCH_TYPES = """
FUZZY TEXT NUMERIC EXACT PINCODE EMAIL NUMERIC_WITH_UNITS NULL_OR_BLANK ONLY_ALPHABETS_FUZZY ONLY_ALPHABETS_EXACT
DONT_USE FUZZY_OPTIMISED EMAIL_OPTIMISED ONLY_ALPHABETS_FUZZY_OPTIMISED
""".split()

OPTIONS = """
--phase --conf --license --jobId --email --format --zinggDir --modelId --collectMetrics --showConcise --location
--column --remote --preprocess --properties-file --log --zinggid --compareTo --originalZinggId
""".split()

KEYS = {
    "modelId": "1",
    "zinggDir": "models",
    "output": [],
    "trainingSamples": [],
    "numPartitions": 10,
    "labelDataSampleSize": 0.1,
    "threshold": 0.5,
    "showConcise": False,
    "stopWordsCutoff": 0.1,
    "blockSize": 100,
    "column": "name",
    "jobId": 1,
    "collectMetrics": True,
    "blockingModel": "WIDER",
    "outputStats": {},
}
FIELD_KEYS = {
    "fieldName": "name",
    "fields": "name",
    "matchType": "FUZZY",
    "dataType": "string",
    "stopWords": "x.csv",
    "abbreviations": "x.csv",
    "primaryKey": "true",
}
KEYS_BESIDES = (
    "config incrementalData deletedData outputTmp lookupData lookupOutput transformedOutputPath explainOutput"
)
KEYS_NOT_BUILT = "deterministicMatching passthroughExpr postProcessors"
PIPE_KEYS = {
    "name": "customers",
    "format": "csv",
    "props": {"location": "x.csv"},
    "schema": "name string",
    "mode": "Append",
    "id": 1,
    "preprocessors": "",
}

API = {
    client: """initSparkClient initDataBricksConectClient initClient getSparkContext getSparkSession getSqlContext
        getJVM getGateway getDfFromDs getPandasDfFromDs parseArguments ColName MatchType ZinggOptions LabelMatchType
        Arguments FieldDefinition ClientOptions Zingg ZinggWithSpark""",
    client.Arguments: """setFieldDefinition setData setOutput setTrainingSamples setModelId getModelId setZinggDir
        setNumPartitions setLabelDataSampleSize setStopWordsCutoff setColumn getArgs setArgs getZinggBaseModelDir
        getZinggModelDir getZinggBaseTrainingDataDir getZinggTrainingDataUnmarkedDir getZinggTrainingDataMarkedDir""",
    client.FieldDefinition: "setStopWords getFieldDefinition",
    client.ClientOptions: """PHASE CONF LICENSE EMAIL LOCATION REMOTE ZINGG_DIR MODEL_ID COLUMN getOptionValue
        setOptionValue getPhase setPhase getConf hasLocation getLocation getClientOptions""",
    client.ZinggWithSpark: """init execute initAndExecute executeLabel executeLabelUpdate getMarkedRecords
        getUnmarkedRecords processRecordsCli processRecordsCliLabelUpdate writeLabelledOutput
        writeLabelledOutputFromPandas setArguments getArguments getOptions setOptions getMarkedRecordsStat
        getMatchedMarkedRecordsStat getUnmatchedMarkedRecordsStat getUnsureMarkedRecordsStat""",
    pipes: "Pipe CsvPipe BigQueryPipe SnowflakePipe UCPipe",
    pipes.Pipe: "getPipe addProperty setSchema toString",
    pipes.CsvPipe: "setDelimiter setLocation setHeader",
    enterprise: """EArguments EFieldDefinition EZingg EClientOptions EPipe ECsvPipe EBigQueryPipe
        ESnowflakePipe EUCPipe IncrementalArguments LookupArguments CompareArguments
        TransformedOutputArguments ExplainArguments DeterministicMatching""",
    enterprise.EFieldDefinition: "setPrimaryKey setPostProcessors",
    enterprise.EArguments: """setBlockingModel setOutputStats setPassthroughExpr
        setDeterministicMatchingCondition""",
    enterprise.IncrementalArguments: "setParentArgs setIncrementalData setDeletedData setOutputTmp",
    enterprise.LookupArguments: "setParentArgs setLookupData setLookupOutput",
    enterprise.CompareArguments: """setParentArgs setCompareToArgs setOriginalArgs setResults
        setTransformedOutputPath""",
    enterprise.ExplainArguments: "setParentArgs setExplainOutput",
    enterprise.EClientOptions: "ZINGG_ID",
}
# The page names these by their classes.
PIPE_API = {
    pipes.BigQueryPipe: "setCredentialFile setTable setTemporaryGcsBucket setViewsEnabled",
    pipes.SnowflakePipe: "setURL setUser setPassword setDatabase setSFSchema setWarehouse setDbTable",
    pipes.UCPipe: "setTable",
}


def lacking(*names):
    """Those that the page does not name."""
    return [name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}(?!\w)", PAGE)]


def configuration(**more):
    field = {"fieldName": "name", "matchType": "FUZZY", "dataType": "string"}
    pipe = {"name": "customers", "format": "csv", "props": {"location": "x.csv"}, "schema": "name string"}
    return read_configuration({"data": [pipe], "fieldDefinition": [field], **more}, "x.json")


def test_every_phase_is_there_or_says_what_is():
    assert not lacking(*PHASES, *NO_PHASES)
    for phase in PHASES:
        find_phase(phase)
    for phase in NO_PHASES:
        with pytest.raises(MistakesError, match=f"{phase} is not built"):
            find_phase(phase)


def test_every_match_type_is_there_or_says_what_is():
    assert not lacking(*MATCH_TYPES, "MAPPING_", "number_with_units")
    for name in (*(each for each in MATCH_TYPES if each != "DONT_USE"), "number_with_units"):
        fields = [{"fieldName": "name", "matchType": name.lower(), "dataType": "string"}]
        assert configuration(fieldDefinition=fields).fields[0].match_types
    with pytest.raises(MistakesError, match="not built"):
        configuration(fieldDefinition=[{"fieldName": "name", "matchType": "MAPPING_NICKNAMES"}])


def test_every_option_is_taken(tmp_path, monkeypatch, capsys):
    from pehchan.main import main

    monkeypatch.chdir(tmp_path)
    assert not lacking(*OPTIONS, "--run", "--run-databricks", "--help", "--h")
    given = [word for option in OPTIONS if option != "--phase" for word in (option, "1")]
    assert main(["zingg", "--phase=train", *given]) == 2
    # Of all of them only the file that is not there is wrong.
    assert "1 mistake" in capsys.readouterr().err


def test_every_key_of_a_configuration_is_known():
    assert not lacking(*KEYS, *FIELD_KEYS, *PIPE_KEYS, "data", "fieldDefinition")
    configuration(**KEYS, data=[PIPE_KEYS], fieldDefinition=[FIELD_KEYS])
    assert not lacking(*KEYS_BESIDES.split(), *KEYS_NOT_BUILT.split())
    assert {*KEYS_BESIDES.split()} == {PARENT, *PIPES}


def test_every_name_of_the_python_api_is_there():
    for place, names in (*API.items(), *PIPE_API.items()):
        assert [name for name in names.split() if not hasattr(place, name)] == []
    assert not lacking(*(name for names in API.values() for name in names.split()))
    assert set(API[client].split()) <= set(client.__all__)


def test_every_column_and_folder_is_named():
    columns = "z_zid z_cluster z_isMatch z_prediction z_score z_minScore z_maxScore z_zsource z_hash ZINGG_ID".split()
    folders = "trainingData/unmarked trainingData/marked model/block model/classifier docs/model.html docs/data.html"
    assert not lacking(*columns, *folders.split(), "stopWords")
    formats = """csv json parquet text com.crealytics.spark.excel avro jdbc org.apache.spark.sql.cassandra
        net.snowflake.spark.snowflake org.elasticsearch.spark.sql com.exasol.spark bigquery delta"""
    assert not lacking(*formats.split())


@pytest.mark.parametrize(
    "difference",
    [
        "Missing values",
        "model",
        "z_hash",
        "append",
        "scores",
        "byte for byte",
        "nothing is ever sent anywhere",
    ],
)
def test_what_is_different_is_named(difference):
    assert difference.lower() in PAGE.lower()
