"""What a search found, one row for each owner: columns, since a query has some five hundred and shows ten of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import overload

import numpy as np
from numpy.typing import NDArray

# No vector is there yet: a figure that is none
_FIGURES = (
    "article_words", "passage_words", "title_words", "title_share", "said", "passage_meaning", "title_meaning",
    "mean_meaning",
)  # fmt: skip
_MEANINGS = _FIGURES[-3:]
_KEYS = ("words_passage", "meaning_passage", "lead")
# As it stands in a column where there is no such passage; keys begin at 1
NO_KEY = -1
_NAMES = (*_FIGURES, *_KEYS, "in_window")
ROWS = np.dtype([*((name, "f8") for name in _FIGURES), *((name, "i8") for name in _KEYS), ("in_window", "?")])


@dataclass(frozen=True, slots=True)
class Candidate:
    """One owner and how each lane scores it.

    Words are BM25 sums; ``title_share`` is how much of its best name the query says, 0..1, ``said`` how many of the
    query's terms it says. Meanings are inner products (of its best passage, its best name, and the mean over its
    passages), None where no vector is there yet. The two passage keys are of its best passage by words and by meaning,
    ``lead`` is its first one; ``exact`` are the query's identifiers that it holds, ``named`` those of them that are
    the whole of one of its names; ``in_window`` says that it is valid for a limited time only.
    """

    owner_id: str
    article_words: float = 0.0
    passage_words: float = 0.0
    title_words: float = 0.0
    title_share: float = 0.0
    said: int = 0
    passage_meaning: float | None = None
    title_meaning: float | None = None
    mean_meaning: float | None = None
    words_passage: int | None = None
    meaning_passage: int | None = None
    lead: int | None = None
    exact: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    in_window: bool = False


class Candidates(Sequence[Candidate]):
    """Immutable. ``exact`` and ``named`` are by row, for the few rows that have any."""

    def __init__(
        self,
        owner_ids: Sequence[str],
        rows: NDArray[np.void],
        exact: Mapping[int, tuple[str, ...]],
        named: Mapping[int, tuple[str, ...]],
        places: NDArray[np.int64],
    ) -> None:
        """``rows`` are of the type ``ROWS``, one for each of the ids; ``places`` are where the snapshot has them."""
        self.owner_ids, self.exact, self.named, self.places = owner_ids, exact, named, places
        self._rows = rows

    @classmethod
    def of(cls, candidates: Iterable[Candidate]) -> "Candidates":
        """The same, in columns."""
        every = list(candidates)
        rows = np.zeros(len(every), ROWS)
        for name in _NAMES:
            missing = NO_KEY if name in _KEYS else np.nan
            values = (getattr(one, name) for one in every)
            rows[name] = [missing if value is None else value for value in values]
        exact, named = (
            {row: codes for row, one in enumerate(every) if (codes := getattr(one, name))}
            for name in ("exact", "named")
        )
        return cls([one.owner_id for one in every], rows, exact, named, np.arange(len(every)))

    def figures(self, name: str) -> NDArray[np.float64]:
        """A column of figures, ``(n,)``; what is not known is none."""
        column: NDArray[np.float64] = self._rows[name]
        return np.where(np.isnan(column), 0.0, column) if name in _MEANINGS else column

    def known(self, name: str) -> NDArray[np.bool_]:
        """Which rows have a figure in that column."""
        known: NDArray[np.bool_] = ~np.isnan(self._rows[name])
        return known

    @property
    def have_meaning(self) -> NDArray[np.bool_]:
        """Which rows have any vector yet."""
        return self.known("passage_meaning") | self.known("title_meaning")

    @property
    def in_window(self) -> NDArray[np.bool_]:
        """Which rows are valid for a limited time only."""
        in_window: NDArray[np.bool_] = self._rows["in_window"]
        return in_window

    def __len__(self) -> int:
        return len(self.owner_ids)

    @overload
    def __getitem__(self, at: int) -> Candidate: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Candidate, ...]: ...
    def __getitem__(self, at: int | slice) -> Candidate | tuple[Candidate, ...]:
        if isinstance(at, slice):
            return tuple(self[row] for row in range(len(self))[at])
        row = range(len(self))[at]
        values = dict(zip(_NAMES, self._rows[row].item(), strict=True))
        for name in _KEYS:
            if values[name] == NO_KEY:
                values[name] = None
        for name in _MEANINGS:
            if isnan(values[name]):
                values[name] = None
        values["said"] = int(values["said"])
        return Candidate(self.owner_ids[row], **values, exact=self.exact.get(row, ()), named=self.named.get(row, ()))
