"""States through their real parts: after any updates a state has the entities of one run over its records."""

import csv
import json
from collections import defaultdict
from dataclasses import replace
from functools import cache
from itertools import combinations, count, product
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from learnt_jobs import Records
from made_up_persons import NAMES, persons

import pehchan.learning.addresses
from pehchan.console.command import main
from pehchan.console.inputs import InputFile, look_at
from pehchan.console.learning_run import KnownModel
from pehchan.console.pipeline import Request, Result, run_prepared
from pehchan.console.progress import Progress
from pehchan.console.state_run import make_state
from pehchan.console.updating import UpdateRequest, run_update
from pehchan.distance.levenshtein import Levenshtein
from pehchan.identity.entities import current_entities
from pehchan.identity.state import open_state
from pehchan.learning.addresses import Frozen
from pehchan.learning.in_memory import learn_of
from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.plan import Plan
from pehchan.mrjobs.joins import join_of

QUIET = Progress(quiet=True)
#: Folders for the states of one test, of which hypothesis makes many.
NUMBERS = count()

_WORDS = "steel kettle long cord lid camping kitchen small red blue green garden hose pump lamp tent".split()  # noqa: SIM905


@cache
def people():
    columns, _ = persons(300, 80, seed=4)
    records = Records.of(NAMES, columns)
    return records, learn_of(records.profile(), records.table())[0]


@cache
def products():
    """Products with a description, so that words are addresses as well."""
    rows = []
    for k in range(120):
        words = [_WORDS[(k * step + step) % len(_WORDS)] for step in (1, 3, 5, 7, 11, 13)]
        text = " ".join([*words, *words[::-1], f"model{k}", f"type{k % 7}"])
        rows.append(("", f"a{k}", [text, f"{5 + k}.99"]))
        rows.append(("", f"b{k}", [" ".join(text.split()[1:-1]), f"{5 + k}.99"]))
    records = Records(("description", "price"), rows)
    model = learn_of(records.profile(), records.table())[0]
    assert any(field.kind == "text" for field in model.fields)
    # So few columns tell little; which pairs match is not what is tested here.
    return records, replace(model, threshold=-5.0)


@pytest.fixture
def small_caps(monkeypatch):
    """Few records make a block large, and are shared out; and few share a word."""
    monkeypatch.setattr(pehchan.learning.addresses, "CAP", 4)
    monkeypatch.setattr(pehchan.learning.addresses, "WORD_CAP", 3)
    monkeypatch.setattr(pehchan.learning.addresses, "_TOGETHER", 2)


def write(path, names, records):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["id", *names], *([each, *values] for each, values in records.items())])
    return str(path)


def run(path, out, learning, state=""):
    """What `match` does with a model that there is."""
    request = Request("match", [path], str(out), state=state)
    result = Result(request)
    mistakes = Mistakes()
    schema, of_plan = learning.like.schema, learning.like.settings
    prepared = look_at([InputFile(path, "csv")], of_plan, schema, mistakes)
    mistakes.raise_if_any()
    plan = learning.check(Plan(prepared.schema, of_plan, 0, "records", "learnt"), prepared, mistakes)
    mistakes.raise_if_any()
    result.cluster_cutoff = plan.cutoff

    def keep(plan, jobs, records, work, here):
        make_state(state, "match", plan, jobs, records, work, here)

    here = Path(f"{out}-here")
    here.mkdir()
    files = [InputFile(path, "csv")]
    run_prepared(request, result, files, prepared, plan, QUIET, here, learning, keep if state else None)


def clusters_in(out):
    found = defaultdict(set)
    for file in sorted((Path(out) / "clusters").iterdir()):
        for row in csv.reader(file.read_text(encoding="utf-8").splitlines()):
            found[row[0]].add(row[1])
    return set(map(frozenset, found.values()))


def groups_of(entities):
    found = defaultdict(set)
    for record, entity in entities.items():
        found[entity].add(record)
    return {frozenset(records): entity for entity, records in found.items()}


def bring_in(state, names, folder, batch, records):
    """An update with new values by id, None of those that are gone; and what is always true of one."""
    before = groups_of(current_entities(open_state(str(state))))
    new = {each: values for each, values in batch.items() if values is not None}
    gone = [each for each, values in batch.items() if values is None]
    number = next(NUMBERS)
    inputs = [write(folder / f"new-{number}.csv", names, new)] if new else []
    deleted = ""
    if gone:
        deleted = str(folder / f"gone-{number}.txt")
        Path(deleted).write_text("\n".join(gone), encoding="utf-8")
    run_update(UpdateRequest(str(state), inputs, deleted), QUIET)
    for each, values in batch.items():
        records.pop(each, None) if values is None else records.update({each: values})
    entities = current_entities(open_state(str(state)))
    assert entities.keys() == records.keys()
    after = groups_of(entities)
    # Those of the same records have the same id, and no id of another one comes again.
    assert all(before[group] == entity for group, entity in after.items() if group in before)
    counts = open_state(str(state)).manifest.counts
    assert (counts["records"], counts["entities"]) == (len(records), len(after))


