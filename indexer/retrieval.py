"""What is asked of an index and what it finds: the nouns of retrieval."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from indexer.candidates import Candidates
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
    that of its own; ``codes`` its identifiers. ``vector`` is ``(dimension,)`` float32, None to search by words alone.
    ``owners`` are to be among the candidates whatever the lanes say of them, as far as they may be seen.
    """

    terms: Mapping[str, int]
    codes: Sequence[str] = ()
    vector: Vectors | None = None
    beside: Mapping[str, float] = field(default_factory=dict)
    owners: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """The candidates of a search, unranked; how many owners it could see; how many of them hold each identifier.

    ``asked`` is how many terms the words lane was asked for, ``words_ceiling`` about what an article would score that
    says them all. ``seconds`` are those that each lane took.
    """

    candidates: Candidates
    visible: int
    holders: Mapping[str, int]
    asked: int
    words_ceiling: float
    seconds: Mapping[str, float] = field(default_factory=dict, compare=False)
