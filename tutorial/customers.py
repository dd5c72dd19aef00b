#!/usr/bin/env python3
"""Writes made-up customers of US shops, some of them twice with small typos.

    python tutorial/customers.py --records 2000 --seed 1 --output customers.csv --truth truth.csv

out    lines id,name,address,city,phone, in random order; of the customers that are there twice the ids
       differ in the first digit only: 106379 and 206379
truth  id,cluster of every record; with --two-sets the pairs id_a,id_b

The same options always give the same files.
"""

# ruff: noqa: SIM905
import argparse
import random
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

HEADER = "id,name,address,city,phone"

FIRST_NAMES = """
Aaron Abigail Adam Alice Amanda Amit Amy Andrea Andrew Angela Anita Anthony Arthur Barbara Benjamin Beth
Brenda Brian Carl Carla Carlos Carol Catherine Charles Christine Claire Craig Cynthia Daniel David Deborah
Deepak Dennis Diana Diego Donald Donna Douglas Edward Elena Elizabeth Emily Eric Esther Eugene Evelyn Fatima
Felix Frances Francis Frank Gabriel Gary George Gerald Gloria Grace Gregory Hannah Harold Harriet Hector
Helen Henry Holly Howard Ian Irene Isaac Ivan Jack Jacob James Janet Jason Jean Jennifer Jeremy Jessica Joan
Joel John Jonathan Jorge Joseph Joshua Joyce Juan Judith Julia Karen Katherine Keith Kelly Kenneth Kevin
Kimberly Kiran Larry Laura Lawrence Leah Leonard Linda Lisa Louis Lucia Manuel Margaret Maria Marie Mark
Martha Martin Mary Matthew Megan Mei Melissa Michael Miguel Monica Nancy Natalie Nathan Neha Nicholas Nicole
Nora Olga Oliver Oscar Pamela Patricia Patrick Paul Pedro Peter Philip Priya Rachel Rahul Ralph Raymond
Rebecca Richard Rita Robert Roger Ronald Rosa Roy Ruth Ryan Samantha Samuel Sandra Sara Scott Sean Sharon
Simon Sofia Stephen Steven Sunita Susan Tariq Teresa Theodore Thomas Timothy Tracy Travis Valerie Vanessa
Victor Victoria Vijay Vincent Virginia Walter Wanda Wayne Wendy William Xavier Yolanda Yusuf Zachary
""".split()

LAST_NAMES = """
Adams Aguilar Ahmed Alexander Allen Alvarez Anderson Armstrong Bailey Baker Banerjee Barnes Becker Bell
Bennett Bishop Black Boyd Bradley Brooks Brown Bryant Burke Burns Butler Campbell Carlson Carpenter Carroll
Carter Castillo Chang Chapman Chavez Chen Clark Cohen Coleman Collins Cooper Cox Crawford Cruz Cunningham
Daniels Davis Delgado Diaz Dixon Duncan Dunn Edwards Elliott Ellis Evans Ferguson Fernandez Fischer Fisher
Fleming Ford Foster Fox Franklin Freeman Garcia Gardner Gibson Gilbert Gomez Gonzalez Gordon Graham Grant
Gray Green Greene Griffin Gupta Gutierrez Hall Hamilton Hansen Harper Harris Hart Harvey Hawkins Hayes
Henderson Hernandez Hicks Hill Hoffman Holland Holmes Howell Hughes Hunt Hunter Jackson Jacobs Jenkins
Jensen Johnson Jones Jordan Joshi Kaplan Keller Kelley Kennedy Khan Kim King Klein Knight Kumar Lambert
Larson Lee Lewis Li Lopez Lynch Malone Marshall Martinez Mason McCarthy McDonald Medina Mehta Mendoza Meyer
Miller Mitchell Montgomery Moore Morales Morgan Morris Murphy Myers Nelson Nguyen Nichols Norris Nunez
Obrien Oliver Olson Ortiz Owens Palmer Park Parker Patel Patterson Payne Pearson Perez Perkins Perry
Peterson Pham Phillips Pierce Porter Powell Price Quinn Ramirez Ramos Reddy Reed Reyes Reynolds Rice
Richardson Riley Rivera Roberts Robinson Rodriguez Rogers Romero Rose Ross Russell Ryan Sanchez Sanders
Schmidt Schneider Schultz Shah Sharma Shaw Silva Simmons Simpson Singh Smith Snyder Soto Spencer Stein
Stevens Stewart Stone Sullivan Sutton Tanaka Taylor Thompson Torres Tran Tucker Turner Vargas Vasquez Wade
Wagner Walker Wallace Walsh Wang Ward Warren Watson Weaver Webb Weber West Wheeler White Williams Wilson
Wong Wood Wright Yamamoto Young Zhang Zimmerman
""".split()

