"""Measures against truth: the same as brute force over all pairs; truth files that are read or refused."""

import math
from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pehchan.clustering.evaluation import (
    Scores,
    best_cutoff,
    cluster_measures,
    cluster_pair_scores,
    curve,
    exact_cluster_scores,
    format_curve,
    format_scores,
    format_sizes,
    known_pair_scores,
    pair_scores,
    wilson_interval,
)
from pehchan.clustering.truth import ClusterTruth, PairTruth, ordered, read_truth
from pehchan.metadata.mistakes import MistakesError

# A few records, so that clusters overlap; of two sets, so that equal ids are different records.
RECORDS = [(set_name, str(number)) for set_name in ("a", "b") for number in range(5)]
clusterings = st.dictionaries(st.sampled_from(RECORDS), st.integers(0, 3))
pair_sets = st.lists(st.tuples(st.sampled_from(RECORDS), st.sampled_from(RECORDS)))


def together(clusters, across):
    """All pairs of records in one cluster, by looking at every pair."""
    return {
        frozenset(pair)
        for pair in combinations(clusters, 2)
        if clusters[pair[0]] == clusters[pair[1]] and not (across and pair[0][0] == pair[1][0])
    }


def counts(predicted, actual):
    return len(predicted & actual), len(predicted), len(actual)


def got(scores):
    return scores.true_positive, scores.predicted, scores.actual


@given(predicted=clusterings, actual=clusterings, across=st.booleans())
def test_pairs_of_clusters_are_those_that_brute_force_finds(predicted, actual, across):
    scores = cluster_pair_scores(predicted, ClusterTruth(actual, across))
    assert got(scores) == counts(together(predicted, across), together(actual, across))
    assert scores.unknown == len(set(actual) - set(predicted))


@given(predicted=clusterings, same=pair_sets, others=pair_sets)
def test_of_a_truth_of_some_pairs_only_these_are_right_or_wrong(predicted, same, others):
    known = frozenset(ordered(a, b) for a, b in same if a != b)
    apart = frozenset(ordered(a, b) for a, b in others if a != b) - known
    truth = PairTruth(known, apart=apart)
    together_and_known = {frozenset(pair) for pair in known | apart} & together(predicted, False)
    assert got(known_pair_scores(predicted, truth)) == counts(together_and_known, set(map(frozenset, known)))
    assert all(truth.covers(a, b) and truth.covers(b, a) for a, b in known | apart)
    assert sum(truth.covers(a, b) for a, b in combinations(RECORDS, 2)) == len(known | apart)


def test_of_a_truth_of_some_records_nothing_is_known_about_others(truth_of):
    truth = truth_of("id,cluster\n1,x\n2,x\n3,y\n")
    assert truth.covers(("", "1"), ("", "3"))
    assert not truth.covers(("", "1"), ("", "4"))
    truth = truth_of("id_a,id_b,label\n1,2,1\n2,3,1\n3,4,0\n")
    covered = {(a, b) for a, b in combinations("12345", 2) if truth.covers(("", a), ("", b))}
    assert covered == {("1", "2"), ("2", "3"), ("1", "3"), ("3", "4")}


def mates(clusters, record, everyone):
    """The records of a cluster, by its member; one that is in none stands alone."""
    return {
        other
        for other in everyone
        if other == record or (record in clusters and clusters.get(other) == clusters[record])
    }


@given(predicted=clusterings, actual=clusterings)
def test_b_cubed_and_the_variation_of_information_are_those_of_their_definitions(predicted, actual):
    found = cluster_measures(predicted, ClusterTruth(actual))
    everyone = set(predicted) | set(actual)
    if not everyone:
        assert (found.precision, found.recall, found.information, found.f1) == (0, 0, 0, 0)
        return
    both = [(mates(predicted, record, everyone), mates(actual, record, everyone)) for record in everyone]
    count = len(everyone)
    assert found.precision == pytest.approx(sum(len(a & b) / len(a) for a, b in both) / count)
    assert found.recall == pytest.approx(sum(len(a & b) / len(b) for a, b in both) / count)
    # H(A) + H(B) - 2 I(A; B), each a mean over the records.
    entropies = sum(math.log2(count / len(a)) + math.log2(count / len(b)) for a, b in both) / count
    shared = sum(math.log2(count * len(a & b) / (len(a) * len(b))) for a, b in both) / count
    assert found.information == pytest.approx(entropies - 2 * shared, abs=1e-9)
    sizes = [Counter(len(each) for each in {frozenset(pair[side]) for pair in both}) for side in (0, 1)]
    assert found.sizes == {size: (sizes[0][size], sizes[1][size]) for size in sorted(sizes[0] | sizes[1])}


