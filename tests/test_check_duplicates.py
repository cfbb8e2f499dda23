"""How much of an article another says, in little memory however long the two are."""

import tracemalloc
from collections.abc import Sequence

import numpy as np
import pytest

from indexer.check_duplicates import _Said
from indexer.passages import Passage


def said(sizes: Sequence[int]) -> _Said:
    """Articles of so many passages each, with vectors by chance."""
    count, chance = sum(sizes), np.random.default_rng(1)
    vectors = chance.standard_normal((count, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    passages = [Passage("a", "a", ("t",), "", "x", "section")] * count
    letters = chance.integers(1, 100, count).astype(np.float32)
    return _Said((), passages, vectors, letters, np.cumsum([0, *sizes[:-1]]).astype(np.int64))


@pytest.mark.parametrize("sizes", [[1], [3, 1, 2], [256, 256, 1], [255, 2, 600, 1, 1, 300], [1] * 600])
def test_shares_are_the_same_wherever_a_block_ends(sizes: list[int]) -> None:
    these = said(sizes)
    wanted = set(range(0, len(sizes), 2))
    seen = set()
    for place, of_it, of_others in these.shares(wanted):
        seen.add(place)
        own = these.rows(place)
        for other in range(0, len(sizes), 7):
            rows = these.rows(other)
            likeness = these.vectors[own] @ these.vectors[rows].T
            for share, likest, letters in (
                (of_it, likeness.max(axis=1), these.letters[own]),
                (of_others, likeness.max(axis=0), these.letters[rows]),
            ):
                assert share[other] == pytest.approx((likest * letters).sum() / letters.sum(), abs=1e-4)
    assert seen == wanted


def test_long_articles_take_little_memory() -> None:
    these = said([4_000, 4_000])
    tracemalloc.start()
    assert len(list(these.shares({0, 1}))) == 2
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40_000_000
