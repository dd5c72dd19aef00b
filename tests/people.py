"""Made-up persons with typos, of whom it is known who is who."""

# ruff: noqa: SIM905
import random

FIRST = "anna ben carla david emma frank greta hans ida jonas karla leo mia nina otto paula rosa simon tina".split()
SYLLABLES = "an ber ca da el fi gar ha in jo ka lo ma ne or pe ri sa ti ul vi wil ya zo".split()
NAMES = ["first name", "last name", "street", "city", "birth", "phone"]


def made_up(rng, syllables):
    return "".join(rng.choice(SYLLABLES) for _ in range(syllables))


def typo(value, rng):
    place = rng.randrange(len(value))
    return value[:place] + rng.choice("abcdefghij0123456789") + value[place + 1 :]


def people(persons, seed=1, twice=0.4, damaged=2):
    """Columns of NAMES, ids, and pairs (i, j) of rows of one person."""
    rng = random.Random(seed)
    streets = [f"{made_up(rng, 3)} street" for _ in range(max(persons // 4, 3))]
    cities = [made_up(rng, 3) for _ in range(max(persons // 20, 3))]
    rows, pairs = [], []
    for _ in range(persons):
        row = [
            rng.choice(FIRST),
            made_up(rng, rng.choice((2, 3))),
            f"{rng.randrange(1, 200)} {rng.choice(streets)}",
            rng.choice(cities),
            f"19{rng.randrange(30, 99)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}",
            f"0{rng.randrange(10**8, 10**9)}",
        ]
        rows.append(row)
        if rng.random() < twice:
            other = list(row)
            for place in rng.sample(range(len(row)), damaged):
                other[place] = "" if rng.random() < 0.2 else typo(row[place], rng)
            pairs.append((len(rows) - 1, len(rows)))
            rows.append(other)
    columns = [list(column) for column in zip(*rows, strict=True)]
    return columns, [f"r{k}" for k in range(len(rows))], pairs
