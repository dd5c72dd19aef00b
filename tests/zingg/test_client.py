"""Programs written for Zingg run once two imports are changed, without Spark's and the notebooks' own objects.

The calls are those of a guide to its Python API and of its notebooks.
"""

# ruff: noqa: E501
import io
import json
import sys
from datetime import date
from pathlib import Path

import pandas
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from zingg_customers import COLUMNS, customers, person, write

from pehchan.metadata.mistakes import MistakesError
from pehchan.zingg import arguments, pipes
from pehchan.zingg.client import (
    Arguments,
    ClientOptions,
    FieldDefinition,
    LabelMatchType,
    MatchType,
    Zingg,
    getPandasDfFromDs,
    getSparkSession,
    parseArguments,
)
from pehchan.zingg.match_types import NAMES
from pehchan.zingg.pipes import BigQueryPipe, CsvPipe, Pipe, SnowflakePipe, UCPipe
from pehchan.zingg.wrapped import read_configuration_file

GUIDE = """
from pehchan.zingg.client import *
from pehchan.zingg.pipes import *

args = Arguments()
rec_id = FieldDefinition("rec_id", "string", MatchType.DONT_USE)
fname = FieldDefinition("fname", "string", MatchType.FUZZY)
lname = FieldDefinition("lname", "string", MatchType.FUZZY)
stNo = FieldDefinition("stNo", "string", MatchType.NUMERIC)
add1 = FieldDefinition("add1", "string", MatchType.ONLY_ALPHABETS_FUZZY)
add2 = FieldDefinition("add2", "string", MatchType.FUZZY)
city = FieldDefinition("city", "string", MatchType.FUZZY)
state = FieldDefinition("state", "string", MatchType.EXACT)
areacode = FieldDefinition("areacode", "string", MatchType.EXACT)
dob = FieldDefinition("dob", "string", MatchType.FUZZY)
ssn = FieldDefinition("ssn", "string", MatchType.FUZZY)
args.setFieldDefinition([rec_id, fname, lname, stNo, add1, add2, city, state, areacode, dob, ssn])
args.setModelId("100")
args.setZinggDir("models")
args.setNumPartitions(4)
args.setLabelDataSampleSize(0.5)

schema = "rec_id string, fname string, lname string, stNo string, add1 string, add2 string, city string, state string, areacode string, dob string, ssn string"
inputPipe = CsvPipe("customers", "data/customers.csv", schema)
args.setData(inputPipe)
outputPipe = CsvPipe("output", "output")
args.setOutput(outputPipe)
"""

PHASE = """
options = ClientOptions([ClientOptions.PHASE, "{}"])
zingg = ZinggWithSpark(args, options)
zingg.initAndExecute()
"""

