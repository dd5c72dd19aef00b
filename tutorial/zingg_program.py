"""A program as Zingg's users write them; but for two imports, nothing in it is changed."""

# ruff: noqa: F403, F405
from pehchan.zingg.client import *
from pehchan.zingg.pipes import *

args = Arguments()
args.setModelId("from_python")
args.setZinggDir("models")
args.setFieldDefinition(
    [
        FieldDefinition("id", "string", MatchType.DONT_USE),
        FieldDefinition("name", "string", MatchType.FUZZY),
        FieldDefinition("address", "string", MatchType.FUZZY),
        FieldDefinition("city", "string", MatchType.TEXT),
        FieldDefinition("phone", "string", MatchType.FUZZY),
    ]
)
customers = CsvPipe(
    "customers", "customers.csv", "id string, name string, address string, city string, phone string"
)
customers.setHeader("true")
args.setData(customers)
args.setOutput(CsvPipe("clusters", "clusters_from_python"))

zingg = ZinggWithSpark(args, ClientOptions([ClientOptions.PHASE, "findTrainingData"]))
zingg.initAndExecute()

# Whoever labels in a notebook gets the pairs as a pandas data frame, two rows a pair, and fills in z_isMatch. Here
# the same customer is known by the last five digits of the id.
pairs = getPandasDfFromDs(zingg.getUnmarkedRecords())
person = pairs["id"].str[1:]
pairs["z_isMatch"] = (person.groupby(pairs["z_cluster"]).transform("nunique") == 1).astype(int)
zingg.writeLabelledOutputFromPandas(pairs, args)

zingg = ZinggWithSpark(args, ClientOptions([ClientOptions.PHASE, "trainMatch"]))
zingg.initAndExecute()
