"""What is counted of all records, and the sample of them: the same in a job as in one process."""

import random
from unittest.mock import patch

import orjson
import pytest
from learnt_jobs import Records, run_job
from made_up_persons import NAMES, persons

from pehchan.learning.profile import Profile, merged
from pehchan.metadata import records as wire_records
from pehchan.mrjobs import profile_records
from pehchan.mrjobs.profile_records import ProfileRecords
from pehchan.mrjobs.wire import PROFILE, RECORDS


def found(records, files, folder, sample, plan=None):
    """The profile, and the sampled records, that the job finds in files."""
    lines, _ = run_job(ProfileRecords, plan or records.plan(), files, folder, "--sample", str(sample))
    parts = [Profile.from_dict(orjson.loads(payload)) for tag, payload in lines if tag == PROFILE]
    sampled = [
        record for tag, payload in lines if tag == RECORDS for record in wire_records.Records.decode(payload)
    ]
    return merged(parts), [(record.set, record.id, list(record.items[1:])) for record in sampled]


def by_identity(rows):
    return sorted((set_name, record_id, list(values)) for set_name, record_id, values in rows)


@pytest.mark.parametrize("sets", [("",), ("A", "B")])
@pytest.mark.parametrize(("number", "at_once"), [(1, 20_000), (3, 7)])
def test_the_job_counts_and_samples_what_one_process_does(tmp_path, sets, number, at_once):
    columns, _ = persons(240, 60, seed=number)
    columns[0][:5] = ["", " ", "Zoë", "ZOE", "ann ann"]
    records = Records.of(NAMES, columns, sets)
    with patch.object(profile_records, "AT_ONCE", at_once):
        profile, sampled = found(records, records.files(random.Random(number), number), tmp_path, 70)
    assert profile.to_dict() == records.profile().to_dict()
    table = records.table()
    assert by_identity(sampled) == by_identity(records.rows[row] for row in table.sample(70).tolist())
    assert len(sampled) == 70


def test_a_sample_that_is_larger_than_all_is_all(tmp_path):
    columns, _ = persons(30, 5, seed=9)
    records = Records.of(NAMES, columns)
    _, sampled = found(records, records.files(random.Random(1), 2), tmp_path, 8000)
    assert by_identity(sampled) == by_identity(records.rows)


def test_the_same_id_in_two_sets_is_two_records(tmp_path):
    rows = [(set_name, str(k), [f"name {k}", set_name]) for k in range(6) for set_name in ("A", "B")]
    records = Records(("name", "of"), rows, ("A", "B"))
    profile, sampled = found(records, records.files(random.Random(2), 2), tmp_path, 100)
    assert profile.records == {0: 6, 1: 6}
    assert by_identity(sampled) == by_identity(rows)


def test_what_is_kept_is_bounded_and_the_sums_stay_right(tmp_path):
    """More values than are kept: the most frequent stay, whatever came first, and no record goes uncounted."""
    frequent = [str(k) for k in range(0, 20_000, 40)]
    numbers = [*map(str, range(20_000)), *frequent]
    records = Records(("code",), [("", f"r{k}", [value]) for k, value in enumerate(numbers)])
    with patch("pehchan.learning.profile.KEPT", 640):
        profile, _ = found(records, records.files(random.Random(3), 3), tmp_path, 10)
    column = profile.columns[0][0]
    assert (column.present, column.distinct) == (20_500, 20_000)
    assert column.values.squares + sum(n * n for n in column.values.kept.values()) == 19_500 + 500 * 4
    assert len(column.values.kept) < 10_000
    assert set(profile.trimmed(500).columns[0][0].values.kept) == set(frequent)


def test_no_records_at_all_give_no_lines(tmp_path):
    records = Records(("a", "b"), [])
    lines, _ = run_job(ProfileRecords, records.plan(), [b""], tmp_path)
    assert lines == []
