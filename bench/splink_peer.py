"""Splink 5 on DuckDB finds the same person, by the clock: what --splink of near_duplicates.py and matching.py runs.

    python bench/splink_peer.py customers.csv truth.csv [customers|febrl]

Prints JSON. Needs `pip install "splink>=5,<6"`; near_duplicates.py makes an environment of its own for that. The
settings are those of Splink's documentation for data of this kind: u from random pairs, m by two passes of
expectation maximisation that block on different fields, predictions at a match probability of 0.5, clusters at 0.95.
"""

import json
import resource
import sys
import time
from dataclasses import dataclass
from typing import Any

BEGAN = time.monotonic()

import duckdb  # noqa: E402
import splink.comparison_library as cl  # noqa: E402
from splink import Linker, SettingsCreator, block_on  # noqa: E402
from splink.backends.duckdb import DuckDBAPI  # noqa: E402


@dataclass(frozen=True)
class Settings:
    """What Splink is told of one kind of records.

    columns      in the order of the file, the id first
    comparisons  of them
    blocking     candidates
    strict       columns of rules whose pairs are nearly all matches, and that find most of them
    training     what each pass of expectation maximisation blocks on
    """

    columns: tuple[str, ...]
    comparisons: tuple[Any, ...]
    blocking: tuple[str, ...]
    strict: tuple[tuple[str, ...], ...]
    training: tuple[tuple[str, ...], ...]


SETTINGS = {
    # Equal phones, equal addresses, equal names in a city, and the beginnings of name and address.
    "customers": Settings(
        ("unique_id", "name", "address", "city", "phone"),
        (
            cl.NameComparison("name"),
            cl.LevenshteinAtThresholds("address", [1, 3]).configure(term_frequency_adjustments=True),
            cl.LevenshteinAtThresholds("city", [1, 2]).configure(term_frequency_adjustments=True),
            cl.LevenshteinAtThresholds("phone", [1, 2]),
        ),
        (
            "l.phone = r.phone",
            "l.address = r.address",
            "l.name = r.name AND l.city = r.city",
            "substr(l.name, 1, 6) = substr(r.name, 1, 6) AND substr(l.address, 1, 6) = substr(r.address, 1, 6)",
        ),
        (("phone",), ("name", "address")),
        (("phone",), ("name", "city")),
    ),
    # As in its example for the third set of Febrl.
    "febrl": Settings(
        (
            *("unique_id", "given_name", "surname", "street_number", "address_1", "address_2", "suburb"),
            *("postcode", "state", "date_of_birth", "age", "phone_number", "soc_sec_id"),
        ),
        (
            cl.NameComparison("given_name"),
            cl.NameComparison("surname"),
            cl.LevenshteinAtThresholds("date_of_birth", [1, 2]),
            cl.LevenshteinAtThresholds("soc_sec_id", [1, 2]),
            cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
            cl.LevenshteinAtThresholds("postcode", [1, 2]).configure(term_frequency_adjustments=True),
        ),
        (
            "l.given_name = r.given_name AND l.surname = r.surname",
            "l.soc_sec_id = r.soc_sec_id",
            "l.date_of_birth = r.date_of_birth AND l.postcode = r.postcode",
            "l.address_1 = r.address_1 AND l.street_number = r.street_number",
            "l.surname = r.surname AND l.date_of_birth = r.date_of_birth",
        ),
        (("soc_sec_id",), ("given_name", "surname", "date_of_birth")),
        (("given_name", "surname"), ("date_of_birth",)),
    ),
}

#: Pairs from which u is estimated: Splink's default, and that of the first steps in its documentation, which has
#: ten times as many for a trial, and a thousand times for the best results; those take longer.
RANDOM_PAIRS = 1e6

#: From which match probability on pairs are kept, and make clusters.
PAIR, CLUSTER = 0.5, 0.95


def main() -> None:
    records, truth, kind = (*sys.argv[1:], "customers")[:3]
    asked = SETTINGS[kind]
    database = duckdb.connect()
    database.execute(
        # A missing value is none.
        f"""CREATE TABLE customers AS SELECT #1 AS unique_id, {
            ", ".join(f"nullif(#{k}, '') AS {name}" for k, name in enumerate(asked.columns[1:], 2))
        } FROM read_csv(?, header = false, all_varchar = true, delim = ',')""",
        [records],
    )
    api = DuckDBAPI(connection=database)
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=list(asked.comparisons),
        blocking_rules_to_generate_predictions=list(asked.blocking),
        retain_matching_columns=False,
    )
    linker = Linker(api.register(database.table("customers")), settings, log_level="WARNING")
    rules = [block_on(*columns) for columns in asked.strict]
    linker.training.estimate_probability_two_random_records_match(rules, recall=0.8)
    linker.training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=1)
    for columns in asked.training:
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(*columns))
    pairs = linker.inference.predict(threshold_match_probability=PAIR)
    to_pairs = time.monotonic() - BEGAN
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(
        pairs, threshold_match_probability=CLUSTER
    )
    said = {"pairs_seconds": to_pairs, "clusters_seconds": time.monotonic() - BEGAN}
    # Before what follows, which is no part of the work.
    said["kilobytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def one(query: str) -> int:
        return database.execute(query).fetchone()[0]

    database.execute("CREATE TABLE truth AS SELECT * FROM read_csv(?, all_varchar = true)", [truth])

    def pairs_within(table: str, column: str) -> int:
        return one(
            "SELECT coalesce(sum(n * (n - 1) / 2), 0)::BIGINT "
            f"FROM (SELECT count(*) AS n FROM {table} GROUP BY {column})"
        )

    clustered = f"{clusters.physical_name} JOIN truth ON id = unique_id"
    said["true_pairs"] = pairs_within("truth", "cluster")
    said["pairs_in_clusters"] = pairs_within(clusters.physical_name, "cluster_id")
    said["true_pairs_in_clusters"] = pairs_within(clustered, "cluster, cluster_id")
    said["pairs"] = one(f"SELECT count(*) FROM {pairs.physical_name}")
    said["true_pairs_found"] = one(
        f"SELECT count(*) FROM {pairs.physical_name} JOIN truth AS a ON a.id = unique_id_l "
        "JOIN truth AS b ON b.id = unique_id_r WHERE a.cluster = b.cluster"
    )
    # A pair that several rules find is scored once.
    found = " UNION ".join(
        "SELECT l.unique_id, r.unique_id FROM customers AS l JOIN customers AS r "
        f"ON {rule} AND l.unique_id < r.unique_id"
        for rule in asked.blocking
    )
    said["candidates"] = one(f"SELECT count(*) FROM ({found})")
    print(json.dumps(said))


if __name__ == "__main__":
    main()
