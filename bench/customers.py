#!/usr/bin/env python3
"""Writes many made-up customers with typos, and which of them are the same person; ten million in a minute or two.

    python bench/customers.py --kind households --records 1000000 --seed 1 --output customers.csv --truth truth.csv

out    lines id,name,address,city and state,phone, without a header, in random order
truth  id,cluster of every record; of households id,cluster,household

easy        Half of the records are copies of the others with one or two typos: a letter or digit replaced, left out,
            inserted, or swapped with the next one. No two persons have anything in common but by chance.
households  Persons live together, at one address, mostly with one last name and often with one phone. Some are named
            as another of the household but for a letter, or for "jr". A person is there once to five times, and the
            later records differ as HAPPENS and TYPOS say; few names and streets are very common, most are rare.

The same options give the same files on every machine.
"""

# ruff: noqa: SIM905
import argparse
import hashlib
import random
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

#: Records that are made at a time.
AT_ONCE = 100_000

SYLLABLES = """
an ber ca da el fi gar ha in jo ka lo ma ne or pe ri sa ti ul vi wil ya zo mi ron ster ton ley son man bra cla dre
""".split()
STATES = ["AL", "CA", "TX", "NY", "FL", "IL", "PA", "OH", "GA", "NC", "MI", "NJ"]
STREET_KINDS = ["st", "ave", "rd", "blvd", "ln", "dr", "ct", "way"]
LETTERS = "abcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"

#: A line without its id, the cluster of the record, and its household if it has one.
Record = tuple[str, int, int | None]


def made_up(number: int, rng: random.Random, fewest: int = 2, most: int = 3) -> list[str]:
    """So many different words of some syllables each."""
    words: set[str] = set()
    while len(words) < number:
        words.add("".join(rng.choice(SYLLABLES) for _ in range(rng.randint(fewest, most))))
    # A set has another order in every process.
    return sorted(sorted(words), key=lambda _: rng.random())


def easy(records: int, seed: int) -> Iterator[Record]:
    """Customers that have nothing in common but by chance, and copies of them with one or two typos.

    What is drawn, and in which order, is that of the first measurements of the search for near duplicates.
    """
    words, draw = random.Random(7), np.random.default_rng(seed)
    first, last = made_up(3000, words), made_up(20_000, words, 2, 4)
    streets, towns = made_up(20_000, words, 2, 4), made_up(3000, words, 2, 4)
    cities = [f"{town} {words.choice(STATES)}" for town in towns]
    areas = [words.sample(range(200, 990), 3) for _ in towns]

    originals = records - records // 2
    names = _skewed(len(first), 0.8, originals, draw), _skewed(len(last), 0.7, originals, draw)
    places = _skewed(len(streets), 0.6, originals, draw), _skewed(len(cities), 0.9, originals, draw)
    # As large as they have to be: of ten million records each of them is there five million times.
    drawn = [
        *names,
        draw.integers(1, 9999, originals).astype(np.uint16),
        places[0],
        draw.integers(0, len(STREET_KINDS), originals).astype(np.uint8),
        places[1],
        draw.integers(0, 10**7, originals).astype(np.uint32),
        draw.integers(0, 3, originals).astype(np.uint8),
        draw.random(originals) < 0.15,
    ]

    def values(numbers: NDArray[np.int64]) -> list[tuple[str, str, str, str]]:
        found = []
        for f, la, house, s, kind, c, phone, area, flat in zip(
            *(each[numbers].tolist() for each in drawn), strict=True
        ):
            address = f"{house} {streets[s]} {STREET_KINDS[kind]}"
            if flat:
                address += f" apt {house % 97}"
            found.append((f"{first[f]} {last[la]}", address, cities[c], f"{areas[c][area]}{phone:07d}"))
        return found

    copied = draw.integers(0, originals, records - originals).astype(np.int32)
    order = draw.permutation(records).astype(np.int32)
    # The copies are made in their order, as each takes the next numbers, and read in another.
    copies, ends = bytearray(), array("q", [0])
    rng = random.Random(seed)
    for start in range(0, len(copied), AT_ONCE):
        for value in values(copied[start : start + AT_ONCE]):
            copies += ",".join(_with_easy_typos(value, rng)).encode("ascii")
            ends.append(len(copies))
    for start in range(0, records, AT_ONCE):
        chosen = order[start : start + AT_ONCE]
        kept = iter(values(chosen[chosen < originals]))
        for number in chosen.tolist():
            if number < originals:
                yield ",".join(next(kept)), number, None
            else:
                copy = number - originals
                yield copies[ends[copy] : ends[copy + 1]].decode("ascii"), int(copied[copy]), None