STREETS = """
Acorn|Alder|Almond|Appletree|Arrowhead|Ash|Aspen|Bayview|Beacon Hill|Beech|Birch|Blue Heron|Bluebird|
Briarwood|Bridge|Brookside|Buckskin|Canyon|Cardinal|Cedar|Cherry|Chestnut|Church|Clearwater|Cliffside|Clover|
Cobblestone|Concord|Copper Creek|Cottonwood|Country Club|Crescent|Cypress|Deer Run|Dogwood|Eagle Ridge|
East Lake|Elm|Fairview|Fern|Forest|Foxglove|Garden|Glen Oak|Golden Gate|Granite|Greenfield|Hawthorn|Hazel|
Heather|Hickory|Hidden Valley|Highland|Hillcrest|Holly|Honeysuckle|Indian Trail|Iron Horse|Ivy|Jasmine|
Juniper|Kingfisher|Lakeshore|Larch|Laurel|Liberty|Lilac|Lincoln|Locust|Long Meadow|Magnolia|Main|Maple|
Market|Mayflower|Meadowlark|Mill Pond|Mission|Monroe|Mulberry|North Shore|Oak Grove|Old Mill|Olive|Orchard|
Paddock|Palmetto|Park|Peachtree|Pebble Beach|Pecan|Pheasant|Pine|Pioneer|Poplar|Prairie|Quail Hollow|
Quarry|Railroad|Ravenwood|Red Fox|Redwood|Ridge|River|Rockport|Rose|Saddleback|Sage|Sandpiper|Sequoia|
Shady Lane|Silver Lake|Spring|Spruce|Stonegate|Sugar Maple|Summit|Sunset|Sycamore|Tamarack|Timber|Tulip|
Union|Valley View|Vineyard|Vista|Walnut|Washington|Water|West Park|Wildflower|Willow|Windmill|Woodland
""".replace("\n", "").split("|")

STREET_KINDS = "St Ave Rd Dr Ln Ct Pl Blvd Way Ter Cir Pt Hwy Pkwy".split()

