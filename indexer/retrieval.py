"""What is asked of an index and what it finds: the nouns of retrieval."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from indexer.encoder import Vectors

Validity = Literal["current", "scheduled", "expired", "any"]


@dataclass(frozen=True, slots=True)
class Owner:
    """What passages belong to: an article or a record, with everything it can be filtered by.

    Who is of any one of its ``audiences`` may see it.
    """

    id: str
    audiences: frozenset[str]
    facets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    valid_from: datetime | None = None
    valid_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """What a search may see: what is of one of the ``audiences``.

    Of ``services``, if given, it sees what concerns one of them or none at all. Every facet must have one of its
    values, ``validity`` is judged at the moment ``at``.
    """

    audiences: frozenset[str]
    at: datetime
    facets: Mapping[str, frozenset[str]] = field(default_factory=dict)
    validity: Validity = "current"
    exclude: frozenset[str] = frozenset()
    services: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A query as the lanes take it.

    ``terms`` are its own with how often each is said; ``beside`` what it does not say but may mean, with weights below
    that of its own; ``codes`` its identifiers; ``vector`` is ``(dimension,)`` float32, None to search by words alone.
    ``owners`` are to be among the candidates whatever the lanes say of them, as far as they may be seen.
    """

    terms: Mapping[str, int]
    codes: Sequence[str] = ()
    vector: Vectors | None = None
    beside: Mapping[str, float] = field(default_factory=dict)
    owners: Collection[str] = ()


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


@dataclass(frozen=True, slots=True)
class Found:
    """The candidates of a search, unranked; how many owners it could see; how many of them hold each identifier.

    ``asked`` is how many terms the words lane was asked for, ``words_ceiling`` about what an article would score that
    says them all.
    """

    candidates: tuple[Candidate, ...]
    visible: int
    holders: Mapping[str, int]
    asked: int
    words_ceiling: float