def _skewed(words: int, power: float, number: int, draw: np.random.Generator) -> NDArray[np.uint16]:
    shares = 1 / np.arange(1, words + 1) ** power
    return draw.choice(words, number, p=shares / shares.sum()).astype(np.uint16)


def _with_easy_typos(values: Sequence[str], rng: random.Random) -> list[str]:
    typed = list(values)
    for _ in range(rng.randint(1, 2)):
        at = rng.randrange(4)
        value = typed[at]
        i, kind = rng.randrange(len(value)), rng.random()
        letter = rng.choice(DIGITS if value[i].isdigit() else LETTERS)
        if kind < 0.5:
            value = value[:i] + letter + value[i + 1 :]
        elif kind < 0.7:
            value = value[:i] + value[i + 1 :] if len(value) > 3 else value
        elif kind < 0.9:
            value = value[:i] + letter + value[i:]
        elif i + 1 < len(value):
            value = value[:i] + value[i + 1] + value[i] + value[i + 2 :]
        typed[at] = value
    return typed


#: How many persons live together, from one on, in hundredths; and how often a person is there.
TOGETHER, TIMES = (35, 30, 17, 12, 6), (60, 25, 10, 4, 1)

#: Share of the persons of a household, but for its first one, that have its last name; that are named as its first
#: one but for a letter; and as its first one and "jr". Share of all persons that have the phone of the household.
SAME_LAST_NAME, TWINS, JUNIORS, SAME_PHONE = 0.85, 0.05, 0.02, 0.6

#: Share of the later records of a person in which it happens.
HAPPENS = {
    "moved": 0.06,
    "another phone": 0.06,
    "no phone": 0.08,
    "no address": 0.03,
    "nickname": 0.12,
    "initial": 0.04,
    "last name first": 0.04,
    "street written otherwise": 0.15,
}

#: How many typos such a record has besides, from none on, in hundredths; and of which kinds they are.
TYPOS = (35, 40, 20, 5)
KINDS = {"next key": 30, "swapped": 15, "left out": 20, "twice": 10, "misread": 15, "misheard": 10}

NICKNAMES = {
    full: short
    for pair in """
    robert:bob william:bill james:jim john:jack richard:dick thomas:tom charles:chuck joseph:joe michael:mike
    david:dave daniel:dan matthew:matt anthony:tony steven:steve andrew:andy edward:ted kenneth:ken joshua:josh
    timothy:tim jeffrey:jeff gregory:greg benjamin:ben samuel:sam patrick:pat alexander:alex nicholas:nick
    jonathan:jon stephen:steve lawrence:larry raymond:ray gerald:jerry frederick:fred peter:pete henry:hank
    elizabeth:liz margaret:peggy katherine:kate patricia:pat jennifer:jen barbara:barb susan:sue jessica:jess
    deborah:deb rebecca:becky christine:chris virginia:ginny dorothy:dot kimberly:kim sandra:sandy pamela:pam
    catherine:cathy victoria:vicky abigail:abby samantha:sam cynthia:cindy theresa:terry jacqueline:jackie
    """.split()
    for full, short in [pair.split(":")]
}
WRITTEN_OTHERWISE = {
    "st": "street",
    "ave": "avenue",
    "rd": "road",
    "blvd": "boulevard",
    "ln": "lane",
    "dr": "drive",
    "ct": "court",
    "way": "wy",
}

#: The keys beside each, to the left and right.
KEYS = {
    key: row[max(0, at - 1) : at] + row[at + 1 : at + 2]
    for row in ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")
    for at, key in enumerate(row)
}
#: What is taken for what, read from paper and heard on the phone.
MISREAD = [("m", "rn"), ("o", "0"), ("l", "1"), ("s", "5"), ("b", "8"), ("z", "2"), ("0", "o"), ("1", "l")]
MISHEARD = [("f", "ph"), ("ck", "k"), ("c", "k"), ("k", "c"), ("z", "s"), ("ie", "y"), ("y", "i"), ("n", "m")]


