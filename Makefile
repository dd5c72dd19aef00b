# make demo and make test set everything up by themselves: Python 3.10 or later and a package index are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The tests are shared out among so many processes.
PROCESSES ?= 2
SHARED_OUT := -n $(PROCESSES) --dist loadscope
BENCHES := accuracy speed near_duplicates shuffle memory skew
LONG_BENCHES := million growth households febrl planner clusters matching persons lookup learning learnt_keys zingg updates hadoop
SOURCES := $(shell find src metadata distance clustering learning mrjobs identity console zingg -name '*.py' -o -path 'metadata/schemas/*' -type f -o -path 'zingg/templates/*' -type f -o -path 'console/web/*' -type f -o -path 'console/templates/*' -type f)

.PHONY: help install demo test test-all lint format bench $(BENCHES:%=bench-%) $(LONG_BENCHES:%=bench-%) clean hadoop hadoop-stop

help:
	@echo "make demo     dedupe 2,000 made-up customers by rules, then without any, and show the first clusters"
	@echo "make install  build the pehchan command into $(VENV)"
	@echo "make test     check style, types and imports, and run the tests"
	@echo "make test-all the same with Spark, all golden cases and a failing run on Hadoop, and more examples for the property tests"
	@echo "make hadoop   start HDFS and YARN on this machine, to try -r hadoop on; make hadoop-stop ends them"
	@echo "make bench    measure, and print the rows of bench/README.md, in 15 minutes; one part of it is make bench-PART"
	@echo "              ($(BENCHES))"
	@echo "make bench-million, and other long ones: beside other programs, growing, on Hadoop; bench/README.md has them"
	@echo "              ($(LONG_BENCHES))"
	@echo "make format   lay the code out"
	@echo "make clean    remove what make made"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip >= 23.1"

# A plain install, not an editable one: what is tested is what a user installs.
$(VENV)/installed: $(BIN)/python setup.cfg pyproject.toml README.md $(SOURCES)
	rm -rf build
	$(BIN)/python -m pip install --quiet --force-reinstall --no-deps .
	$(BIN)/python -m pip install --quiet ".[report]"
	rm -rf build
	touch $@

$(VENV)/tested: $(VENV)/installed
	$(BIN)/python -m pip install --quiet ".[test]"
	rm -rf build
	touch $@

install: $(VENV)/installed

demo: install
	@mkdir -p demo
	$(BIN)/python tutorial/customers.py --records 2000 --seed 1 --output demo/customers.csv --truth demo/truth.csv
	$(BIN)/pehchan dedupe demo/customers.csv -p conf/customers.properties -o demo/out --overwrite --show 5
	$(BIN)/pehchan evaluate demo/out --truth demo/truth.csv
	$(BIN)/python tutorial/customers.py --records 2000 --seed 1 --header --output demo/with_header.csv
	$(BIN)/pehchan match demo/with_header.csv -o demo/matched --overwrite
	$(BIN)/pehchan evaluate demo/matched --truth demo/truth.csv

# The tasks run with this machine's python3, for which pehchan bundle packs.
hadoop: install
	@$(PYTHON) tests/hadoop/cluster.py start
	@echo '  export PATH="$(CURDIR)/$(BIN):$$PATH"'
	@echo 'and go on with tutorial/hadoop.md. make hadoop-stop ends it, and removes all that lies on it.'

hadoop-stop:
	@$(PYTHON) tests/hadoop/cluster.py stop

test: lint
	$(BIN)/python -m pytest -q -m "not slow" $(SHARED_OUT)

test-all: lint
	$(BIN)/python -m pip install --quiet ".[spark]"
	HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest -q $(SHARED_OUT)

lint: $(VENV)/tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy -p pehchan.distance -p pehchan.metadata -p pehchan.learning
	$(BIN)/lint-imports

format: $(VENV)/tested
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# One after the other, whatever make is told: they would measure each other.
bench: $(VENV)/tested
	for part in $(BENCHES); do echo; $(BIN)/python bench/$$part.py || exit 1; done

$(BENCHES:%=bench-%): bench-%: $(VENV)/tested
	$(BIN)/python bench/$*.py

# Long, and not part of bench. RECORDS and RUNS are theirs; SPLINK= leaves Splink out, AGAINST='COMMAND {tsv}' adds
# another program.
RECORDS ?= 1000000
RUNS ?= 3
SPLINK ?= --splink
NEAR = $(BIN)/python bench/near_duplicates.py --runs $(RUNS)

bench-million: $(VENV)/tested
	$(NEAR) --records $(RECORDS) $(SPLINK) $(if $(AGAINST),--against "$(AGAINST)")

bench-growth: $(VENV)/tested
	$(NEAR) --records 100000 --records $(RECORDS)

bench-households: $(VENV)/tested
	$(NEAR) --kind households --records $(RECORDS) $(SPLINK)

bench-febrl: $(VENV)/tested
	$(NEAR) --febrl120k

bench-planner: $(VENV)/tested
	$(BIN)/python bench/planner.py

bench-clusters: $(VENV)/tested
	$(BIN)/python bench/clusters.py --rounds

# What is learnt: the sets of PEHCHAN_DATA, and RECORDS made-up persons.
bench-matching: $(VENV)/tested
	$(BIN)/python bench/matching.py $(SPLINK)

bench-persons: $(VENV)/tested
	$(BIN)/python bench/matching.py --persons $(RECORDS)

bench-lookup: $(VENV)/tested
	$(BIN)/python bench/lookup.py --records $(RECORDS)

bench-learning bench-learnt_keys bench-zingg bench-updates: bench-%: $(VENV)/tested
	$(BIN)/python bench/$*.py

bench-hadoop: $(VENV)/tested
	$(BIN)/python bench/scale.py --hadoop --records $(RECORDS)

clean:
	rm -rf $(VENV) build demo src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
