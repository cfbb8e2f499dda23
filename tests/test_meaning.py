"""The meaning lane: FAISS, filtered before top-k, a base and a tail."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import faiss
import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.errors import IndexDamagedError
from indexer.meaning import Chosen, MeaningLane, write_base
from indexer.nearness import Nearness

RANDOM = np.random.default_rng(7)
VECTORS = RANDOM.normal(size=(500, 32)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)
KEYS = np.arange(10, 1510, 3)


def chosen(keys: NDArray[np.int64]) -> Chosen:
    return Chosen(keys, np.searchsorted(KEYS, keys))


def test_base_and_tail_score_alike(tmp_path: Path) -> None:
    base = write_base(tmp_path, "index-1.faiss", KEYS[:300], VECTORS[:300].astype(np.float16))
    split = MeaningLane.open(tmp_path, base, 32).with_tail(KEYS[300:], VECTORS[300:])
    whole = MeaningLane.empty(32).with_tail(KEYS, VECTORS)
    for query in VECTORS[:20]:
        keys, scores = split.nearest(query, chosen(KEYS), 25)
        same_keys, same_scores = whole.nearest(query, chosen(KEYS), 25)
        assert keys.tolist() == same_keys.tolist()
        assert scores.tolist() == same_scores.tolist()


def test_what_is_not_allowed_is_not_there_before_the_nearest_are_chosen() -> None:
    lane = MeaningLane.empty(32).with_tail(KEYS, VECTORS)
    allowed = KEYS[::50]
    keys, scores = lane.nearest(VECTORS[1], chosen(allowed), 10)
    expected = VECTORS[::50].astype(np.float16).astype(np.float32) @ VECTORS[1]
    assert keys.tolist() == allowed[np.argsort(-expected)][:10].tolist()
    assert np.allclose(scores, np.sort(expected)[::-1][:10], atol=1e-3)


@pytest.mark.parametrize("allowed", [[], [1, 2], [99_999]])
def test_nothing_allowed_is_nothing_found(allowed: list[int]) -> None:
    lane = MeaningLane.empty(32).with_tail(KEYS, VECTORS)
    for one in (lane, MeaningLane.empty(32)):
        assert one.nearest(VECTORS[0], chosen(np.array(allowed, np.int64)), 5)[0].tolist() == []


@pytest.mark.parametrize("most_plain", [0, 1_000])
def test_however_many_there_are_the_same_are_near_and_so_near(monkeypatch: pytest.MonkeyPatch, most_plain: int) -> None:
    monkeypatch.setattr("indexer.meaning._MOST_PLAIN", most_plain)
    have = KEYS[::2]
    lane = MeaningLane.empty(32).with_tail(have[:150], VECTORS[::2][:150]).with_tail(have[150:], VECTORS[::2][150:])
    rows = np.where(np.isin(KEYS, have), np.searchsorted(have, KEYS), -1)
    exact = np.where(rows < 0, np.nan, VECTORS.astype(np.float16).astype(np.float32) @ VECTORS[3])
    near = Nearness(lane, KEYS, rows, VECTORS[3])
    some = np.arange(0, 500, 7)
    assert np.allclose(near.scores(some), exact[some], atol=1e-4, equal_nan=True)
    best = near.nearest(Chosen(KEYS[some], some), 12)
    there = some[~np.isnan(exact[some])]
    assert sorted(best.tolist()) == sorted(there[np.argsort(-exact[there])][:12].tolist())


@pytest.mark.parametrize("most_plain", [0, 1_000])
def test_a_search_stays_on_its_own_thread(monkeypatch: pytest.MonkeyPatch, most_plain: int) -> None:
    monkeypatch.setattr("indexer.meaning._MOST_PLAIN", most_plain)
    lane = MeaningLane.empty(32).with_tail(KEYS, VECTORS)

    def searched() -> int:
        faiss.omp_set_num_threads(2)
        Nearness(lane, KEYS, np.arange(len(KEYS)), VECTORS[0]).nearest(chosen(KEYS), 5)
        return int(faiss.omp_get_max_threads())

    with ThreadPoolExecutor(1) as another:
        assert another.submit(searched).result() == 1


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