@given(
    pairs=st.lists(
        st.tuples(st.tuples(st.sampled_from(RECORDS), st.sampled_from(RECORDS)), st.integers(0, 9))
    ),
    actual=clusterings,
    across=st.booleans(),
)
def test_a_point_of_the_curve_has_the_scores_of_the_pairs_up_to_it(pairs, actual, across):
    truth = ClusterTruth(actual, across)
    points = curve(pairs, truth)
    for point in points:
        assert point.scores == pair_scores((pair for pair, apart in pairs if apart <= point.cutoff), truth)
    assert [point.cutoff for point in points] == sorted({point.cutoff for point in points})
    best = best_cutoff(points)
    assert best is None or all(
        (point.scores.f1, -point.cutoff) <= (best.scores.f1, -best.cutoff) for point in points
    )


@given(clusters=clusterings, across=st.booleans(), links=pair_sets)
def test_each_true_pair_is_named_once(clusters, across, links):
    named = list(ClusterTruth(clusters, across).each_pair())
    assert all(a < b for a, b in named)
    assert len(named) == len(set(named))
    assert set(map(frozenset, named)) == together(clusters, across)
    known = frozenset(ordered(a, b) for a, b in links if a[0] != b[0])
    assert list(PairTruth(known).each_pair()) == sorted(known)


@given(predicted=pair_sets, actual=clusterings, across=st.booleans())
def test_pairs_against_clusters_are_those_that_brute_force_finds(predicted, actual, across):
    wanted = {frozenset(p) for p in predicted if p[0] != p[1] and not (across and p[0][0] == p[1][0])}
    scores = pair_scores(predicted, ClusterTruth(actual, across))
    assert got(scores) == counts(wanted, together(actual, across))


@given(predicted=clusterings, links=pair_sets)
def test_links_count_as_given_and_not_what_follows_from_them(predicted, links):
    links = {ordered(a, b) for a, b in links if a[0] != b[0]}
    truth = PairTruth(frozenset(links))
    actual = set(map(frozenset, links))
    assert got(cluster_pair_scores(predicted, truth)) == counts(together(predicted, True), actual)
    backwards = [(b, a) for a, b in links]
    assert got(pair_scores([*backwards, *links], truth)) == (len(links),) * 3


@given(predicted=clusterings, actual=clusterings)
def test_exact_clusters_are_those_with_the_same_members(predicted, actual):
    def groups(clusters):
        names = set(clusters.values())
        sets = [frozenset(r for r in clusters if clusters[r] == name) for name in names]
        return {group for group in sets if len(group) >= 2}

    scores = exact_cluster_scores(predicted, ClusterTruth(actual))
    assert got(scores) == counts(groups(predicted), groups(actual))


@given(pairs=pair_sets)
def test_pairs_of_one_set_imply_what_is_reachable(tmp_path_factory, pairs):
    pairs = [(a[0] + a[1], b[0] + b[1]) for a, b in pairs]
    path = tmp_path_factory.mktemp("t") / "truth.csv"
    path.write_text("id_a,id_b\n" + "".join(f"{a},{b}\n" for a, b in [("x", "x"), *pairs]))
    truth = read_truth(path)
    # Brute force: square the relation until it no longer grows.
    reached = {p for a, b in [("x", "x"), *pairs] for p in [(a, b), (b, a), (a, a), (b, b)]}
    while more := {(a, d) for a, b in reached for c, d in reached if b == c} - reached:
        reached |= more
    ids = {a for a, _ in reached}
    for a in ids:
        for b in ids:
            assert truth.holds(("", a), ("", b)) == ((a, b) in reached)


