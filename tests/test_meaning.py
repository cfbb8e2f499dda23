"""The meaning lane: FAISS, filtered before top-k, a base and a tail."""

from pathlib import Path

import numpy as np
import pytest

from indexer.errors import IndexDamagedError
from indexer.meaning import MeaningLane, write_base

RANDOM = np.random.default_rng(7)
VECTORS = RANDOM.normal(size=(500, 32)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)
KEYS = np.arange(10, 1510, 3)


def test_base_and_tail_score_alike(tmp_path: Path) -> None:
    base = write_base(tmp_path, "index-1.faiss", KEYS[:300], VECTORS[:300].astype(np.float16))
    split = MeaningLane.open(tmp_path, base, 32).with_tail(KEYS[300:], VECTORS[300:])
    whole = MeaningLane.empty(32).with_tail(KEYS, VECTORS)
    for query in VECTORS[:20]:
        keys, scores = split.nearest(query, KEYS, 25)
        same_keys, same_scores = whole.nearest(query, KEYS, 25)
        assert keys.tolist() == same_keys.tolist()
        assert scores.tolist() == same_scores.tolist()


def test_what_is_not_allowed_is_not_there_before_the_nearest_are_chosen() -> None:
    lane = MeaningLane.empty(32).with_tail(KEYS, VECTORS)
    allowed = KEYS[::50]
    keys, scores = lane.nearest(VECTORS[1], allowed, 10)
    expected = VECTORS[::50].astype(np.float16).astype(np.float32) @ VECTORS[1]
    assert keys.tolist() == allowed[np.argsort(-expected)][:10].tolist()
    assert np.allclose(scores, np.sort(expected)[::-1][:10], atol=1e-3)


@pytest.mark.parametrize("allowed", [[], [1, 2], [99_999]])
def test_nothing_allowed_is_nothing_found(allowed: list[int]) -> None:
    lane = MeaningLane.empty(32).with_tail(KEYS, VECTORS)
    assert lane.nearest(VECTORS[0], np.array(allowed, np.int64), 5)[0].tolist() == []
    assert MeaningLane.empty(32).nearest(VECTORS[0], np.array(allowed, np.int64), 5)[0].tolist() == []


@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_a_damaged_base_is_named_before_it_is_read(tmp_path: Path, damage: str) -> None:
    base = write_base(tmp_path, "index-1.faiss", KEYS, VECTORS.astype(np.float16))
    file = tmp_path / base.name
    data = bytearray(file.read_bytes())
    data[-100] ^= 1
    file.write_bytes(data if damage == "flip" else data[:-50])
    if damage == "gone":
        file.unlink()
    with pytest.raises(IndexDamagedError, match=r"index-1\.faiss"):
        MeaningLane.open(tmp_path, base, 32)
