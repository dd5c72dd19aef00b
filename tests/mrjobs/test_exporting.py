"""Lines for people of what a model found: probabilities in the place of distances."""

import pytest

from pehchan.mrjobs.exporting import cluster_lines, shape_lines
from pehchan.mrjobs.wire import Clustered, ClusterShapes

#: Of three records, of which one is surer of the first than of the third.
RECORDS = Clustered(
    [""] * 3, ["a"] * 3, [""] * 3, ["a", "b", "c"], [0, 0, 1100], [1100, 1150, 1150], [2, 2, 2]
)


def test_the_least_probability_is_that_of_the_largest_distance():
    assert list(cluster_lines(RECORDS.encode(), False, 100)) == [
        "a,a,0.731059,0.999994,2",
        "a,b,0.622459,0.999994,2",
        "a,c,0.622459,0.731059,2",
    ]
    assert list(cluster_lines(RECORDS.encode(), False)) == ["a,a,0,1100,2", "a,b,0,1150,2", "a,c,1100,1150,2"]


@pytest.mark.parametrize(("steps", "said"), [(100, "0.622459"), (50, "0.731059"), (0, "1150")])
def test_a_shape_has_the_least_probability(steps, said):
    shapes = ClusterShapes(["x"], ["a"], [3], [2], [1150], [2])
    (line,) = shape_lines(shapes.encode(), False, steps)
    assert line.split(",")[4] == said
