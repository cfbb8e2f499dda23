"""The meaning lane: FAISS, filtered before top-k, a base and a tail."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import faiss
import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.chosen import Chosen
from indexer.columns import Passages
from indexer.errors import IndexDamagedError
from indexer.growing import numbered
from indexer.meaning import MeaningLane
from indexer.nearness import Nearness
from indexer.vector_files import BaseFile, write_base
from indexer.vectors import HalfVectors, single

RANDOM = np.random.default_rng(7)
VECTORS = RANDOM.normal(size=(500, 32)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)
KEYS = np.arange(10, 1510, 3)


def chosen(keys: NDArray[np.int64]) -> Chosen:
    return Chosen(keys, len(keys), lambda: np.arange(len(keys)))


def passages() -> Passages:
    none = np.zeros(len(KEYS), np.bool_)
    numbers = numbered(np.zeros(0, np.int32), KEYS, np.arange(len(KEYS)))
    return Passages(KEYS, np.zeros(len(KEYS), np.int64), none.astype(np.float32), none, none, none, numbers)


def written(folder: Path, keys: NDArray[np.int64], vectors: HalfVectors) -> BaseFile:
    return write_base(folder, "index-1.npy", keys, [vectors])


def near(lane: MeaningLane, query: NDArray[np.float32]) -> Nearness:
    return Nearness(lane, passages(), lane.rows(KEYS) if lane.is_plain else None, query)


@pytest.mark.parametrize("most_plain", [0, 1_000])
def test_base_and_tail_score_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_plain: int) -> None:
    monkeypatch.setattr("indexer.vector_files.MOST_PLAIN", most_plain)
    base = written(tmp_path, KEYS[:300], VECTORS[:300].astype(np.float16))
    split = MeaningLane.open(tmp_path, base, 32).with_tail(KEYS[300:], VECTORS[300:])
    whole = MeaningLane.empty(32).with_tail(KEYS, VECTORS)
    assert split.is_plain == (most_plain > 0)
    for query in VECTORS[:20]:
        same = set(split.nearest(query, chosen(KEYS), 25).tolist()) & set(
            whole.nearest(query, chosen(KEYS), 25).tolist()
        )
        assert len(same) >= (25 if split.is_plain else 8)
        every = np.arange(len(KEYS))
        assert np.allclose(split.scores(query, every), whole.scores(query, every), atol=1e-6)
        assert (split.vectors(every) == whole.vectors(every)).all()


def test_what_is_not_allowed_is_not_there_before_the_nearest_are_chosen() -> None:
    lane = MeaningLane.empty(32).with_tail(KEYS, VECTORS)
    allowed = KEYS[::50]
    keys = lane.nearest(VECTORS[1], chosen(allowed), 10)
    expected = VECTORS[::50].astype(np.float16).astype(np.float32) @ VECTORS[1]
    assert sorted(keys.tolist()) == sorted(allowed[np.argsort(-expected)][:10].tolist())


@pytest.mark.parametrize("allowed", [[], [1, 2], [99_999]])
def test_nothing_allowed_is_nothing_found(allowed: list[int]) -> None:
    lane = MeaningLane.empty(32).with_tail(KEYS, VECTORS)
    for one in (lane, MeaningLane.empty(32)):
        assert one.nearest(VECTORS[0], chosen(np.array(allowed, np.int64)), 5).tolist() == []


@pytest.mark.parametrize("most_plain", [0, 1_000])
def test_however_many_there_are_the_same_are_near_and_so_near(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_plain: int
) -> None:
    monkeypatch.setattr("indexer.vector_files.MOST_PLAIN", most_plain)
    have = KEYS[::2]
    base = written(tmp_path, have[:150], VECTORS[::2][:150].astype(np.float16))
    lane = MeaningLane.open(tmp_path, base, 32)
    lane = lane.with_tail(have[150:200], VECTORS[::2][150:200]).with_tail(have[200:], VECTORS[::2][200:])
    exact = np.where(np.isin(KEYS, have), VECTORS.astype(np.float16).astype(np.float32) @ VECTORS[3], np.nan)
    nearness = near(lane, VECTORS[3])
    some = np.arange(0, 500, 7)
    assert np.allclose(nearness.scores(some), exact[some], atol=1e-4, equal_nan=True)
    best = nearness.nearest(Chosen(KEYS, len(some), lambda: some), 12)
    there = some[~np.isnan(exact[some])]
    nearest = there[np.argsort(-exact[there])]
    assert set(best.tolist()) <= set(there.tolist())
    assert set(best.tolist()) >= set(nearest[: 12 if lane.is_plain else 3].tolist())


@pytest.mark.parametrize("most_plain", [0, 1_000])
def test_a_search_stays_on_its_own_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_plain: int) -> None:
    monkeypatch.setattr("indexer.vector_files.MOST_PLAIN", most_plain)
    base = written(tmp_path, KEYS, VECTORS.astype(np.float16))
    lane = MeaningLane.open(tmp_path, base, 32)

    def searched() -> int:
        faiss.omp_set_num_threads(2)
        near(lane, VECTORS[0]).nearest(chosen(KEYS), 5)
        return int(faiss.omp_get_max_threads())

    with ThreadPoolExecutor(1) as another:
        assert another.submit(searched).result() == 1


@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_a_damaged_base_is_named_before_it_is_read(tmp_path: Path, damage: str) -> None:
    base = written(tmp_path, KEYS, VECTORS.astype(np.float16))
    file = tmp_path / base.name
    data = bytearray(file.read_bytes())
    data[-100] ^= 1
    file.write_bytes(data if damage == "flip" else data[:-50])
    if damage == "gone":
        file.unlink()
    with pytest.raises(IndexDamagedError, match=r"index-1\.npy"):
        MeaningLane.open(tmp_path, base, 32)


def test_every_number_of_half_precision_is_read_to_the_bit() -> None:
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16).reshape(-1, 64)
    assert single(every).tobytes() == every.astype(np.float32).tobytes()
