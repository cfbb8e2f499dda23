"""Figures of the few places out of many that a query has to do with."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]
Figures = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sparse:
    """``places`` in rising order, each once, and the figure of each; of all others it is nought."""

    places: Places
    figures: Figures

    def at(self, wanted: Places) -> Figures:
        """The figures of some places, ``(n,)``."""
        if not len(self.places):
            return np.zeros(len(wanted))
        rows = np.minimum(np.searchsorted(self.places, wanted), len(self.places) - 1)
        return np.where(self.places[rows] == wanted, self.figures[rows], 0.0)

    def without(self, places: Places) -> "Sparse":
        """The same but for some places."""
        stays = ~np.isin(self.places, places)
        return Sparse(self.places[stays], self.figures[stays])

    def best(self, most: int) -> Places:
        """Where the highest figures are; all that tie with the last one, so that the cut depends on no order."""
        if len(self.places) <= most:
            return self.places
        least = np.partition(self.figures, len(self.figures) - most)[len(self.figures) - most]
        kept: Places = self.places[self.figures >= least]
        return kept


@dataclass(frozen=True, slots=True)
class Summing:
    """Several figures of each of some places, to be summed up."""

    places: Places
    _order: Places
    _first: Places

    @classmethod
    def of(cls, places: Places) -> "Summing":
        """``places`` are those of the figures, runs of rising ones: to put such in order takes one pass over them."""
        order = np.argsort(places, kind="stable")
        ordered = places[order]
        first = np.flatnonzero(np.diff(ordered, prepend=-1))
        return cls(ordered[first], order, first)

    def sums(self, figures: NDArray[np.float64 | np.float32 | np.bool_]) -> Sparse:
        """The sum of the figures, ``(n,)``, of each place."""
        if not len(self._first):
            return Sparse(self.places, np.zeros(0))
        return Sparse(self.places, np.add.reduceat(figures[self._order], self._first, dtype=np.float64))