def test_the_scores_of_an_example():
    # Truth {1, 2, 3} {4, 5}; found {1, 2} {3, 4, 5}.
    truth = ClusterTruth({("", "1"): "p", ("", "2"): "p", ("", "3"): "p", ("", "4"): "q", ("", "5"): "q"})
    found = {("", "1"): 0, ("", "2"): 0, ("", "3"): 1, ("", "4"): 1, ("", "5"): 1}
    scores = cluster_pair_scores(found, truth)
    assert got(scores) == (2, 4, 4)
    assert (scores.precision, scores.recall, scores.f1) == (0.5, 0.5, 0.5)
    assert got(exact_cluster_scores(found, truth)) == (0, 2, 2)
    scores = pair_scores([(("", "2"), ("", "1")), (("", "1"), ("", "2")), (("", "1"), ("", "1"))], truth)
    assert got(scores) == (1, 1, 4)
    assert (scores.precision, scores.recall, scores.f1) == (1.0, 0.25, 0.4)


def test_equal_ids_of_two_sets_are_different_records():
    truth = PairTruth(frozenset([(("a", "1"), ("b", "1"))]))
    assert got(pair_scores([(("b", "1"), ("a", "1"))], truth)) == (1, 1, 1)
    assert got(pair_scores([(("a", "1"), ("a", "1"))], truth)) == (0, 0, 1)
    assert got(pair_scores([(("a", "1"), ("b", "2"))], truth)) == (0, 1, 1)


def test_clusters_of_many_records_are_scored_without_listing_their_pairs():
    records = {("", str(number)): number % 2 for number in range(100_000)}
    scores = cluster_pair_scores(records, ClusterTruth(dict.fromkeys(records, "all")))
    assert got(scores) == (2 * 1_249_975_000, 2 * 1_249_975_000, 4_999_950_000)


def test_shares_of_nothing_are_zero():
    nothing = Scores(0, 0, 0)
    assert (nothing.precision, nothing.recall, nothing.f1) == (0.0, 0.0, 0.0)
    assert Scores(0, 3, 0).recall == 0.0
    assert Scores(0, 0, 3).precision == 0.0
    assert got(exact_cluster_scores({}, ClusterTruth({}))) == (0, 0, 0)


def test_records_that_the_result_does_not_have_are_counted_and_missed():
    truth = ClusterTruth({("", "1"): "p", ("", "2"): "p", ("", "9"): "p"})
    found = {("", "1"): 0, ("", "2"): 0}
    assert cluster_pair_scores(found, truth) == Scores(1, 1, 3, unknown=1)
    pairs = [(("", "1"), ("", "2"))]
    assert pair_scores(pairs, truth).unknown is None
    assert pair_scores(pairs, truth, list(found)).unknown == 1


def test_the_table_and_the_dictionary():
    scores = {"pairs": Scores(1, 2, 4, unknown=3), "exact clusters": Scores(0, 0, 2)}
    assert format_scores(scores) == (
        "                precision     recall         f1      right  predicted       true\n"
        "pairs              0.5000     0.2500     0.3333          1          2          4\n"
        "exact clusters     0.0000     0.0000     0.0000          0          0          2\n"
        "3 records of the truth not in the result: the pairs count as missed.\n"
    )
    assert "not in the result" not in format_scores({"pairs": Scores(1, 2, 4, unknown=0)})
    assert scores["pairs"].to_dict() == {
        "precision": 0.5,
        "recall": 0.25,
        "f1": 1 / 3,
        "true_positive": 1,
        "predicted": 2,
        "actual": 4,
        "unknown": 3,
    }


@pytest.fixture
def truth_of(tmp_path):
    """Reads a truth from the text of its file."""

    def read(text, **options):
        path = tmp_path / "truth.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_truth(path, **options)

    return read


CLUSTERS = ClusterTruth({("", "1"): "p", ("", "2"): "p", ("", "3"): "q"})


@pytest.mark.parametrize(
    "text",
    [
        "id,cluster\n1,p\n2,p\n3,q\n",
        "cluster_id,unique_id\np,1\np,2\nq,3\n",
        "record id,note,Entity\n1,x,p\n2,,p\n3,y,q\n",
        b"\xef\xbb\xbfid,cluster\r\n1,p\r\n\r\n 2 , p\r\n3,q",
        'who,what\n1,p\n2,"p"\n3,q\n',
        "id,cluster\n1,p\n1,p\n2,p\n3,q\n",
        "who,what\n1,p\n1,p\n2,p\n3,q\n",
    ],
)
def test_cluster_files(truth_of, text):
    assert truth_of(text) == CLUSTERS


