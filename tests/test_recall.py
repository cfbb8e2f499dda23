"""Of many vectors, not all of which are compared with a query, nearly all of the nearest are found."""

from collections.abc import Iterator

import numpy as np
import pytest

from indexer.chosen import Chosen
from indexer.encoder import Encoder
from indexer.meaning import MeaningLane
from indexer.snapshot import DEPTH
from indexer.vector_files import write_base
from indexer.vectors import HalfVectors
from tests.benchmarks.made import sentences

TEXTS, EACH = 800, 100
# The cosine between a vector and the real one that it is made of is 0.86 then
NOISE = 0.6
NEAREST = 10
Large = tuple[MeaningLane, HalfVectors]
KEYS = np.arange(TEXTS * EACH)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Large:
    """80,000 vectors in a base, by key: clumps around those of our own sentences."""
    chance, real = np.random.default_rng(5), encoder.encode(sentences()[:TEXTS])

    def parts() -> Iterator[HalfVectors]:
        for _ in range(EACH):
            made = real + chance.normal(size=real.shape) * (NOISE / real.shape[1] ** 0.5)
            yield (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float16)

    every = list(parts())
    folder = tmp_path_factory.mktemp("large")
    base = write_base(folder, "index-1.npy", KEYS, every)
    assert base.lists
    return MeaningLane.open(folder, base, encoder.dimension), np.concatenate(every)


@pytest.mark.parametrize("share", [1.0, 0.5, 0.05, 0.005])
def test_nearly_all_of_the_nearest_are_found(large: Large, encoder: Encoder, share: float) -> None:
    lane, vectors = large
    there = np.flatnonzero(np.random.default_rng(6).random(len(KEYS)) < share)
    chosen = Chosen(KEYS, len(there), lambda: there)
    queries = encoder.encode([" ".join(line.split()[:12]) for line in sentences()[1 : 2 * TEXTS : 8]], "query")
    exact = queries @ vectors[there].astype(np.float32).T
    found = 0
    for query, scores in zip(queries, exact, strict=True):
        near = lane.nearest(query, chosen, 3 * DEPTH)
        best = near[np.argsort(-lane.scores(query, lane.rows(near)))[:NEAREST]]
        found += len(np.intersect1d(best, there[np.argsort(-scores)[:NEAREST]]))
    assert found / (NEAREST * len(queries)) >= 0.98