# City, state, first three digits of the zip code, area code.
CITIES = [
    ("Albany", "NY", "122", "518"),
    ("Albuquerque", "NM", "871", "505"),
    ("Anchorage", "AK", "995", "907"),
    ("Atlanta", "GA", "303", "404"),
    ("Augusta", "GA", "309", "706"),
    ("Austin", "TX", "787", "512"),
    ("Bakersfield", "CA", "933", "661"),
    ("Baltimore", "MD", "212", "410"),
    ("Baton Rouge", "LA", "708", "225"),
    ("Billings", "MT", "591", "406"),
    ("Birmingham", "AL", "352", "205"),
    ("Boise", "ID", "837", "208"),
    ("Boston", "MA", "021", "617"),
    ("Buffalo", "NY", "142", "716"),
    ("Burlington", "VT", "054", "802"),
    ("Charleston", "SC", "294", "843"),
    ("Charlotte", "NC", "282", "704"),
    ("Chicago", "IL", "606", "312"),
    ("Cincinnati", "OH", "452", "513"),
    ("Cleveland", "OH", "441", "216"),
    ("Columbus", "OH", "432", "614"),
    ("Dallas", "TX", "752", "214"),
    ("Denver", "CO", "802", "303"),
    ("Des Moines", "IA", "503", "515"),
    ("Detroit", "MI", "482", "313"),
    ("El Paso", "TX", "799", "915"),
    ("Fort Worth", "TX", "761", "817"),
    ("Fresno", "CA", "937", "559"),
    ("Hartford", "CT", "061", "860"),
    ("Honolulu", "HI", "968", "808"),
    ("Houston", "TX", "770", "713"),
    ("Indianapolis", "IN", "462", "317"),
    ("Jacksonville", "FL", "322", "904"),
    ("Kansas City", "MO", "641", "816"),
    ("Las Vegas", "NV", "891", "702"),
    ("Little Rock", "AR", "722", "501"),
    ("Los Angeles", "CA", "900", "213"),
    ("Louisville", "KY", "402", "502"),
    ("Madison", "WI", "537", "608"),
    ("Memphis", "TN", "381", "901"),
    ("Miami", "FL", "331", "305"),
    ("Milwaukee", "WI", "532", "414"),
    ("Minneapolis", "MN", "554", "612"),
    ("Nashville", "TN", "372", "615"),
    ("New Orleans", "LA", "701", "504"),
    ("New York", "NY", "100", "212"),
    ("Newark", "NJ", "071", "973"),
    ("Oakland", "CA", "946", "510"),
    ("Oklahoma City", "OK", "731", "405"),
    ("Omaha", "NE", "681", "402"),
    ("Philadelphia", "PA", "191", "215"),
    ("Phoenix", "AZ", "850", "602"),
    ("Pittsburgh", "PA", "152", "412"),
    ("Portland", "OR", "972", "503"),
    ("Providence", "RI", "029", "401"),
    ("Richmond", "VA", "232", "804"),
    ("Sacramento", "CA", "958", "916"),
    ("Salt Lake City", "UT", "841", "801"),
    ("San Antonio", "TX", "782", "210"),
    ("San Diego", "CA", "921", "619"),
    ("San Francisco", "CA", "941", "415"),
    ("Seattle", "WA", "981", "206"),
    ("Spokane", "WA", "992", "509"),
    ("St Louis", "MO", "631", "314"),
    ("Tampa", "FL", "336", "813"),
    ("Tucson", "AZ", "857", "520"),
    ("Tulsa", "OK", "741", "918"),
    ("Wichita", "KS", "672", "316"),
]

LETTERS = "abcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"


class Customer(NamedTuple):
    """One record; what follows the first digit of the id is the same in both records of a customer."""

    id: str
    name: str
    address: str
    city: str
    phone: str

    @property
    def cluster(self) -> str:
        return self.id[1:]


def customers(
    records: int, seed: int, duplicates: float = 0.5, missing_phones: float = 0.01
) -> Iterator[Customer]:
    """`records` customers, and second records of a share of them, in random order.

    A second record has 0 to 2 typos and lacks the phone in a share of `missing_phones`.
    """
    rng = random.Random(seed)
    # Five digits after the first one, more only where there are more customers.
    digits = max(5, len(str(records - 1)))
    found = []
    known = set()
    for number in rng.sample(range(10**digits), records):
        values = _made_up(rng)
        while values in known:
            values = _made_up(rng)
        known.add(values)
        found.append(Customer(f"1{number:0{digits}}", *values))
        if rng.random() < duplicates:
            found.append(_second(rng, found[-1], missing_phones))
    rng.shuffle(found)
    yield from found


def _made_up(rng: random.Random) -> tuple[str, str, str, str]:
    name = f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"
    address = f"{rng.randint(1, 9999)} {rng.choice(STREETS)} {rng.choice(STREET_KINDS)}"
    city, state, zip_start, area = rng.choice(CITIES)
    phone = f"{area} {rng.randint(2000000, 9999999)}"
    return name, address, f"{city} {state} {zip_start}{rng.randrange(100):02}", phone


