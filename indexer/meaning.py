"""The meaning lane: inner products of unit vectors of half precision, filtered before top-k.

A shared base (a FAISS file written once), a small tail in memory for what came since, and whatever is gone is simply
not allowed any more. A vector scores alike wherever it lies.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from indexer.chosen import Chosen
from indexer.encoder import Vectors
from indexer.errors import IndexDamagedError
from indexer.growing import grown, number_of, numbered
from indexer.vectors import HalfVectors

Keys = NDArray[np.int64]
Rows = NDArray[np.int32]

# Up to so many vectors are one block of float32. All of 10,000 are compared with a query in 0.3 ms, and any of them
# can be looked at then; FAISS takes 0.3 to find the best of half precision, and 0.9 to tell of 5,000 how near they are,
# since it can only put them in order. From some 30,000 on FAISS is as fast, and takes half the memory
_MOST_PLAIN = 30_000
# Vectors are made ready so many at a time, to stay where the processor has them at hand
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class BaseFile:
    """A base on disk: its name in the data folder, SHA-256, and number of vectors."""

    name: str
    sha256: str
    count: int


class MeaningLane:
    """Vectors, each at its row; those of the base come first. Immutable: ``with_tail`` gives the next one.

    Up to ``_MOST_PLAIN`` in the base all are one block of float32; else the base stays as it is, and the block holds
    what came since.
    """

    def __init__(self, dimension: int, base: faiss.Index | None, keys: Keys, rows: Rows, block: Vectors) -> None:
        """``keys`` are those of all rows, ``rows`` gives the row for each key, ``block`` has the last ones."""
        self.dimension, self._base, self._keys, self._rows, self._block = dimension, base, keys, rows, block
        self._first = base.ntotal if base is not None else 0

    @classmethod
    def empty(cls, dimension: int) -> "MeaningLane":
        keys = np.zeros(0, np.int64)
        return cls(dimension, None, keys, keys.astype(np.int32), np.zeros((0, dimension), np.float32))

    @classmethod
    def open(cls, folder: Path, file: BaseFile, dimension: int) -> "MeaningLane":
        """The base of a file, checked by its hash first: FAISS reads a flipped bit without a word."""
        base = read_base(folder, file)
        keys = keys_of(base)
        empty = cls.empty(dimension)
        rows = numbered(empty._rows, keys, np.arange(len(keys)))
        if len(keys) <= _MOST_PLAIN:
            return cls(dimension, None, keys, rows, base.index.reconstruct_n(0, len(keys)))
        return cls(dimension, base, keys, rows, empty._block)

    def with_tail(self, keys: Keys, vectors: Vectors) -> "MeaningLane":
        """This lane and further vectors, ``(n, dimension)`` float32. Of one lane only one may be made."""
        rows = numbered(self._rows, keys, len(self._keys) + np.arange(len(keys)))
        block = grown(self._block, vectors.astype(np.float16).astype(np.float32))
        return MeaningLane(self.dimension, self._base, grown(self._keys, keys), rows, block)

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def is_plain(self) -> bool:
        """Whether all can be looked at for one query."""
        return self._base is None

    def rows(self, keys: Keys) -> Keys:
        """The row of each of the keys, ``NONE`` where it has no vector."""
        return number_of(self._rows, keys)

    def every_score(self, query: Vectors) -> Vectors:
        """The inner product of a query, ``(dimension,)`` float32, with the vectors of the block, ``(n,)``."""
        return _inner_products(query, self._block)

    def nearest(self, query: Vectors, chosen: Chosen, k: int) -> Keys:
        """The keys of the ``k`` nearest among those to choose from, in no order."""
        scores = self.every_score(query)
        keys = self._keys[self._first :]
        here = chosen.has(keys)
        keys, scores = keys[here], scores[here]
        if self._base is not None and chosen.count and k:
            _on_one_thread()
            params = faiss.SearchParameters(sel=chosen.selector)
            near, found = self._base.search(query[None, :], min(k, self._first), params=params)
            there = found[0] >= 0
            keys, scores = np.append(keys, found[0][there]), np.append(scores, near[0][there])
        if len(keys) > k:
            keys = keys[np.argpartition(scores, len(keys) - k)[len(keys) - k :]]
        return keys

    def scores(self, query: Vectors, rows: Keys) -> Vectors:
        """The inner products with the vectors at some rows, ``(n,)`` float32."""
        parts = (self.vectors(rows[start : start + _AT_ONCE]) for start in range(0, len(rows), _AT_ONCE))
        return np.concatenate([np.zeros(0, np.float32), *(_inner_products(query, part) for part in parts)])

    def vectors(self, rows: Keys) -> Vectors:
        """The vectors at some rows, ``(n, dimension)`` float32."""
        if self._base is None:
            return self._block[rows]
        found = np.empty((len(rows), self.dimension), np.float32)
        in_base = rows < self._first
        found[~in_base] = self._block[rows[~in_base] - self._first]
        if in_base.any():
            index = faiss.downcast_index(self._base.index)
            found[in_base] = index.sq.decode(_codes(index)[rows[in_base]])
        return found


def _inner_products(query: Vectors, vectors: Vectors) -> Vectors:
    """Each by itself: what else is compared changes no bit of it."""
    _on_one_thread()
    scores = np.empty(len(vectors), np.float32)
    if len(scores):
        faiss.fvec_inner_products_ny(*map(faiss.swig_ptr, (scores, query, vectors)), vectors.shape[1], len(scores))
    return scores


def _codes(index: faiss.IndexScalarQuantizer) -> NDArray[np.uint8]:
    """What the index keeps of each vector, ``(n, bytes)``, as it lies."""
    codes: NDArray[np.uint8] = faiss.rev_swig_ptr(index.codes.data(), index.ntotal * index.code_size)
    return codes.reshape(index.ntotal, index.code_size)


def _on_one_thread() -> None:
    """Have FAISS work on the thread that calls it, which must be said on each.

    Else a second one takes part, and waits for the next call by turning on the spot: three times the work of a search.
    """
    faiss.omp_set_num_threads(1)


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
