"""Folds the vectors that came since into the base of an index, when they have become many or many are dead."""

import json
from collections.abc import Iterator
from dataclasses import asdict

import faiss
import numpy as np
from numpy.typing import NDArray

from indexer.database import writing
from indexer.index import PassageIndex
from indexer.vector_files import AT_ONCE, BaseFile, Keys, add_to, number_of_lists, read_base, remove, write_base
from indexer.vectors import HalfVectors, unchecked

# A tail is folded into the base when it is this long and this share of it, or too long to be gone through for a query;
# dead vectors when they are this share
FOLD_TAIL = 1_000
FOLD_SHARE = 0.1
FOLD_LONG_TAIL = 50_000
FOLD_DEAD_SHARE = 0.2


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
            remove(path)


def _file(described: str | None) -> BaseFile | None:
    return BaseFile(**json.loads(described)) if described else None


def _is_due(index: PassageIndex) -> bool:
    base = _file(index.meta("base"))
    count = base.count if base else 0
    # Counted by its ends, since its rows are large
    (tail,) = index.connection.execute(
        "SELECT coalesce((SELECT max(seq) FROM tail) - (SELECT min(seq) FROM tail) + 1, 0)"
    ).fetchone()
    dead = int(index.meta("dead") or 0)
    return bool(
        (tail >= FOLD_TAIL and tail > min(count * FOLD_SHARE, FOLD_LONG_TAIL))
        or (dead >= FOLD_TAIL and dead > (count + tail) * FOLD_DEAD_SHARE)
    )


def _write(index: PassageIndex) -> BaseFile | None:
    """None where there is no live vector."""
    live = _live(index)
    new_keys, new = _tail(index, live)
    described = _file(index.meta("base"))
    before = read_base(index.path.parent, described) if described else None
    # What came again counts as it came last
    stays = live.copy()
    stays[new_keys] = False
    kept = np.flatnonzero(stays[before.keys]) if before else np.zeros(0, np.int64)
    keys = np.concatenate([before.keys[kept], new_keys]) if before else new_keys
    if not len(keys):
        return None

    def parts() -> Iterator[HalfVectors]:
        if before is not None:
            for start in range(0, len(kept), AT_ONCE):
                yield before.vectors(kept[start : start + AT_ONCE])
        yield new

    lists = before.lists if before else None
    if lists is not None and lists.nlist == number_of_lists(len(keys)):
        bits = np.packbits(stays, bitorder="little")
        lists.remove_ids(faiss.IDSelectorNot(faiss.IDSelectorBitmap(bits)))
        add_to(lists, new_keys, new)
    else:
        lists = None
    (last,) = index.connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'tail'").fetchone()
    name = f"{index.path.stem}-{index.generation}-{last}.npy"
    return write_base(index.path.parent, name, keys, parts(), lists)


def _live(index: PassageIndex) -> NDArray[np.bool_]:
    """By key, whether there is such a passage and it has a vector."""
    rows = index.connection.execute("SELECT key FROM passages WHERE has_vector = 1")
    keys = np.fromiter((key for (key,) in rows), np.int64)
    # The base has keys of what is gone, too, and these may be the highest
    (highest,) = index.connection.execute(
        "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'passages'), 0)"
    ).fetchone()
    live = np.zeros(highest + 1, np.bool_)
    live[keys] = True
    return live


def _tail(index: PassageIndex, live: NDArray[np.bool_]) -> tuple[Keys, HalfVectors]:
    """The live vectors of the tail and their keys; of one that came twice the latter."""
    rows = index.connection.execute("SELECT passage, vector FROM tail ORDER BY seq")
    latest: dict[int, bytes] = {key: vector for key, vector in rows if live[key]}
    if not latest:
        return np.zeros(0, np.int64), np.zeros((0, index.dimension), np.float16)
    return np.fromiter(latest, np.int64), np.stack([unchecked(*row) for row in latest.items()])
