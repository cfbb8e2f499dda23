"""How near passages are to one query: all of them at once where they are few, else those that are asked for."""

import numpy as np
from numpy.typing import NDArray

from indexer.encoder import Vectors
from indexer.meaning import Chosen, MeaningLane

Positions = NDArray[np.int64]


class Nearness:
    """Of one query, ``(dimension,)`` float32, unit length.

    ``keys`` are those of the passages in rising order, ``rows`` say for each of them which of the lane's vectors it
    has, -1 for none.
    """

    def __init__(self, lane: MeaningLane, keys: Positions, rows: Positions, query: Vectors) -> None:
        self._lane, self._keys, self._rows, self._query = lane, keys, rows, query
        every = lane.every_score(query)
        self._every = None if every is None else np.append(every, np.float32(np.nan))[rows]

    def nearest(self, chosen: Chosen, k: int) -> Positions:
        """The positions of the ``k`` nearest passages among those to choose from, in no order."""
        if self._every is None:
            near, _ = self._lane.nearest(self._query, chosen, k)
            return np.searchsorted(self._keys, near)
        scores = self._every[chosen.positions]
        there = np.flatnonzero(~np.isnan(scores))
        if len(there) > k:
            there = there[np.argpartition(scores[there], len(there) - k)[len(there) - k :]]
        return chosen.positions[there]

    def scores(self, positions: Positions) -> Vectors:
        """The inner product of each of these passages, ``(n,)`` float32; none (NaN) where there is no vector yet."""
        if self._every is not None:
            return self._every[positions]
        scores = np.full(len(self._keys), np.nan, np.float32)
        near, found = self._lane.nearest(self._query, Chosen(self._keys[positions], positions), len(positions))
        scores[np.searchsorted(self._keys, near)] = found
        return scores[positions]