NOTEBOOK = """
import pandas as pd
import numpy as np
from pehchan.zingg.client import *
from pehchan.zingg.pipes import *

zinggDir = "models"
modelId = "zingg_customer_match"
MARKED_DIR = zinggDir + "/" + modelId + "/trainingData/marked/"

def count_labeled_pairs(marked_pd):
    n_total = len(np.unique(marked_pd['z_cluster']))
    n_positive = len(np.unique(marked_pd[marked_pd['z_isMatch']==1]['z_cluster']))
    n_negative = len(np.unique(marked_pd[marked_pd['z_isMatch']==0]['z_cluster']))
    return n_positive, n_negative, n_total

args = Arguments()
args.setModelId(modelId)
args.setZinggDir(zinggDir)
schema = "rec_id string, fname string, lname string, stNo string, add1 string, add2 string, city string, state string, areacode string, dob string, ssn string"
inputPipe = CsvPipe("customers", "data/customers.csv", schema)
args.setData(inputPipe)
outputPipe = CsvPipe("output", "zingg_output")
args.setOutput(outputPipe)
args.setFieldDefinition([
    FieldDefinition("rec_id", "string", MatchType.DONT_USE),
    *(FieldDefinition(name, "string", MatchType.FUZZY) for name in "fname lname stNo add1 add2 city state areacode".split()),
    FieldDefinition("dob", "string", MatchType.EXACT),
    FieldDefinition("ssn", "string", MatchType.EXACT),
])
args.setNumPartitions(4)
args.setLabelDataSampleSize(0.5)

options = ClientOptions([ClientOptions.PHASE, "label"])
zingg = ZinggWithSpark(args, options)
zingg.init()
before = getPandasDfFromDs(zingg.getUnmarkedRecords())
nothing_marked = count_labeled_pairs(getPandasDfFromDs(zingg.getMarkedRecords()))

options = ClientOptions([ClientOptions.PHASE, "findTrainingData"])
zingg = ZinggWithSpark(args, options)
zingg.initAndExecute()

options = ClientOptions([ClientOptions.PHASE, "label"])
zingg = ZinggWithSpark(args, options)
zingg.init()
candidate_pairs_pd = getPandasDfFromDs(zingg.getUnmarkedRecords())
z_clusters = list(np.unique(candidate_pairs_pd['z_cluster']))
for z_cluster in z_clusters:
    pair = candidate_pairs_pd['z_cluster'] == z_cluster
    candidate_pairs_pd.loc[pair, 'z_isMatch'] = answer(candidate_pairs_pd[pair])
zingg.writeLabelledOutputFromPandas(candidate_pairs_pd, args)
marked_pd_df = getPandasDfFromDs(zingg.getMarkedRecords())
n_pos, n_neg, n_tot = count_labeled_pairs(marked_pd_df)
waiting = getPandasDfFromDs(zingg.getUnmarkedRecords())

options = ClientOptions([ClientOptions.PHASE, "trainMatch"])
zingg = ZinggWithSpark(args, options)
zingg.initAndExecute()
"""

LINK = """
crmPipe = CsvPipe("crm", "data/crm.csv", schema)
billingPipe = CsvPipe("billing", "data/billing.csv", schema)
args.setData([crmPipe, billingPipe])
args.setOutput(CsvPipe("links", "links"))
"""

MATCHED = ["z_minScore", "z_maxScore", "z_cluster", *COLUMNS]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(Path("data/customers.csv"), customers(200))
    return tmp_path


def run(program, **names):
    """What a program leaves: its names."""
    exec(program, names)
    return names


def read(folder, columns):
    """The part files of a folder of CSV without headers, as Spark would read them."""
    parts = sorted(Path(folder).glob("[!._]*"))
    frames = [pandas.read_csv(part, names=columns, dtype=str, keep_default_na=False) for part in parts]
    return pandas.concat(frames, ignore_index=True)


def pairs_within(groups):
    """The pairs of a column of labels, as sets of rows."""
    return {
        (one, two)
        for _, rows in pandas.Series(groups).groupby(groups).groups.items()
        for one in rows
        for two in rows
        if one < two
    }


def assert_right(matched, share=0.95):
    """Nearly all pairs are those of the truth."""
    found, true = pairs_within(matched["z_cluster"]), pairs_within(matched["rec_id"].map(person))
    assert len(true) > 50
    assert len(found & true) / len(true) >= share
    assert len(found & true) / len(found) >= share


def answer(pair):
    """1 where both rows are of one person, else 0."""
    return int(pair["rec_id"].map(person).nunique() == 1)


def test_the_program_of_the_guide_finds_labels_trains_and_matches(monkeypatch):
    names = run(GUIDE)
    exec(PHASE.format("findTrainingData"), names)
    waiting = getPandasDfFromDs(names["zingg"].getUnmarkedRecords())
    answers = [answer(pair) for _, pair in waiting.groupby("z_cluster", sort=False)]
    assert 10 <= len(answers) <= 20
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{each}\n" for each in answers)))
    exec(PHASE.format("label"), names)
    marked = getPandasDfFromDs(names["zingg"].getMarkedRecords())
    assert (
        marked.groupby("z_cluster")
        .apply(answer, include_groups=False)
        .equals(marked.groupby("z_cluster")["z_isMatch"].first().astype("int64"))
    )
    assert len(marked) == len(waiting)
    assert len(names["zingg"].getUnmarkedRecords()) == 0
    exec(PHASE.format("train") + PHASE.format("match"), names)
    matched = read("output", MATCHED)
    assert matched[list(COLUMNS)].values.tolist() == customers(200)
    assert_right(matched)