def _second(rng: random.Random, first: Customer, missing_phones: float) -> Customer:
    values = list(first[1:])
    for _ in range(rng.randrange(3)):
        at = rng.randrange(len(values))
        values[at] = with_typo(rng, values[at])
    if rng.random() < missing_phones:
        values[-1] = ""
    return Customer("2" + first.cluster, *values)


def with_typo(rng: random.Random, value: str) -> str:
    """The value with one letter or digit inserted, left out, replaced, or swapped with the next one."""
    places = [at for at, character in enumerate(value) if character.isalnum()]
    swappable = [at for at in places if value[at + 1 : at + 2].isalnum() and value[at] != value[at + 1]]
    kind = rng.choice(["insert", "delete", "replace", "swap"])
    if kind == "swap" and swappable:
        at = rng.choice(swappable)
        return value[:at] + value[at + 1] + value[at] + value[at + 2 :]
    at = rng.choice(places)
    if kind == "delete":
        # A house number of one digit takes the blank behind it along.
        return (value[:at] + value[at + 1 :]).strip()
    alphabet = DIGITS if value[at].isdigit() else LETTERS.upper() if value[at].isupper() else LETTERS
    typed = rng.choice([character for character in alphabet if character != value[at]])
    return value[:at] + typed + value[at if kind == "insert" else at + 1 :]


def write_lines(output: TextIO, header: str, rows: Iterable[Iterable[str]]) -> None:
    """Rows as comma lines; no value holds a comma or a quote, so none needs quotes."""
    if header:
        output.write(header + "\n")
    for row in rows:
        output.write(",".join(row) + "\n")


def main(arguments: list[str] | None = None) -> None:
    options = _options(arguments)
    found = list(customers(options.records, options.seed, options.duplicates, options.missing_phones))
    header = HEADER if options.header else ""
    if options.two_sets:
        options.output_dir.mkdir(parents=True, exist_ok=True)
        for name, start in (("first.csv", "1"), ("second.csv", "2")):
            with open(options.output_dir / name, "w", encoding="ascii", newline="") as file:
                write_lines(file, header, (row for row in found if row.id.startswith(start)))
    elif options.output:
        with open(options.output, "w", encoding="ascii", newline="") as file:
            write_lines(file, header, found)
    else:
        write_lines(sys.stdout, header, found)
    if options.truth:
        with open(options.truth, "w", encoding="ascii", newline="") as file:
            if options.two_sets:
                seconds = (row for row in found if row.id.startswith("2"))
                write_lines(file, "id_a,id_b", (("1" + row.cluster, row.id) for row in seconds))
            else:
                write_lines(file, "id,cluster", ((row.id, row.cluster) for row in found))


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").strip(), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=2000, help="customers, without the second records")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--duplicates", type=float, default=0.5, help="share that is there twice (0.5)")
    parser.add_argument(
        "--missing-phones", type=float, default=0.01, help="share of second records without a phone (0.01)"
    )
    parser.add_argument("--header", action="store_true", help=f"begin with the line {HEADER}")
    parser.add_argument(
        "--two-sets", action="store_true", help="first.csv and second.csv in --output-dir, not one file"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")
    parser.add_argument("--output-dir", type=Path, metavar="DIR", help="with --two-sets")
    parser.add_argument("--truth", type=Path, metavar="FILE", help="which records are the same customer")
    options = parser.parse_args(arguments)
    if options.records < 1:
        parser.error("--records: give at least 1")
    for name in ("duplicates", "missing_phones"):
        if not 0 <= getattr(options, name) <= 1:
            parser.error(f"--{name.replace('_', '-')}: give a share from 0 to 1")
    if options.two_sets != (options.output_dir is not None) or (options.two_sets and options.output):
        parser.error("--two-sets and --output-dir DIR go together, and without --output")
    return options


if __name__ == "__main__":
    main()
