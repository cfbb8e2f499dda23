"""The meaning lane: inner products of unit vectors in FAISS, half precision, filtered before top-k.

A shared base (a file written once), a small tail in memory for what came since, and whatever is gone is simply not
allowed any more. Both parts use the same FAISS index, so that a vector scores alike wherever it lies.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from indexer.encoder import Vectors
from indexer.errors import IndexDamagedError
from indexer.vectors import HalfVectors

Keys = NDArray[np.int64]

faiss.omp_set_num_threads(1)


@dataclass(frozen=True, slots=True)
class BaseFile:
    """A base on disk: its name in the data folder, SHA-256, and number of vectors."""

    name: str
    sha256: str
    count: int


class MeaningLane:
    """Vectors by passage key. Immutable: ``with_tail`` gives the next one."""

    def __init__(self, dimension: int, base: faiss.Index | None, tail_keys: Keys, tail: Vectors) -> None:
        self.dimension = dimension
        self._base = base
        self._tail_keys, self._tail_vectors = tail_keys, tail
        self._tail = _index_of(dimension, tail_keys, tail) if len(tail_keys) else None
        base_keys = keys_of(base) if base is not None else np.zeros(0, np.int64)
        self.keys: Keys = np.sort(np.concatenate([base_keys, tail_keys]))

    @classmethod
    def empty(cls, dimension: int) -> "MeaningLane":
        return cls(dimension, None, np.zeros(0, np.int64), np.zeros((0, dimension), np.float32))

    @classmethod
    def open(cls, folder: Path, file: BaseFile, dimension: int) -> "MeaningLane":
        """The base of a file, checked by its hash first: FAISS reads a flipped bit without a word."""
        lane = cls.empty(dimension)
        return cls(dimension, read_base(folder, file), lane._tail_keys, lane._tail_vectors)

    def with_tail(self, keys: Keys, vectors: Vectors) -> "MeaningLane":
        """This lane and further vectors, ``(n, dimension)`` float32."""
        return MeaningLane(
            self.dimension,
            self._base,
            np.concatenate([self._tail_keys, keys]),
            np.concatenate([self._tail_vectors, vectors]),
        )

    def nearest(self, query: Vectors, allowed: Keys, k: int) -> tuple[Keys, Vectors]:
        """Keys and inner products of the ``k`` nearest among the allowed keys, the nearest first.

        ``query`` is ``(dimension,)`` float32.
        """
        if not len(allowed) or k < 1:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        bits = np.zeros(int(max(allowed.max(), self.keys[-1] if len(self.keys) else 0)) + 1, np.bool_)
        bits[allowed] = True
        selector = faiss.IDSelectorBitmap(np.packbits(bits, bitorder="little"))
        parts = [
            index.search(query[None, :], min(k, index.ntotal), params=faiss.SearchParameters(sel=selector))
            for index in (self._base, self._tail)
            if index is not None
        ]
        scores = np.concatenate([score[0] for score, _ in parts] or [np.zeros(0, np.float32)])
        keys = np.concatenate([key[0] for _, key in parts] or [np.zeros(0, np.int64)])
        scores, keys = scores[keys >= 0], keys[keys >= 0]
        order = np.lexsort((keys, -scores))[:k]
        return keys[order], scores[order]

    def vectors(self, keys: Keys) -> tuple[Keys, Vectors]:
        """Those of the keys that have a vector, in order, and their vectors, ``(n, dimension)`` float32."""
        wanted = np.unique(keys)
        found = np.zeros((len(wanted), self.dimension), np.float32)
        in_tail = np.isin(wanted, self._tail_keys)
        if in_tail.any():
            order = np.argsort(self._tail_keys, kind="stable")
            found[in_tail] = self._tail_vectors[order[np.searchsorted(self._tail_keys, wanted[in_tail], sorter=order)]]
        in_base = ~in_tail & np.isin(wanted, self.keys)
        if self._base is not None and in_base.any():
            found[in_base] = self._base.reconstruct_batch(wanted[in_base])
        there = in_tail | in_base
        return wanted[there], found[there]


def _index_of(dimension: int, keys: Keys, vectors: Vectors) -> faiss.Index:
    quantizer = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    index = faiss.IndexIDMap2(quantizer)
    index.add_with_ids(vectors, keys)
    return index


def keys_of(index: faiss.Index) -> Keys:
    """The passage keys that a FAISS index of ours holds."""
    keys: Keys = faiss.vector_to_array(index.id_map)
    return keys


def write_base(folder: Path, name: str, keys: Keys, vectors: HalfVectors) -> BaseFile:
    """Write a base whole: on return it is on disk under its name."""
    index = _index_of(vectors.shape[1], keys, vectors.astype(np.float32))
    path, part = folder / name, folder / f"{name}.part"
    data = faiss.serialize_index(index).tobytes()
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return BaseFile(name, hashlib.sha256(data).hexdigest(), len(keys))


def read_base(folder: Path, file: BaseFile) -> faiss.Index:
    """The base of a file. Raises IndexDamagedError where its bytes are not those that were written."""
    path = folder / file.name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise IndexDamagedError(f"{path} cannot be read: {error.strerror}", "Run 'kb index' to rebuild it") from error
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise IndexDamagedError(f"{path} is not as it was written", "Run 'kb index' to rebuild it")
    return faiss.deserialize_index(np.frombuffer(data, np.uint8))