def test_the_notebook_labels_in_pandas(capsys):
    names = run(NOTEBOOK, answer=answer)
    assert names["before"].shape[0] == 0
    assert names["nothing_marked"] == (0, 0, 0)
    assert names["n_pos"] + names["n_neg"] == names["n_tot"] == len(names["z_clusters"]) > 10
    assert names["n_pos"] > 0
    assert names["waiting"].shape[0] == 0
    zingg, marked = names["zingg"], names["marked_pd_df"]
    assert zingg.getMatchedMarkedRecordsStat(marked) == names["n_pos"]
    assert zingg.getUnmatchedMarkedRecordsStat() == names["n_neg"]
    assert zingg.getMarkedRecordsStat(marked, 2) == zingg.getUnsureMarkedRecordsStat(marked) == 0
    # What a notebook reads by itself is the same.
    assert pandas.read_parquet(names["MARKED_DIR"]).equals(marked)
    assert_right(read("zingg_output", MATCHED))
    # The numbers of partitions and so on are named once, not with every phase.
    assert capsys.readouterr().out.count("numPartitions") <= 1


def test_a_pair_that_is_written_again_has_its_new_answer_and_one_without_an_answer_waits():
    names = run(NOTEBOOK.rpartition("options =")[0], answer=answer)
    zingg, marked = names["zingg"], names["marked_pd_df"]
    one, two = marked["z_cluster"].unique()[:2]
    again = marked[marked["z_cluster"].isin([one, two])].copy()
    again.loc[again["z_cluster"] == one, "z_isMatch"] = 2
    again.loc[again["z_cluster"] == two, "z_isMatch"] = -1
    zingg.writeLabelledOutput(again, names["args"])
    now = zingg.getMarkedRecords()
    assert set(now[now["z_cluster"] == one]["z_isMatch"]) == {2}
    assert len(now) == len(marked)
    assert zingg.getMarkedRecordsStat(now, LabelMatchType.NOT_SURE) == 1
    torn = again.copy()
    torn["z_cluster"] = None
    zingg.writeLabelledOutput(torn, names["args"])
    assert len(zingg.getMarkedRecords()) == len(marked)
    with pytest.raises(MistakesError, match="no column z_isMatch"):
        zingg.writeLabelledOutput(again.drop(columns="z_isMatch"), names["args"])


def test_two_tables_are_linked():
    rows = customers(200)
    write(Path("data/crm.csv"), [row for row in rows if row[0].endswith("org")])
    write(Path("data/billing.csv"), [row for row in rows if row[0].endswith("dup")])
    run(GUIDE + LINK + PHASE.format("link"))
    links = read("links", ["z_cluster", "z_score", *COLUMNS, "z_zsource"])
    persons = links.groupby("z_cluster")["rec_id"].agg(lambda ids: len({person(each) for each in ids}))
    assert (persons == 1).mean() > 0.95
    assert set(links["z_zsource"]) == {"crm", "billing"}
    assert links["z_cluster"].nunique() > 50


def found(rows):
    """Pairs that wait, of (z_cluster, name, age, born)."""
    columns = {
        "z_zid": pa.int64(),
        "z_cluster": pa.string(),
        "z_prediction": pa.float64(),
        "z_score": pa.float64(),
    }
    schema = pa.schema(
        [
            *columns.items(),
            ("z_isMatch", pa.int32()),
            ("fname", pa.string()),
            ("age", pa.int32()),
            ("born", pa.date32()),
        ]
    )
    front = {"z_zid": 0, "z_prediction": -1.0, "z_score": 0.0, "z_isMatch": -1}
    names = ("z_cluster", "fname", "age", "born")
    table = pa.Table.from_pylist([{**front, **dict(zip(names, row, strict=True))} for row in rows], schema)
    Path("zingg/1/trainingData/unmarked").mkdir(parents=True)
    parquet.write_table(table, "zingg/1/trainingData/unmarked/part-0.parquet")
    return table


