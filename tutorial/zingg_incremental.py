"""A program for Zingg's enterprise edition; but for the imports, nothing in it is changed."""

# ruff: noqa: F403, F405
from pehchan.zingg.client import *
from pehchan.zingg.pipes import *
from pehchan.zinggEC.enterprise.common.EArguments import *
from pehchan.zinggEC.enterprise.common.EFieldDefinition import EFieldDefinition
from pehchan.zinggEC.enterprise.common.epipes import *
from pehchan.zinggEC.enterprise.common.IncrementalArguments import *
from pehchan.zinggES.enterprise.spark.ESparkClient import *

args = EArguments()
id = EFieldDefinition("id", "string", MatchType.DONT_USE)
id.setPrimaryKey(True)
name = EFieldDefinition("name", "string", MatchType.FUZZY)
address = EFieldDefinition("address", "string", MatchType.FUZZY)
city = EFieldDefinition("city", "string", MatchType.TEXT)
phone = EFieldDefinition("phone", "string", MatchType.FUZZY)
args.setFieldDefinition([id, name, address, city, phone])
args.setModelId("entities")
args.setZinggDir("models")

schema = "id string, name string, address string, city string, phone string"
inputPipe = ECsvPipe("first", "first.csv", schema)
inputPipe.setHeader("true")
args.setData(inputPipe)
outputPipe = ECsvPipe("entities", "entities")
outputPipe.setHeader("true")
args.setOutput(outputPipe)

options = ClientOptions([ClientOptions.PHASE, "trainMatch"])
zingg = EZingg(args, options)
zingg.initAndExecute()

# A day later
incrArgs = IncrementalArguments()
incrArgs.setParentArgs(args)
incrPipe = ECsvPipe("later", "later.csv", schema)
incrPipe.setHeader("true")
incrArgs.setIncrementalData(incrPipe)
outputTmpPipe = ECsvPipe("changed", "changed")
outputTmpPipe.setHeader("true")
incrArgs.setOutputTmp(outputTmpPipe)

options = ClientOptions([ClientOptions.PHASE, "runIncremental"])
zingg = EZingg(incrArgs, options)
zingg.initAndExecute()
