"""A query and what its caller may see of the answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from indexer.catalogue import in_force
from indexer.frontmatter import FrontMatter
from indexer.knowledge import KnowledgeObject
from indexer.retrieval import Filter, Validity
from kb_service.access import INTERNAL, Sight

# Of a query; of longer texts the rest says nothing that is needed to find an article
MOST_LETTERS = 200_000
State = Literal["published", "draft", "review", "retired", "scheduled", "expired", "any"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """How much incidents like this one speak for an article, 0..1, and their numbers.

    Those that it resolved, and those that it is only attached to.
    """

    weight: float
    resolved: tuple[str, ...] = ()
    attached: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked: a text, facets to filter by (any of the values of each), who asks, and which page of hits.

    ``exclude`` are ids that must not be found, such as the record whose like are asked for. ``shown`` are the ids that
    the asker sees already, while typing: they keep their places unless something is better by a margin. What has one
    of the facets of ``prefer`` goes before what is as good; ``evidence`` speaks for some articles, by id.
    ``words_only`` leaves meaning out, where there is too little to mean anything. ``with_facets`` counts them.
    """

    text: str
    facets: Mapping[str, frozenset[str]] = field(default_factory=dict)
    state: State = "published"
    sight: Sight = INTERNAL
    limit: int = 10
    offset: int = 0
    exclude: frozenset[str] = frozenset()
    shown: tuple[str, ...] = ()
    prefer: Mapping[str, str] = field(default_factory=dict)
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    words_only: bool = False
    with_facets: bool = False

    def __post_init__(self) -> None:
        # What a shell or a browser could not decode is no text that SQLite takes
        object.__setattr__(self, "text", self.text.encode("utf-8", "replace").decode())


def may_read(knowledge: KnowledgeObject | FrontMatter, sight: Sight) -> bool:
    """Whether one who sees so much may open it: requesters only what is published and within its dates."""
    return sight.sees(knowledge.audience, knowledge.groups, knowledge.services) and (
        sight.within or in_force(knowledge, datetime.now(UTC))
    )


def filter_of(query: Query) -> Filter:
    """The index's filter for a query. Requesters never see what is not published."""
    state = query.state if query.sight.within else "published"
    validity: Validity = state if state in {"scheduled", "expired", "any"} else "current"
    facets = dict(query.facets)
    if state in {"published", "scheduled", "expired"}:
        facets["state"] = frozenset({"published"})
    elif state != "any":
        facets["state"], validity = frozenset({state}), "any"
    return Filter(
        query.sight.audiences, datetime.now(UTC), facets, validity, query.exclude, services=query.sight.services
    )
