"""Folds the vectors that came since into the base of an index, when they have become many or many are dead."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict

import faiss
import numpy as np
from numpy.typing import NDArray

from indexer.base import BaseFile, Records, add_to, number_of_lists, read_base, record_of, records, write_base
from indexer.database import writing
from indexer.index import PassageIndex

# A tail is folded into the base when it is this long and this share of it, or too long to be gone through for a query;
# dead vectors when they are this share
FOLD_TAIL = 1_000
FOLD_SHARE = 0.1
FOLD_LONG_TAIL = 50_000
FOLD_DEAD_SHARE = 0.2
_AT_ONCE = 50_000


def fold_if_due(index: PassageIndex) -> None:
    """Fold where it pays."""
    if _is_due(index):
        fold(index)


def fold(index: PassageIndex, *, keep_previous: bool = True) -> None:
    """Write a base of all live vectors, take it into use, and delete the files that no generation uses any more.

    The base before stays for who reads it, unless something in it must not be kept.
    """
    base = _write(index)
    with writing(index.connection):
        index.set_meta("previous_base", index.meta("base") if keep_previous else None)
        index.set_meta("base", json.dumps(asdict(base)) if base else None)
        index.set_meta("dead", None)
        index.connection.execute("DELETE FROM tail")
    used = {
        name for file in map(_file, (index.meta("base"), index.meta("previous_base"))) if file for name in file.names
    }
    for path in index.path.parent.glob(f"{index.path.stem}-*"):
        if path.name.endswith((".npy", ".faiss", ".part")) and path.name not in used:
            path.unlink(missing_ok=True)


def _file(described: str | None) -> BaseFile | None:
    return BaseFile(**json.loads(described)) if described else None


def _is_due(index: PassageIndex) -> bool:
    base = _file(index.meta("base"))
    count = base.count if base else 0
    (tail,) = index.connection.execute("SELECT coalesce(max(seq) - min(seq) + 1, 0) FROM tail").fetchone()
    dead = int(index.meta("dead") or 0)
    return bool(
        (tail >= FOLD_TAIL and tail > min(count * FOLD_SHARE, FOLD_LONG_TAIL))
        or (dead >= FOLD_TAIL and dead > (count + tail) * FOLD_DEAD_SHARE)
    )


def _write(index: PassageIndex) -> BaseFile | None:
    """None where there is no live vector."""
    live = _live(index)
    tail = _tail(index, live)
    described = _file(index.meta("base"))
    before = read_base(index.path.parent, described) if described else None
    # What came again counts as it came last
    stays = live.copy()
    stays[tail["key"]] = False
    kept = np.flatnonzero(stays[before.keys]) if before else np.zeros(0, np.int64)
    count = len(kept) + len(tail)
    if not count:
        return None

    def parts() -> Iterator[Records]:
        if before is not None:
            for start in range(0, len(kept), _AT_ONCE):
                rows = kept[start : start + _AT_ONCE]
                yield records(before.keys[rows], before.vectors[rows])
        yield tail

    lists = before.lists if before else None
    if lists is not None and lists.nlist == number_of_lists(count):
        faiss.omp_set_num_threads(os.cpu_count() or 1)
        bits = np.packbits(stays, bitorder="little")
        lists.remove_ids(faiss.IDSelectorNot(faiss.IDSelectorBitmap(bits)))
        add_to(lists, tail)
    else:
        lists = None
    (last,) = index.connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'tail'").fetchone()
    name = f"{index.path.stem}-{index.generation}-{last}.npy"
    return write_base(index.path.parent, name, count, parts(), lists)


def _live(index: PassageIndex) -> NDArray[np.bool_]:
    """By key, whether there is such a passage and it has a vector."""
    rows = index.connection.execute("SELECT key FROM passages WHERE has_vector = 1")
    keys = np.fromiter((key for (key,) in rows), np.int64)
    (highest,) = index.connection.execute("SELECT coalesce(max(key), 0) FROM passages").fetchone()
    live = np.zeros(highest + 1, np.bool_)
    live[keys] = True
    return live


def _tail(index: PassageIndex, live: NDArray[np.bool_]) -> Records:
    """The live vectors of the tail, by key; of one that came twice the latter."""
    rows = index.connection.execute("SELECT passage, vector FROM tail ORDER BY seq")
    latest: dict[int, bytes] = {key: vector for key, vector in rows if key < len(live) and live[key]}
    dimension = len(next(iter(latest.values()), b"")) // 2
    made = np.empty(len(latest), record_of(dimension))
    made["key"] = list(latest)
    made["vector"] = np.frombuffer(b"".join(latest.values()), np.float16).reshape(len(latest), dimension)
    return made
