"""Record sets with truth, brought into a state batch by batch: it has the entities of one run over all."""

import pytest
from batches import check_batches

from pehchan.console.command import main


@pytest.mark.parametrize(
    ("name", "batches", "runner"),
    [
        ("febrl3", 3, "inline"),
        ("febrl3", 3, "local"),
        pytest.param("zingg_febrl20k", 5, "inline", marks=pytest.mark.slow),
        pytest.param("febrl120k", 10, "local", marks=pytest.mark.slow),
    ],
)
def test_batches_give_the_entities_of_one_run(name, batches, runner, record_sets, tmp_path, capsys):
    def run(*arguments):
        assert main([*arguments, "-r", runner, "-q"]) == 0, capsys.readouterr().err

    check_batches(record_sets / name / "records.csv", batches, tmp_path, str(tmp_path), run)
