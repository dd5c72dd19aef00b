from pehchan.distance.zero import Zero


def test_all_values_are_0_apart():
    assert Zero().distance("a", "b") == 0
    assert Zero().matrix(["a", "b"], ["c", "d", "e"]).tolist() == [[0, 0, 0], [0, 0, 0]]