#: Each example is several runs; to look for a smaller one takes minutes.
few = settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
IDS = [f"r{number}" for number in range(24)]


def batches_of(values):
    base = st.dictionaries(st.sampled_from(IDS), values, min_size=10, max_size=22)
    batch = st.dictionaries(st.sampled_from(IDS), st.none() | values, max_size=7)
    return st.tuples(base, st.lists(batch, min_size=1, max_size=3))


@cache
def some_people():
    records, _ = people()
    return [values for _, _, values in records.rows[:3]]


#: One of three persons, with fields of another one, or nothing, in place of some of theirs.
PERSONS = st.builds(
    lambda person, others: [
        some_people()[person][k] if other is None else other and some_people()[other - 1][k]
        for k, other in enumerate(others)
    ],
    st.integers(0, 2),
    st.lists(st.none() | st.integers(0, 3), min_size=5, max_size=5).map(
        lambda each: [value if k % 2 else None for k, value in enumerate(each)]
    )
    | st.just([None] * 5),
)
PRODUCTS = st.builds(
    lambda words, price: [" ".join([*words, *_WORDS[:4]]), f"{price}.99"],
    st.lists(st.sampled_from(_WORDS), min_size=2, max_size=7, unique=True),
    st.integers(5, 7),
)
#: (records, rules, how clusters are made)
LEARNT = {
    "persons": (people, PERSONS, {}, {"cluster_by": "connected"}),
    "rules": (
        people,
        PERSONS,
        {"must_link": ["phone"], "cannot_link": ["birth"]},
        {"cluster_by": "average", "cluster_absent": "computed"},
    ),
    "words": (products, PRODUCTS, {}, {"cluster_by": "average", "cluster_absent": "computed"}),
}


@pytest.mark.parametrize("case", sorted(LEARNT))
def test_a_state_of_what_is_learnt_has_the_entities_of_one_run(case, small_caps, tmp_path_factory):
    make, values, rules, how = LEARNT[case]
    data, model = make()
    like = data.plan(**rules)
    like = replace(like, settings=replace(like.settings, **how), model=model.to_dict())
    found_large = []

    @few
    @given(batches_of(values))
    def check(drawn):
        base, batches = drawn
        folder = tmp_path_factory.mktemp("state")
        state, records = folder / "state", dict(base)
        path = write(folder / "base.csv", data.names, records)
        run(path, folder / "base", KnownModel(like, {}), str(state))
        plan = open_state(str(state)).read_plan()
        frozen = Frozen.from_dict(plan.frozen)
        found_large.append((len(frozen.large), len(frozen.crowded)))
        assert clusters_in(folder / "base") == set(groups_of(current_entities(open_state(str(state)))))
        for batch in batches:
            bring_in(state, data.names, folder, batch, records)
        if records:
            path = write(folder / "all.csv", data.names, records)
            run(path, folder / "all", KnownModel(plan, plan.frozen))
            assert set(groups_of(current_entities(open_state(str(state))))) == clusters_in(folder / "all")

    check()
    # What is tested is there.
    assert any(large for large, _ in found_large)
    assert case == "words" or any(crowded for _, crowded in found_large)


NAMED = st.tuples(st.text("ab", min_size=3, max_size=4), st.text("xy", min_size=1, max_size=2)).map(list)
SCHEMA = {"id": "id", "fields": {"name": {"measure": "levenshtein"}}, "cutoff": 300}
#: (schema, properties)
RULES = {
    "blocking": ({"blocking": ["prefix(name, 1)", "city"]}, ("cluster.by=pivot",)),
    "divided": (
        {"blocking": ["prefix(name, 1)", "city", "prefix(name, 2)"]},
        ("blocking.large=split", "blocking.max.records=7"),
    ),
    "all": ({}, ("cluster.by=centre",)),
    "partitions": ({"partition": "city"}, ("cluster.by=average", "cluster.absent=computed")),
}


#: Half of them begin with one letter, and a third is of one city.
LARGE = {
    each: ["".join(name), "xyz"[k % 3]]
    for k, (each, name) in enumerate(
        zip(IDS, [*product("ab", repeat=3), *product("ab", repeat=4)], strict=True)
    )
}