@pytest.mark.parametrize(
    "text",
    [
        "id_a,id_b\n1,2\n",
        "score,Id1,Id2\n.9,1,2\n",
        "ltable_id,rtable_id,label\n1,2,1\n1,3,0\n",
        "one,other\n1,2\n1,3\n",
        "one,other\n1,2\n2,3\n",
    ],
)
def test_pair_files(truth_of, text):
    truth = truth_of(text)
    assert truth.holds(("", "1"), ("", "2"))
    assert truth.holds(("", "2"), ("", "1"))
    assert not truth.across


def test_pairs_that_are_labelled_0_are_not_true(truth_of):
    truth = truth_of("ltable_id,rtable_id,label\n1,2,1\n1,3,0\n4,5,True\n5,6,False\n")
    assert truth.clusters == {
        ("", "1"): ("", "1"),
        ("", "2"): ("", "1"),
        ("", "4"): ("", "4"),
        ("", "5"): ("", "4"),
    }


def test_clusters_named_after_one_of_their_records_are_no_pairs(truth_of):
    truth = truth_of("one,other\n1,1\n2,1\n3,3\n")
    assert truth.clusters == {("", "1"): "1", ("", "2"): "1", ("", "3"): "3"}


def test_a_truth_that_may_be_both_needs_to_say_its_form(truth_of):
    text = "one,other\n1,2\n3,4\n"
    with pytest.raises(MistakesError, match="neither the header nor the ids say"):
        truth_of(text)
    assert truth_of(text, form="clusters").clusters == {("", "1"): "2", ("", "3"): "4"}
    assert truth_of(text, form="pairs").pairs == 2
    with pytest.raises(MistakesError, match="'triples'"):
        truth_of(text, form="triples")


def test_pairs_of_two_sets_are_qualified_by_their_column(truth_of):
    for header in ("id_a,id_b", "one,other"):
        truth = truth_of(f"{header}\n1,1\n1,2\n2,1\n", sets=("shop", "web"))
        assert truth.known == {
            (("shop", "1"), ("web", "1")),
            (("shop", "1"), ("web", "2")),
            (("shop", "2"), ("web", "1")),
        }
        assert truth.pairs == 3
    backwards = truth_of("id_a,id_b\n1,2\n", sets=("web", "shop"))
    assert backwards.holds(("shop", "2"), ("web", "1"))
    assert backwards.holds(("web", "1"), ("shop", "2"))
    assert not backwards.holds(("shop", "1"), ("web", "2"))


def test_of_two_sets_a_pair_of_0_may_lie_between_records_that_others_connect(truth_of):
    text = "id_a,id_b,label\n1,1,1\n2,1,1\n2,2,1\n1,2,0\n"
    truth = truth_of(text, sets=("shop", "web"))
    assert truth.pairs == 3
    assert not truth.holds(("shop", "1"), ("web", "2"))
    assert truth.apart == {(("shop", "1"), ("web", "2"))}


def test_clusters_of_two_sets_need_a_column_with_the_set(truth_of):
    truth = truth_of("set,id,cluster\nshop,1,p\nweb,1,p\nweb,2,p\n", sets=("shop", "web"))
    assert truth.clusters == {("shop", "1"): "p", ("web", "1"): "p", ("web", "2"): "p"}
    assert truth.pairs == 2
    with pytest.raises(MistakesError, match="Add a column named set"):
        truth_of("id,cluster\n1,p\n", sets=("shop", "web"))
    with pytest.raises(MistakesError, match=r"(?s)line 2: unknown set 'x'.*Known: shop, web"):
        truth_of("set,id,cluster\nx,1,p\n", sets=("shop", "web"))
    with pytest.raises(MistakesError, match="no column for the id"):
        truth_of("set,id\nweb,1\n", form="clusters", sets=("shop", "web"))
    with pytest.raises(MistakesError, match="3 sets"):
        truth_of("id_a,id_b\n1,2\n", sets=("a", "b", "c"))