def labelling(args):
    return Zingg(args, ClientOptions([ClientOptions.PHASE, "label"]))


ROWS = [
    ("c1", "Ann", 40, date(1984, 2, 29)),
    ("c1", "Anne", None, None),
    ("c2", "Bob", None, None),
    ("c2", "Rob", 1, date(1900, 1, 1)),
]


def test_values_come_back_from_pandas_with_their_types():
    table, zingg = found(ROWS), labelling(simple())
    frame = zingg.getUnmarkedRecords()
    frame["z_isMatch"] = 1
    zingg.writeLabelledOutputFromPandas(frame)
    marked = parquet.read_table("zingg/1/trainingData/marked")
    assert marked.schema == table.schema
    assert marked.drop("z_isMatch").equals(table.drop("z_isMatch"))
    frame["age"] = "old"
    with pytest.raises(
        MistakesError, match=r'the data frame: column "age" is .*string here, and int32 elsewhere'
    ):
        zingg.writeLabelledOutputFromPandas(frame)
    assert parquet.read_table("zingg/1/trainingData/marked").equals(marked)


def test_labels_are_asked_for_on_a_terminal(monkeypatch, capsys):
    def answers(*lines):
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))

    found(ROWS)
    zingg = labelling(simple())
    answers("1", "9")
    zingg.executeLabel()
    assert list(zingg.getMarkedRecords()["z_cluster"]) == ["c1", "c1"]
    answers("0")
    marked = zingg.processRecordsCli(zingg.getUnmarkedRecords(), zingg.getArguments())
    assert dict(zip(marked["z_cluster"], marked["z_isMatch"], strict=True)) == {"c1": 1, "c2": 0}
    answers("c1", "2", "9")
    zingg.executeLabelUpdate()
    answers("c2", "1", "9")
    marked = zingg.processRecordsCliLabelUpdate(marked, zingg.getArguments())
    assert dict(zip(marked["z_cluster"], marked["z_isMatch"], strict=True)) == {"c1": 2, "c2": 1}
    # What was asked for is written already, and once more changes nothing.
    zingg.writeLabelledOutput(marked, zingg.getArguments())
    assert zingg.getMarkedRecords().equals(marked)


def test_pairs_from_elsewhere_are_kept_where_none_were_found():
    found(ROWS)
    frame = labelling(simple()).getUnmarkedRecords()
    other = simple()
    other.setModelId("other")
    frame["z_isMatch"] = 0
    labelling(other).writeLabelledOutput(frame, other)
    assert labelling(other).getUnmatchedMarkedRecordsStat() == 2


def simple(*fields, data=None):
    args = Arguments()
    args.setFieldDefinition(list(fields) or [FieldDefinition("fname", "string", MatchType.FUZZY)])
    args.setData(
        data or CsvPipe("customers", "data/customers.csv", ", ".join(f"{name} string" for name in COLUMNS))
    )
    args.setOutput(CsvPipe("out", "out"))
    return args


def mistakes(args, phase="train"):
    with pytest.raises(MistakesError) as told:
        Zingg(args, ClientOptions(["--phase", phase])).initAndExecute()
    return str(told.value)


def test_what_is_wrong_is_told_as_of_a_file():
    args = simple(FieldDefinition("nmae", "string", "FUZZ"))
    Path("c.json").write_text(json.dumps(args.getArgs()))
    with pytest.raises(MistakesError) as of_file:
        read_configuration_file("c.json")
    assert mistakes(args) == str(of_file.value).replace("c.json", "Arguments")
    assert 'unknown match type "FUZZ"' in mistakes(args)
    assert 'unknown phase "trian"' in mistakes(simple(), "trian")
    with pytest.raises(MistakesError, match="Did you mean"):
        ClientOptions(["--phaze", "match"])


