"""Figures of many things that belong to a few, reduced group by group: the passages of the owners of an answer."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]
Figures = NDArray[np.float64]
Vectors = NDArray[np.float32]
Mask = NDArray[np.bool_]
# There is no such one in a group
NONE = -1


@dataclass(frozen=True, slots=True)
class Grouped:
    """``values`` lie group by group: ``group`` says of which each is, ``begins`` where each begins. None is empty."""

    values: Positions
    group: Positions
    begins: Positions

    @classmethod
    def of(cls, starts: Positions, ends: Positions, groups: Positions) -> "Grouped":
        """The positions of some groups, of which group ``g`` lies from ``starts[g]`` to before ``ends[g]``."""
        sizes = ends[groups] - starts[groups]
        begins = np.concatenate([[0], np.cumsum(sizes)])[: len(groups)]
        group = np.repeat(np.arange(len(groups)), sizes)
        within = np.arange(len(group)) - begins[group]
        return cls(starts[groups][group] + within, group, begins)

    def most(self, figures: Figures) -> Figures:
        """The highest figure of each group."""
        if not len(self.begins):
            return np.zeros(0, figures.dtype)
        most: Figures = np.maximum.reduceat(figures, self.begins)
        return most

    def sums(self, vectors: Vectors) -> Vectors:
        """The sum of each group, ``(groups, dimension)`` float32; ``vectors`` are ``(values, dimension)``."""
        if not len(self.begins):
            return vectors[:0]
        sums: Vectors = np.add.reduceat(vectors, self.begins, axis=0)
        return sums

    def best(self, figures: Figures) -> Positions:
        """Of each group the value with the highest figure, the first of several."""
        return self.first(figures == self.most(figures)[self.group])

    def first(self, where: Mask) -> Positions:
        """The first value of each group that is marked; NONE where none is."""
        at = np.flatnonzero(where)
        found = np.full(len(self.begins), NONE, np.int64)
        # Written from the last to the first, so that the first stays
        found[self.group[at[::-1]]] = self.values[at[::-1]]
        return found

    def mean(self, figures: Figures, where: Mask) -> Figures:
        """The mean over the marked ones of each group; none (NaN) where there is none."""
        count = np.bincount(self.group, where, len(self.begins))
        total = np.bincount(self.group, np.where(where, figures, 0.0), len(self.begins))
        mean: Figures = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
        return mean