def test_one_named_set_qualifies_all_ids(truth_of):
    assert truth_of("id,cluster\n1,p\n", sets=("shop",)).clusters == {("shop", "1"): "p"}
    assert truth_of("id_a,id_b\n1,2\n", sets=("shop",)).holds(("shop", "1"), ("shop", "2"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,cluster\n1,p\n2,q\n1,q\n", r"truth.csv line 4: id 1 in cluster q, but in p on line 2"),
        ("id,cluster\n1,p\n2\n", "line 3: no id or no cluster"),
        ("id,cluster\n,p\n", "line 2: no id or no cluster"),
        ("id,cluster\n1,\n", "line 2: no id or no cluster"),
        ("id_a,id_b\n1,2\n3,\n", "line 3: fewer than two ids"),
        ("id_a,id_b,label\n1,2,maybe\n", "line 2: unknown label 'maybe'"),
        ("id_a,id_b,label\n1,2\n", "line 2: unknown label ''"),
        ("id_a,id_b,label\n1,2,1\n2,1,0\n", "line 3: 1 and 2 are not the same, but they are on line 2"),
        (
            "id_a,id_b,label\n1,2,1\n1,3,0\n2,3,1\n",
            "line 3: 1 and 3 are not the same, but other pairs that are the same connect them",
        ),
        ("id_a,id_b,label\n1,2,1\n3,3,0\n", "line 3: 3 is not the same as itself"),
        ('id,cluster\n"1\n",p\n2\n', "line 4: no id"),
        ("", "no truth in it"),
        ("id,cluster\n", "no truth in it"),
        ("cluster\np\n", "line 1: only one column"),
        (b"id,cluster\n\xe9,p\n", "not UTF-8"),
        ('id,cluster\n1,"p\n2,p\n', "line 2: not CSV"),
    ],
)
def test_a_bad_truth_is_refused_with_the_line(truth_of, text, message):
    with pytest.raises(MistakesError, match=message):
        truth_of(text)


def test_all_bad_lines_are_told_at_once_but_not_thousands(truth_of):
    with pytest.raises(MistakesError) as caught:
        truth_of("id,cluster\n1,\n2,p\n,q\n")
    assert [mistake.where.split()[-1] for mistake in caught.value.mistakes] == ["2", "4"]
    with pytest.raises(MistakesError) as caught:
        truth_of("id,cluster\n" + "1,\n" * 10_000)
    assert len(caught.value.mistakes) == 20


def test_a_folder_and_an_absent_file_are_refused(tmp_path):
    with pytest.raises(MistakesError, match="cannot be read"):
        read_truth(tmp_path)
    with pytest.raises(MistakesError, match="cannot be read: No such file"):
        read_truth(tmp_path / "absent.csv")


@pytest.mark.parametrize(("part", "whole"), [(0, 1), (0, 20), (8, 10), (20, 20), (500, 1000), (1000, 1001)])
def test_the_share_lies_at_the_end_of_what_is_likely_where_it_is_at_the_end_of_its_interval(part, whole):
    low, high = wilson_interval(part, whole)
    assert 0 <= low <= part / whole <= high <= 1
    for end in {low, high} - {0, 1}:
        # 1.96 standard deviations away from what was seen.
        assert (part / whole - end) ** 2 == pytest.approx(1.959964**2 * end * (1 - end) / whole)


def test_sizes_beyond_the_tenth_are_told_together():
    found = {("", f"{size}-{k}"): size for size in range(1, 13) for k in range(size)}
    actual = {("", f"{size}-{k}"): (size, k // 2) for size in range(1, 13) for k in range(size)}
    lines = format_sizes(cluster_measures(found, ClusterTruth(actual))).splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["size", "clusters", "true"],
        ["1", "1", "6"],
        ["2", "1", "36"],
    ]
    assert lines[-1].split() == ["to", "12", "2", "0"]
    assert len(lines) == 12


def test_of_a_curve_some_points_are_shown_and_the_best():
    truth = ClusterTruth({("", str(k)): k // 2 for k in range(200)})
    pairs = [((("", str(k)), ("", str(k + 1))), k) for k in range(0, 199, 2)] + [
        ((("", str(k)), ("", str(k + 1))), 150) for k in range(1, 199, 2)
    ]
    lines = format_curve(curve(pairs, truth)).splitlines()
    assert lines[-1].split() == ["198", "0.5025", "1.0000", "0.6689"]
    best = next(line for line in lines if line.endswith("best"))
    assert best.split() == ["148", "1.0000", "0.7500", "0.8571", "best"]
    assert format_curve([]) == ""
