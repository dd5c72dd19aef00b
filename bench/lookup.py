"""How long `pehchan lookup` takes for a record, once the state is loaded, and what loading it takes.

    python bench/lookup.py --records 1000000        by a model, of made-up persons in households
    python bench/lookup.py --records 20000 --rules  by rules, where every two records meet

800 records of the state with a typo or two and without their ids, and 200 strangers. The row says how often the
record itself is among the matches of one with typos, and how often a stranger has a match.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from customers import GENERATORS, write
from running import run

NAMES = ("name", "address", "city", "phone")
ASKED, STRANGERS = 800, 200
RULES = """\
id: id
fields:
  name: {measure: jaro-winkler, weight: 2}
  address: {measure: levenshtein}
  city: {measure: levenshtein}
  phone: {measure: levenshtein, missing: skip}
cutoff: 150
"""
HEAD = (
    "| records | by | loaded in, s | memory, MB | ms a record, median | 99 % | records with typos that are found "
    "| strangers with a match |\n|---|---|---|---|---|---|---|---|"
)


def with_typos(values: list[str], rng: random.Random) -> list[str]:
    """Values of which one or two letters are others."""
    typed = list(values)
    for _ in range(rng.randint(1, 2)):
        at = rng.choice([k for k, value in enumerate(typed) if value])
        letter = rng.randrange(len(typed[at]))
        typed[at] = typed[at][:letter] + rng.choice("abcdefgh0123456789") + typed[at][letter + 1 :]
    return typed


def questions(lines: Path, records: int, strangers: Path) -> list[tuple[str, list[str]]]:
    """The id that should be found, "" for none, and the values, of each record that is looked up."""
    rng = random.Random(1)
    chosen = set(rng.sample(range(records), min(ASKED, records)))
    asked = []
    with open(lines) as file:
        for number, line in enumerate(file):
            if number in chosen:
                record_id, *values = line.rstrip("\n").split(",")
                asked.append((record_id, with_typos(values, rng)))
    asked += [("", line.split(",")[1:]) for line in strangers.read_text().splitlines()]
    rng.shuffle(asked)
    return asked


def measure(state: str, asked: list[tuple[str, list[str]]]) -> None:
    """Print a row, as JSON."""
    from pehchan.identity.lookup import Lookup
    from pehchan.identity.state import open_state

    began = time.perf_counter()
    lookup = Lookup(open_state(state))
    loaded = time.perf_counter() - began
    unit = 1 if sys.platform == "darwin" else 1024
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    took, found, matched = [], 0, 0
    for record_id, values in asked:
        began = time.perf_counter()
        answer = lookup.find(dict(zip(NAMES, values, strict=True)))
        took.append(1000 * (time.perf_counter() - began))
        matches = {near.record.id for each in answer if each.matches for near in each.records}
        found += record_id in matches
        matched += not record_id and bool(matches)
    row = [loaded, megabytes, *np.percentile(took, [50, 99]).tolist(), found, matched]
    print(json.dumps(row))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--rules", action="store_true", help="by rules, where every two records meet")
    parser.add_argument(
        "--state", default="", help="of the same records; made there, and kept, where it is not"
    )
    parser.add_argument("--asked", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.asked:
        measure(options.state, json.loads(Path(options.asked).read_text()))
        return
    with tempfile.TemporaryDirectory(prefix="pehchan-bench-") as place:
        folder = Path(place)
        lines, strangers = folder / "lines", folder / "strangers"
        write(GENERATORS["households"](options.records, 1), lines, None)
        write(GENERATORS["households"](STRANGERS, 2), strangers, None)
        state = Path(options.state or folder / "state").resolve()
        if not state.exists():
            (folder / "persons.csv").write_text(f"id,{','.join(NAMES)}\n" + lines.read_text())
            (folder / "rules.yaml").write_text(RULES)
            how = ["dedupe", "-s", "rules.yaml"] if options.rules else ["match"]
            run([*how, "persons.csv", "-o", "out", "--state", str(state), "-r", "local", "-q"], folder)
        (folder / "asked.json").write_text(json.dumps(questions(lines, options.records, strangers)))
        # In a process of its own, that holds nothing else.
        command = [sys.executable, __file__, "--state", str(state), "--asked", str(folder / "asked.json")]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    loaded, megabytes, median, slow, found, matched = json.loads(done.stdout)
    print(HEAD)
    print(
        f"| {options.records:,} | {'rules, all pairs' if options.rules else 'a model'} | {loaded:.1f} "
        f"| {megabytes:,.0f} | {median:.1f} | {slow:.1f} | {found} of {min(ASKED, options.records)} "
        f"| {matched} of {STRANGERS} |"
    )


if __name__ == "__main__":
    main()