class Draws:
    """Numbers that look like chance, each told by the seed, what it is for, and the number of what it is drawn for.

    So any record can be made without those before it. Nothing but whole numbers and exact fractions: the same
    everywhere.
    """

    def __init__(self, seed: int):
        self._seed = seed

    def whole(self, what: str, numbers: NDArray[np.integer]) -> NDArray[np.uint64]:
        """Numbers of 64 bits: the function splitmix64 (Steele, Lea and Flood, 2014)."""
        start = hashlib.blake2b(f"{self._seed} {what}".encode(), digest_size=8).digest()
        mixed = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        mixed += np.uint64(int.from_bytes(start, "big"))
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return mixed ^ (mixed >> np.uint64(31))

    def share(self, what: str, numbers: NDArray[np.integer]) -> NDArray[np.float64]:
        """Numbers from 0 up to 1."""
        return (self.whole(what, numbers) >> np.uint64(11)) * 2.0**-53

    def below(self, end: int, what: str, numbers: NDArray[np.integer]) -> NDArray[np.int64]:
        """Whole numbers from 0 up to an end."""
        return (self.share(what, numbers) * end).astype(np.int64)

    def one_of(self, weights: Sequence[int], what: str, numbers: NDArray[np.integer]) -> NDArray[np.int64]:
        """Places in a list of weights, each as often as its weight says."""
        ends = np.cumsum(weights)
        return np.searchsorted(ends, self.below(int(ends[-1]), what, numbers), side="right")


