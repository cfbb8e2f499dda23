"""The meaning lane: inner products of unit vectors of half precision, filtered before top-k.

A shared base (a FAISS file written once), a small tail in memory for what came since, and whatever is gone is simply
not allowed any more. A vector scores alike wherever it lies.
"""

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from indexer.encoder import Vectors
from indexer.errors import IndexDamagedError
from indexer.vectors import HalfVectors

Keys = NDArray[np.int64]

# Up to so many vectors are one block of float32. All of 10,000 are compared with a query in 0.3 ms, and any of them
# can be looked at then; FAISS takes 0.3 to find the best of half precision, and 0.9 to tell of 5,000 how near they are,
# since it can only put them in order. From some 30,000 on FAISS is as fast, and takes half the memory
_MOST_PLAIN = 30_000


@dataclass(frozen=True, slots=True)
class BaseFile:
    """A base on disk: its name in the data folder, SHA-256, and number of vectors."""

    name: str
    sha256: str
    count: int


class Chosen:
    """Passages that a search may choose from; one serves many searches."""

    def __init__(self, keys: Keys, positions: Keys) -> None:
        """``positions`` are where the asker has them."""
        self.keys, self.positions = keys, positions

    @cached_property
    def selector(self) -> faiss.IDSelectorBitmap:
        """The same for FAISS."""
        bits = np.zeros(int(self.keys.max(initial=0)) + 1, np.bool_)
        bits[self.keys] = True
        return faiss.IDSelectorBitmap(np.packbits(bits, bitorder="little"))


class MeaningLane:
    """Vectors by passage key. Immutable: ``with_tail`` gives the next one.

    A few are one block of float32, in the order of ``keys``; many are a FAISS index of the base, and one of the tail.
    """

    def __init__(self, dimension: int, base: faiss.Index | None, tail_keys: Keys, tail: Vectors) -> None:
        self.dimension = dimension
        base_keys = keys_of(base) if base is not None else np.zeros(0, np.int64)
        every = np.concatenate([base_keys, tail_keys])
        order = np.argsort(every, kind="stable")
        self.keys: Keys = every[order]
        self._block: Vectors | None = None
        if len(every) <= _MOST_PLAIN:
            in_base = base.index.reconstruct_n(0, base.ntotal) if base is not None else tail[:0]
            self._block = np.concatenate([in_base, tail.astype(np.float16).astype(np.float32)])[order]
            base, tail_keys, tail = None, tail_keys[:0], tail[:0]
        self._base = base
        self._tail_keys, self._tail_vectors = tail_keys, tail
        self._tail = _index_of(dimension, tail_keys, tail) if len(tail_keys) else None

    @classmethod
    def empty(cls, dimension: int) -> "MeaningLane":
        return cls(dimension, None, np.zeros(0, np.int64), np.zeros((0, dimension), np.float32))

    @classmethod
    def open(cls, folder: Path, file: BaseFile, dimension: int) -> "MeaningLane":
        """The base of a file, checked by its hash first: FAISS reads a flipped bit without a word."""
        return cls(dimension, read_base(folder, file), np.zeros(0, np.int64), np.zeros((0, dimension), np.float32))

    def with_tail(self, keys: Keys, vectors: Vectors) -> "MeaningLane":
        """This lane and further vectors, ``(n, dimension)`` float32."""
        held, block = (self.keys, self._block) if self._block is not None else (self._tail_keys, self._tail_vectors)
        return MeaningLane(self.dimension, self._base, np.concatenate([held, keys]), np.concatenate([block, vectors]))

    def nearest(self, query: Vectors, chosen: Chosen, k: int) -> tuple[Keys, Vectors]:
        """Keys and inner products of the ``k`` nearest among those to choose from, the nearest first.

        ``query`` is ``(dimension,)`` float32.
        """
        every = self.every_score(query)
        if every is not None:
            at = np.flatnonzero(np.isin(self.keys, chosen.keys, assume_unique=True))
            keys, scores = self.keys[at], every[at]
        elif not len(chosen.keys) or k < 1:
            keys, scores = np.zeros(0, np.int64), np.zeros(0, np.float32)
        else:
            _on_one_thread()
            parts = [
                index.search(query[None, :], min(k, index.ntotal), params=faiss.SearchParameters(sel=chosen.selector))
                for index in (self._base, self._tail)
                if index is not None
            ]
            scores, keys = (np.concatenate([part[column][0] for part in parts]) for column in (0, 1))
            scores, keys = scores[keys >= 0], keys[keys >= 0]
        order = np.lexsort((keys, -scores))[:k]
        return keys[order], scores[order]

    def every_score(self, query: Vectors) -> Vectors | None:
        """The inner product with every vector, in the order of ``keys``; None where they are too many for that."""
        if self._block is None:
            return None
        _on_one_thread()
        scores = np.empty(len(self.keys), np.float32)
        faiss.fvec_inner_products_ny(*map(faiss.swig_ptr, (scores, query, self._block)), self.dimension, len(self.keys))
        return scores

    def vectors(self, keys: Keys) -> tuple[Keys, Vectors]:
        """Those of the keys that have a vector, in order, and their vectors, ``(n, dimension)`` float32."""
        wanted = np.intersect1d(keys, self.keys)
        if self._block is not None:
            return wanted, self._block[np.searchsorted(self.keys, wanted)]
        found = np.zeros((len(wanted), self.dimension), np.float32)
        in_tail = np.isin(wanted, self._tail_keys)
        if in_tail.any():
            order = np.argsort(self._tail_keys, kind="stable")
            found[in_tail] = self._tail_vectors[order[np.searchsorted(self._tail_keys, wanted[in_tail], sorter=order)]]
        if self._base is not None and not in_tail.all():
            found[~in_tail] = self._base.reconstruct_batch(wanted[~in_tail])
        return wanted, found


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
