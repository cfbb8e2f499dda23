"""Measures against values worked out by hand, and how sure one can be of their means."""

from collections.abc import Mapping, Sequence
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_service.measures import METRICS, clusters, interval, mean_interval, measure

Judged = dict[str, int]
IDS = [f"d{number}" for number in range(14)]
NOISE = [f"x{number}" for number in range(10)]
UNIT = st.floats(0, 1, allow_subnormal=False)


@pytest.mark.parametrize(
    ("ranking", "judged", "values"),
    [
        # DCG 1/log2(3) = 0.630930, the best 1
        (["x", "a"], {"a": 1}, [0.630930, 1 / 2, 1, 0, 1 / 2]),
        # DCG 3/log2(3) + 1/log2(5) = 2.323466, the best 3 + 2/log2(3) + 1/log2(4) = 4.761860
        (["x", "a", "y", "b"], {"b": 1, "a": 3, "c": 2}, [0.487932, 1 / 2, 2 / 3, 0, (1 / 2 + 2 / 4) / 3]),
        # the less relevant first: DCG 1 + 2/log2(3) = 2.261860, the best 2 + 1/log2(3) = 2.630930
        (["b", "a"], {"a": 2, "b": 1}, [0.859719, 1, 1, 1, 1]),
        # DCG 1/log2(6) + 1/log2(7) = 0.743060, the best 1 + 1/log2(3) = 1.630930
        ([*NOISE[:4], "a", "b"], {"a": 1, "b": 1}, [0.455605, 1 / 5, 1 / 2, 0, (1 / 5 + 2 / 6) / 2]),
        # DCG 1/log2(11) = 0.289065
        ([*NOISE[:9], "a"], {"a": 1}, [0.289065, 1 / 10, 0, 0, 1 / 10]),
        ([*NOISE, "a"], {"a": 1}, [0, 0, 0, 0, 1 / 11]),
        (NOISE, {"a": 1}, [0, 0, 0, 0, 0]),
        ([], {"a": 1}, [0, 0, 0, 0, 0]),
        # more is relevant than the first places can hold
        (IDS[:12], dict.fromkeys(IDS[:12], 1), [1, 1, 5 / 12, 1, 1]),
    ],
)
def test_measures_are_what_they_are_by_hand(ranking: list[str], judged: Judged, values: list[float]) -> None:
    assert list(measure(ranking, judged)) == list(METRICS)
    assert list(measure(ranking, judged).values()) == pytest.approx(values, abs=1e-6)


@given(
    st.dictionaries(st.sampled_from(IDS), st.integers(1, 5), min_size=1),
    st.lists(st.sampled_from(IDS + NOISE), unique=True),
)
def test_measures_are_shares(judged: Judged, ranking: list[str]) -> None:
    assert all(0 <= value <= 1 + 1e-9 for value in measure(ranking, judged).values())


@given(st.dictionaries(st.sampled_from(IDS), st.integers(1, 5), min_size=1, max_size=5))
def test_the_ideal_ranking_has_all_of_each_measure(judged: Judged) -> None:
    ideal = sorted(judged, key=lambda one: -judged[one])
    assert measure([*ideal, *NOISE], judged) == pytest.approx(dict.fromkeys(METRICS, 1.0))


@pytest.mark.parametrize(
    ("relevant", "numbers"),
    [
        (["a", "b", "c"], [0, 1, 2]),
        (["ab", "bc", "x", "cd"], [0, 0, 1, 0]),
        (["a", "b", "ab"], [0, 0, 0]),
        (["x", "ab", "cd", "e", "bc"], [0, 1, 1, 2, 1]),
    ],
)
def test_a_chain_of_shared_relevant_ids_is_one_cluster(relevant: list[str], numbers: list[int]) -> None:
    assert clusters([dict.fromkeys(ids, 1) for ids in relevant]) == numbers


@given(st.lists(st.dictionaries(st.sampled_from(IDS), st.integers(1, 3), min_size=1, max_size=3), max_size=12))
def test_queries_are_in_one_cluster_just_where_a_chain_joins_them(relevant: Sequence[Mapping[str, int]]) -> None:
    numbers = clusters(relevant)
    for start in range(len(relevant)):
        reached: set[str] = set(relevant[start])
        for _ in relevant:
            reached.update(*(judged for judged in relevant if reached & judged.keys()))
        joined = [bool(reached & judged.keys()) for judged in relevant]
        assert joined == [number == numbers[start] for number in numbers]


@given(st.lists(st.tuples(UNIT, st.integers(0, 5)), min_size=1, max_size=30))
def test_an_interval_holds_the_mean_and_is_the_same_at_every_call(queries: list[tuple[float, int]]) -> None:
    values = [value for value, _ in queries]
    cluster_of = clusters([{str(number): 1} for _, number in queries])
    low, high = interval(values, cluster_of)
    assert 0 <= low <= fmean(values) + 1e-9
    assert fmean(values) - 1e-9 <= high <= 1 + 1e-9
    assert interval(values, cluster_of) == (low, high)


def test_an_interval_is_as_wide_as_theory_says() -> None:
    low, high = interval([0.0, 1.0] * 50, range(100))
    # 1.96 standard errors of 0.5 / sqrt(100) to each side
    assert (low, high) == pytest.approx((0.5 - 0.098, 0.5 + 0.098), abs=0.015)


def test_queries_that_go_together_make_an_interval_wider() -> None:
    values = [1.0] * 8 + [0.0] * 8 + [1.0] * 8 + [0.0] * 8
    alone = interval(values, range(32))
    together = interval(values, [number // 4 for number in range(32)])
    assert together[1] - together[0] > 1.5 * (alone[1] - alone[0])
    assert interval(values, [0] * 32) == (0.5, 0.5)


def test_a_cluster_weighs_by_its_queries() -> None:
    values = [1.0] * 90 + [0.0] * 10
    low, high = interval(values, [number // 9 for number in range(90)] + list(range(10, 20)))
    assert 0.7 < low < 0.9 < high < 1


def test_a_mean_over_sets_is_surer_than_one_set_and_each_set_is_drawn_by_itself() -> None:
    values, cluster_of = [0.0, 1.0] * 20, range(40)
    one = interval(values, cluster_of)
    low, high = mean_interval([(values, cluster_of)] * 2)
    assert mean_interval([(values, cluster_of)]) == one
    assert low < 0.5 < high
    # two independent sets: narrower by the root of two
    assert (one[1] - one[0]) / (high - low) == pytest.approx(2**0.5, rel=0.15)
    assert mean_interval([(values, cluster_of)] * 2) == (low, high)


def test_sets_weigh_the_same_whatever_their_sizes() -> None:
    assert mean_interval([([1.0] * 100, range(100)), ([0.0] * 2, range(2))]) == (0.5, 0.5)