def _common_first(words: int, among: int) -> list[int]:
    """Weights of words of which some are common and most rare, by Zipf's law but for the first ones."""
    return [10**9 // (rank + among) for rank in range(words)]


def households(records: int, seed: int) -> Iterator[Record]:
    """Persons who live together, each there once to five times."""
    words, draws = random.Random(11), Draws(seed)
    # A third of the persons has a first name that has a nickname.
    first = [name for pair in zip(NICKNAMES, made_up(len(NICKNAMES), words), strict=True) for name in pair]
    first += sorted(set(made_up(1500, words)) - set(first))
    last, streets = made_up(30_000, words, 2, 4), made_up(20_000, words, 2, 4)
    cities = [f"{town} {words.choice(STATES)}" for town in made_up(3000, words, 2, 4)]
    areas = [words.sample(range(200, 990), 2) for _ in cities]
    of_first, of_last = _common_first(len(first), 8), _common_first(len(last), 15)
    of_streets, of_cities = _common_first(len(streets), 20), _common_first(len(cities), 5)

    # More households than there can be: each has 3.6 records on average.
    living = 1 + draws.one_of(TOGETHER, "together", np.arange(records // 2 + 100)).astype(np.int8)
    household_of = np.repeat(np.arange(len(living), dtype=np.int32), living)
    # The number of the first person of the household of each.
    eldest = (np.cumsum(living, dtype=np.int32) - living)[household_of]
    times = 1 + draws.one_of(TIMES, "times", np.arange(len(household_of))).astype(np.int8)
    person_of = np.repeat(np.arange(len(times), dtype=np.int32), times)[:records]
    first_record = np.cumsum(times, dtype=np.int32) - times
    order = np.argsort(draws.whole("order", np.arange(records)), kind="stable").astype(np.int32)

    def addresses(what: str, numbers: NDArray[np.integer]) -> list[tuple[str, str, str]]:
        """Address, city and phone: of a household, or where a person moved."""
        picked = (
            # Small house numbers are more common.
            1 + (draws.share(f"{what} house", numbers) ** 2 * 9998).astype(np.int64),
            draws.one_of(of_streets, f"{what} street", numbers),
            draws.below(len(STREET_KINDS), f"{what} kind", numbers),
            draws.below(500, f"{what} flat", numbers),
            draws.one_of(of_cities, f"{what} city", numbers),
            draws.below(2 * 10**7, f"{what} phone", numbers),
        )
        return [
            (
                # A fifth lives in flats.
                f"{house} {streets[street]} {STREET_KINDS[kind]}" + (f" apt {flat}" if flat < 100 else ""),
                cities[city],
                f"{areas[city][phone % 2]}{phone // 2:07d}",
            )
            for house, street, kind, flat, city, phone in zip(
                *(each.tolist() for each in picked), strict=True
            )
        ]

    for start in range(0, records, AT_ONCE):
        chosen = order[start : start + AT_ONCE]
        persons = person_of[chosen]
        homes, heads = household_of[persons], eldest[persons]
        other = persons != heads
        shares = draws.share("name", persons)
        twin, junior = other & (shares < TWINS), other & (shares >= TWINS) & (shares < TWINS + JUNIORS)
        own_name = other & ~twin & ~junior & (draws.share("last name of its own", persons) >= SAME_LAST_NAME)
        first_names = draws.one_of(of_first, "first name", np.where(twin | junior, heads, persons))
        # The number of the household stands for those who have its name, one behind all of them for a person.
        last_names = draws.one_of(of_last, "last name", np.where(own_name, len(living) + persons, homes))
        own_phone = draws.share("phone of its own", persons) >= SAME_PHONE
        phones = draws.below(10**7, "own phone", persons)

        later = chosen != first_record[persons]
        happens = {
            what: (later & (draws.share(what, chosen) < share)).tolist() for what, share in HAPPENS.items()
        }
        typos = np.where(later, draws.one_of(TYPOS, "typos", chosen), 0)
        typed = np.stack([draws.whole(f"typo {k}", chosen) for k in range(len(TYPOS) - 1)], axis=1)
        at_home = addresses("home", homes)
        moved = iter(addresses("moved", chosen[happens["moved"]]))
        changed = draws.below(10**7, "another phone", chosen).tolist()
        twins = draws.whole("twin", persons).tolist()
        for k, (person, home, f, la, is_twin, is_junior, has_phone, phone, count, numbers) in enumerate(
            zip(
                *(persons.tolist(), homes.tolist(), first_names.tolist(), last_names.tolist()),
                *(twin.tolist(), junior.tolist(), own_phone.tolist(), phones.tolist()),
                *(typos.tolist(), typed.tolist()),
                strict=True,
            )
        ):
            given, family, (address, city, number) = first[f], last[la], at_home[k]
            if is_twin:
                given = _one_letter_changed(given, twins[k])
            if is_junior:
                family += " jr"
            if has_phone:
                number = f"{number[:3]}{phone:07d}"
            if happens["moved"][k]:
                address, city, new_number = next(moved)
                # Half of them keep their phone.
                number = new_number if phone % 2 else number
            if happens["another phone"][k]:
                number = f"{number[:3]}{changed[k]:07d}"
            if happens["nickname"][k]:
                given = NICKNAMES.get(given, given)
            if happens["initial"][k]:
                given = given[0]
            name = f"{family} {given}" if happens["last name first"][k] else f"{given} {family}"
            if happens["street written otherwise"][k]:
                address = " ".join(WRITTEN_OTHERWISE.get(word, word) for word in address.split())
            values = [name, address, city, number]
            for n in range(count):
                _mistype(values, numbers[n])
            if happens["no address"][k]:
                values[1] = ""
            if happens["no phone"][k]:
                values[3] = ""
            yield ",".join(values), person, home


def _one_letter_changed(name: str, number: int) -> str:
    number, at = divmod(number, len(name))
    letter = LETTERS[(LETTERS.index(name[at]) + 1 + number % 25) % 26]
    return name[:at] + letter + name[at + 1 :]


#: A kind of typo for each hundredth.
_KIND = [kind for kind, hundredths in KINDS.items() for _ in range(hundredths)]

#: Which value a typo is in: name and address are typed more often than they are picked.
_VALUE = (0, 0, 0, 1, 1, 1, 2, 3, 3)


def _mistype(values: list[str], number: int) -> None:
    """Make a typo, as a number says which, where, and of which kind."""
    number, which = divmod(number, len(_VALUE))
    number, kind_at = divmod(number, 100)
    at = _VALUE[which]
    value, kind = values[at], _KIND[kind_at]
    place, i = divmod(number, len(value))
    if kind in ("misread", "misheard"):
        mistakes = MISREAD if kind == "misread" else MISHEARD
        if possible := [each for each in mistakes if each[0] in value]:
            values[at] = value.replace(*possible[place % len(possible)], 1)
            return
        kind = "next key"
    letter = value[i].lower()
    if kind == "next key":
        beside = KEYS.get(letter)
        typed = beside[place % len(beside)] if beside else ""
        # A blank is left out instead.
        value = value[:i] + typed + value[i + 1 :]
    elif kind == "swapped":
        value = value[:i] + value[i + 1 : i + 2] + value[i] + value[i + 2 :]
    elif kind == "left out":
        value = value[:i] + value[i + 1 :]
    else:
        value = value[:i] + letter + value[i:]
    values[at] = value.strip() or values[at]


GENERATORS = {"easy": easy, "households": households}


def write(records: Iterable[Record], output: Path, truth: Path | None) -> None:
    """Write the lines, with the numbers of the lines as ids, and which are the same."""
    with open(output, "w", encoding="ascii", newline="") as lines:
        if truth is None:
            lines.writelines(f"{number},{line}\n" for number, (line, _, _) in enumerate(records))
            return
        with open(truth, "w", encoding="ascii", newline="") as same:
            for number, (line, cluster, household) in enumerate(records):
                if not number:
                    same.write("id,cluster\n" if household is None else "id,cluster,household\n")
                lines.write(f"{number},{line}\n")
                same.write(
                    f"{number},{cluster}\n" if household is None else f"{number},{cluster},{household}\n"
                )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kind", choices=GENERATORS, default="easy")
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, metavar="FILE")
    parser.add_argument("--truth", type=Path, metavar="FILE")
    options = parser.parse_args()
    if options.records < 2:
        parser.error("--records: give at least 2")
    write(GENERATORS[options.kind](options.records, options.seed), options.output, options.truth)


if __name__ == "__main__":
    main()
