"""The meaning lane: inner products of unit vectors of half precision, filtered before top-k.

A shared base, a small tail in memory for what came since, and whatever is gone is simply not allowed any more. A vector
scores alike wherever it lies.
"""

from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from indexer.chosen import Chosen
from indexer.encoder import Vectors
from indexer.growing import grown, number_of, numbered
from indexer.vector_files import Base, BaseFile, read_base
from indexer.vectors import single

Keys = NDArray[np.int64]
Rows = NDArray[np.int32]

# So many lists of a base are looked at for a query that may choose from all, and this share of them: of the ten nearest
# of 2.4 million real vectors with noise these hold 99.5 %, half as many 99.0 % in six sevenths of the time of a search
_LEAST_LISTS = 128
_LISTS_SHARE = 1 / 8
# Of those who may choose from less than this share the nearest lie anywhere: all lists are looked at
_FEW = 0.01
# Vectors are made ready so many at a time, to stay where the processor has them at hand
_AT_ONCE = 256


class MeaningLane:
    """Vectors, each at its row; those of the base come first. Immutable: ``with_tail`` gives the next one.

    Up to ``MOST_PLAIN`` in the base all are one block of float32, which a query is compared with as a whole; else the
    block holds what came since.
    """

    def __init__(self, dimension: int, base: Base | None, keys: Keys, rows: Rows, block: Vectors) -> None:
        """``keys`` are those of all rows, ``rows`` gives the row for each key, ``block`` has the last ones."""
        self.dimension, self._base, self._keys, self._rows, self._block = dimension, base, keys, rows, block
        self._first, self._lists = (len(base.keys), base.lists) if base is not None else (0, None)

    @classmethod
    def empty(cls, dimension: int) -> "MeaningLane":
        keys = np.zeros(0, np.int64)
        return cls(dimension, None, keys, keys.astype(np.int32), np.zeros((0, dimension), np.float32))

    @classmethod
    def open(cls, folder: Path, file: BaseFile, dimension: int) -> "MeaningLane":
        """The base of a file. Raises IndexDamagedError."""
        base, empty = read_base(folder, file), cls.empty(dimension)
        keys = base.keys
        rows = numbered(empty._rows, keys, np.arange(len(keys)))
        if base.lists is None:
            return cls(dimension, None, keys, rows, base.vectors(np.arange(len(keys))).astype(np.float32))
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
        """The keys of the ``k`` nearest among those to choose from, in no order; of base and block ``k`` each."""
        scores = self.every_score(query)
        keys = self._keys[self._first :]
        here = chosen.has(keys)
        keys, scores = keys[here], scores[here]
        if len(keys) > k:
            keys = keys[np.argpartition(scores, len(keys) - k)[len(keys) - k :]]
        if self._lists is not None and chosen.count and k:
            keys = np.append(keys, self._in_lists(self._lists, query, chosen, k))
        return keys

    def _in_lists(self, lists: faiss.IndexIVF, query: Vectors, chosen: Chosen, k: int) -> Keys:
        """The keys of the ``k`` of the base that seem nearest by the codes in its lists, some more than are nearest."""
        _on_one_thread()
        share = min(1.0, chosen.count / len(self._keys))
        most = lists.nlist if share < _FEW else max(_LEAST_LISTS, lists.nlist * _LISTS_SHARE) / share**0.5
        params = faiss.SearchParametersIVF(sel=chosen.selector, nprobe=min(lists.nlist, round(most)))
        _, found = lists.search(query[None, :], k, params=params)
        keys: Keys = found[0][found[0] >= 0]
        return keys

    def scores(self, query: Vectors, rows: Keys) -> Vectors:
        """The inner products with the vectors at some rows, ``(n,)`` float32."""
        found = np.empty(len(rows), np.float32)
        in_base = rows < self._first
        found[~in_base] = _inner_products(query, self._block[rows[~in_base] - self._first])
        if self._base is not None:
            of_base = rows[in_base]
            parts = (of_base[start : start + _AT_ONCE] for start in range(0, len(of_base), _AT_ONCE))
            scores = [_inner_products(query, single(self._base.vectors(part))) for part in parts]
            found[in_base] = np.concatenate([np.zeros(0, np.float32), *scores])
        return found

    def vectors(self, rows: Keys) -> Vectors:
        """The vectors at some rows, ``(n, dimension)`` float32."""
        if self._base is None:
            return self._block[rows]
        found = np.empty((len(rows), self.dimension), np.float32)
        in_base = rows < self._first
        found[~in_base] = self._block[rows[~in_base] - self._first]
        found[in_base] = single(self._base.vectors(rows[in_base]))
        return found


def _inner_products(query: Vectors, vectors: Vectors) -> Vectors:
    """Each by itself: what else is compared changes no bit of it."""
    _on_one_thread()
    scores = np.empty(len(vectors), np.float32)
    if len(scores):
        faiss.fvec_inner_products_ny(*map(faiss.swig_ptr, (scores, query, vectors)), vectors.shape[1], len(scores))
    return scores


def _on_one_thread() -> None:
    """Have FAISS work on the thread that calls it, which must be said on each.

    Else a second one takes part, and waits for the next call by turning on the spot: three times the work of a search.
    """
    faiss.omp_set_num_threads(1)