def by_hand(plan, records):
    """Clusters of the pairs that share a group and are near, compared one by one."""
    groups, measure = join_of(plan).groups, Levenshtein()
    of = {each: set(groups(record_of(each, values))) for each, values in records.items()}
    cluster = {each: {each} for each in records}
    for a, b in combinations(records, 2):
        if of[a] & of[b] and measure.distance(records[a][0], records[b][0]) <= 0.3:
            cluster[a] |= cluster[b]
            for each in cluster[a]:
                cluster[each] = cluster[a]
    return set(map(frozenset, cluster.values()))


def record_of(each, values):
    from pehchan.metadata.records import Record

    return Record("", each, [each, *values])


@pytest.mark.parametrize("case", sorted(RULES))
def test_a_state_of_rules_has_the_entities_of_one_run(case, tmp_path_factory, capsys):
    more, defines = RULES[case]
    switches = [part for each in defines for part in ("-D", each)]
    divided = []

    @few
    @given(batches_of(NAMED))
    def check(drawn):
        base, batches = drawn
        folder = tmp_path_factory.mktemp("state")
        # Blocks must be large, but not all alike.
        state, records = folder / "state", dict(LARGE if case == "divided" else base)
        schema = folder / "schema.yaml"
        schema.write_text(json.dumps({**SCHEMA, **more}))

        def dedupe(name, *arguments):
            path = write(folder / f"{name}.csv", ("name", "city"), records)
            asked = ["dedupe", path, "-s", str(schema), "-o", str(folder / name), "-q", "--no-report"]
            assert main([*asked, *switches, *arguments]) == 0, capsys.readouterr().err

        dedupe("base", "--state", str(state))
        plan = open_state(str(state)).read_plan()
        divided.append(plan.divided)
        for batch in batches:
            bring_in(state, ("name", "city"), folder, batch, records)
        found = set(groups_of(current_entities(open_state(str(state)))))
        if case == "divided":
            assert found == by_hand(plan, records)
        elif records:
            dedupe("all")
            assert found == clusters_in(folder / "all")

    check()
    assert case != "divided" or any(divided)


def content_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_batch_twice_changes_no_file(tmp_path, capsys):
    """Also where people decided of records that come again."""
    schema = tmp_path / "schema.yaml"
    schema.write_text(json.dumps({**SCHEMA, **RULES["blocking"][0]}))
    names = ("name", "city")
    base = write(tmp_path / "base.csv", names, {"1": ["aaaa", "x"], "2": ["aaab", "x"], "3": ["bbbb", "y"]})
    batch = write(tmp_path / "new.csv", names, {"2": ["aaba", "x"], "4": ["bbbb", "y"], "5": ["abab", "z"]})
    gone = tmp_path / "gone.txt"
    gone.write_text("3\n")
    state = tmp_path / "state"
    asked = ["-s", str(schema), "-o", str(tmp_path / "out"), "--state", str(state)]
    assert main(["dedupe", base, *asked]) == 0
    assert main(["decide", str(state), "--same", "1", "2", "--different", "1", "3"]) == 0
    assert main(["update", str(state), batch, "--deleted", str(gone)]) == 0
    before = content_of(state)
    capsys.readouterr()
    assert main(["update", str(state), batch, "--deleted", str(gone)]) == 0
    assert "is as it was, at version 3" in capsys.readouterr().out
    assert main(["decide", str(state), "--same", "2", "1"]) == 0
    assert content_of(state) == before
    # Nor does a file of all records, with nothing new in it, write their entities anew.
    everything = {"1": ["aaaa", "x"], "2": ["aaba", "x"], "4": ["bbbb", "y"], "5": ["abab", "z"]}
    more = write(tmp_path / "more.csv", names, {**everything, "6": ["baba", "z"]})
    assert main(["update", str(state), more]) == 0
    (members,) = (state / "parts").glob("000004-*/members/*")
    assert [orjson.loads(row)[0] for row in members.read_bytes().split(b"\t")[5:]] == ["6"]


def test_processes_give_the_same_bytes_as_one(tmp_path, capsys):
    data, model = people()
    like = replace(data.plan(), model=model.to_dict())
    rows = {each: values for _, each, values in data.rows}
    ids = list(rows)
    first = write(tmp_path / "first.csv", data.names, {each: rows[each] for each in ids[:330]})
    second = write(tmp_path / "second.csv", data.names, {each: rows[each] for each in ids[320:]})
    run(first, tmp_path / "out", KnownModel(like, {}), str(tmp_path / "base"))
    results = {}
    for runner in ("inline", "local"):
        import shutil

        state = tmp_path / runner
        shutil.copytree(tmp_path / "base", state)
        assert main(["update", str(state), second, "-r", runner, "-q"]) == 0, capsys.readouterr().err
        (part,) = (state / "parts").glob("000002-*")
        results[runner] = content_of(part)
    assert results["inline"] == results["local"]
    assert results["inline"].keys() == {
        f"{kind}/part-00001" for kind in ("records", "members", "pairs", "log")
    }
