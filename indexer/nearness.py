"""How near passages are to one query: all of them at once where they are few, else those that are asked for."""

import numpy as np
from numpy.typing import NDArray

from indexer.chosen import Chosen
from indexer.columns import Passages
from indexer.encoder import Vectors
from indexer.growing import NONE, number_of
from indexer.meaning import MeaningLane

Positions = NDArray[np.int64]


class Nearness:
    """Of one query, ``(dimension,)`` float32, unit length.

    ``rows`` say for each of the passages which of the lane's vectors it has; none for a lane that is not plain.
    """

    def __init__(self, lane: MeaningLane, passages: Passages, rows: Positions | None, query: Vectors) -> None:
        self._lane, self._passages, self._query = lane, passages, query
        self._every = None if rows is None else np.append(lane.every_score(query), np.float32(np.nan))[rows]

    def nearest(self, chosen: Chosen, k: int) -> Positions:
        """The positions of the ``k`` nearest passages among those to choose from, in no order."""
        if self._every is None:
            return number_of(self._passages.position_of, self._lane.nearest(self._query, chosen, k))
        scores = self._every[chosen.positions]
        there = np.flatnonzero(~np.isnan(scores))
        if len(there) > k:
            there = there[np.argpartition(scores[there], len(there) - k)[len(there) - k :]]
        return chosen.positions[there]

    def scores(self, positions: Positions) -> Vectors:
        """The inner product of each of these passages, ``(n,)`` float32; none (NaN) where there is no vector yet."""
        if self._every is not None:
            return self._every[positions]
        rows = self._lane.rows(self._passages.keys[positions])
        scores = np.full(len(positions), np.nan, np.float32)
        scores[rows != NONE] = self._lane.scores(self._query, rows[rows != NONE])
        return scores
