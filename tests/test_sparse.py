"""Figures of a few places out of many, summed up."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.sparse import Summing

FEW = st.lists(st.tuples(st.integers(0, 9), st.integers(-5, 5)), max_size=40)


@pytest.mark.parametrize("count", [10, 10_000])
@given(told=FEW)
def test_the_figures_of_each_place_are_summed_whether_few_or_many_are_there(
    count: int, told: list[tuple[int, int]]
) -> None:
    places = np.array([place for place, _ in told], np.int64)
    found = Summing(places, count).sums(np.array([figure for _, figure in told], np.float32))
    expected: Counter[int] = Counter()
    for place, figure in told:
        expected[place] += figure
    assert dict(zip(found.places.tolist(), found.figures.tolist(), strict=True)) == expected
    assert found.places.tolist() == sorted(expected)
    assert found.figures.dtype == np.float64