@pytest.mark.parametrize(
    "pipe",
    [BigQueryPipe("b"), SnowflakePipe("s"), UCPipe("u", "catalog.schema.table")],
    ids=lambda pipe: type(pipe).__name__,
)
def test_a_pipe_that_is_not_built_says_so(pipe):
    told = mistakes(simple(data=pipe))
    assert pipe.getPipe()["format"] in told
    assert "parquet" in told.lower()


def test_pipes_are_what_a_configuration_holds():
    snow = SnowflakePipe("s")
    for call in (
        "setURL",
        "setUser",
        "setPassword",
        "setDatabase",
        "setSFSchema",
        "setWarehouse",
        "setDbTable",
    ):
        getattr(snow, call)(call)
    assert sorted(snow.getPipe()["props"].values()) == sorted(
        ["setURL", "setUser", "setPassword", "setDatabase", "setSFSchema", "setWarehouse", "setDbTable"]
    )
    csv = CsvPipe("c")
    csv.setLocation("x.csv")
    csv.setDelimiter(";")
    csv.setHeader("true")
    csv.setSchema("a string")
    csv.setMode("overwrite")
    assert csv.getPipe() == {
        "name": "c",
        "format": "csv",
        "props": {"location": "x.csv", "delimiter": ";", "header": "true"},
        "schema": "a string",
        "mode": "overwrite",
    }
    parquet = Pipe("p", "parquet")
    parquet.addProperty("location", "x")
    assert '"parquet"' in parquet.toString()


def test_match_types_may_come_as_arguments_or_as_a_list():
    one = FieldDefinition("a", "string", MatchType.FUZZY, MatchType.EXACT)
    assert one.getFieldDefinition() == FieldDefinition("a", "string", ["FUZZY", "EXACT"]).getFieldDefinition()
    (field,) = (
        simple(FieldDefinition("fname", "string", MatchType.FUZZY, MatchType.TEXT)).configuration().fields
    )
    assert field.match_types == ("FUZZY", "TEXT")
    assert {name for name in vars(MatchType) if not name.startswith("_")} == set(NAMES)


def test_options_are_known_by_both_of_their_forms():
    options = ClientOptions(
        ["--phase=match", "--zinggDir", "elsewhere", "--license", "any", "--location", "x"]
    )
    assert options.getPhase() == "match"
    assert options.hasLocation()
    assert options.getLocation() == "x"
    options.setPhase("train")
    assert options.getOptionValue(ClientOptions.PHASE) == "train"
    assert options.getConf() is None
    assert ClientOptions(parseArguments(["prog.py", "--phase", "train"])).getPhase() == "train"


def test_a_configuration_file_can_be_the_arguments():
    Path("c.json").write_text(json.dumps(simple().getArgs()))
    zingg = Zingg(None, ClientOptions(["--phase", "train", "--conf", "c.json", "--modelId", "7"]))
    zingg.init()
    assert zingg.getArguments().getArgs() == simple().getArgs()
    zingg.execute()
    assert Path("zingg/7/model/model.json").exists()


def test_folders_are_told():
    args = simple()
    args.setZinggDir("models")
    args.setModelId("100")
    assert args.getZinggModelDir() == "models/100/model"
    assert args.getZinggTrainingDataMarkedDir() == "models/100/trainingData/marked"
    assert args.getZinggTrainingDataUnmarkedDir() == "models/100/trainingData/unmarked"


def test_what_needs_spark_says_what_is_there_instead():
    with pytest.raises(NotImplementedError, match="pandas"):
        getSparkSession()


def test_frames_of_other_kinds_become_those_of_pandas():
    frame = pandas.DataFrame({"a": [1, 2]})
    assert getPandasDfFromDs(frame) is frame
    assert getPandasDfFromDs(pa.table({"a": [1, 2]})).equals(frame)
    assert getPandasDfFromDs([{"a": 1}, {"a": 2}]).equals(frame)


def test_what_the_programs_name_is_there():
    assert {"Arguments", "ClientOptions", "FieldDefinition"} <= set(vars(arguments))
    assert {"Pipe", "CsvPipe", "BigQueryPipe", "SnowflakePipe", "UCPipe"} <= set(vars(pipes))
