"""Folds the vectors that came since into the base file of an index, when they have become many or many are dead."""

import json
from dataclasses import asdict

import numpy as np

from indexer.database import writing
from indexer.index import PassageIndex
from indexer.meaning import BaseFile, keys_of, read_base, write_base

# A tail is folded into the base when it is this long and this share of it; dead vectors when they are this share
FOLD_TAIL = 1_000
FOLD_SHARE = 0.1
FOLD_DEAD_SHARE = 0.2


def fold_if_due(index: PassageIndex) -> None:
    """Fold where it pays."""
    if _is_due(index):
        fold(index)


def fold(index: PassageIndex, *, keep_previous: bool = True) -> None:
    """Write a base file of all live vectors, take it into use, and delete those that no generation uses any more.

    The file before stays for who reads it, unless something in it must not be kept.
    """
    base = _write(index)
    with writing(index.connection):
        index.set_meta("previous_base", index.meta("base") if keep_previous else None)
        index.set_meta("base", json.dumps(asdict(base)) if base else None)
        index.connection.execute("DELETE FROM tail")
    used = {json.loads(text)["name"] for text in (index.meta("base"), index.meta("previous_base")) if text}
    for path in index.path.parent.glob(f"{index.path.stem}-*.faiss*"):
        if path.name not in used:
            path.unlink(missing_ok=True)


def _is_due(index: PassageIndex) -> bool:
    base = BaseFile(**json.loads(index.meta("base") or '{"name": "", "sha256": "", "count": 0}'))
    (tail,) = index.connection.execute("SELECT count(*) FROM tail").fetchone()
    dead = base.count + tail - index.counts()[2]
    return bool(
        (tail >= FOLD_TAIL and tail > base.count * FOLD_SHARE)
        or (dead >= FOLD_TAIL and dead > (base.count + tail) * FOLD_DEAD_SHARE)
    )


def _write(index: PassageIndex) -> BaseFile | None:
    """None where there is no live vector."""
    live = {key for (key,) in index.connection.execute("SELECT key FROM passages WHERE has_vector = 1")}
    keys, vectors = [], []
    described = index.meta("base")
    if described:
        base = read_base(index.path.parent, BaseFile(**json.loads(described)))
        for key in sorted(live.intersection(keys_of(base).tolist())):
            keys.append(key)
            vectors.append(base.reconstruct(key).astype(np.float16))
    for key, vector in index.connection.execute("SELECT passage, vector FROM tail ORDER BY seq"):
        if key in live:
            keys.append(key)
            vectors.append(np.frombuffer(vector, np.float16))
    if not keys:
        return None
    (last,) = index.connection.execute("SELECT coalesce(max(seq), 0) FROM tail").fetchone()
    name = f"{index.path.stem}-{index.generation}-{last}.faiss"
    return write_base(index.path.parent, name, np.array(keys, np.int64), np.stack(vectors))
