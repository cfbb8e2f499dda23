"""For agents: search, type-ahead, articles, glossary."""

import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from indexer.frontmatter import KnowledgeType, Tier
from kb_service import completing, glossary
from kb_service.api.answers import as_it_is
from kb_service.api.caller import Base, CallerSight, Who
from kb_service.api.crew import by_the_crew
from kb_service.api.problems import NOT_FOUND
from kb_service.bodies import term_json
from kb_service.confidence import Confidence
from kb_service.hits import ReasonLane, article_url
from kb_service.query import Query as Asked
from kb_service.query import State, filter_of
from kb_service.search import as_json

router = APIRouter(prefix="/api", tags=["knowledge"])

_MOST_LETTERS = 200_000


class ReasonBody(BaseModel):
    """Why a hit is there."""

    lane: ReasonLane = Field(examples=["meaning"])
    text: str = Field(examples=["meaning: section 'Steps'"])
    score: float = Field(description="The lane's own figure: a cosine for meaning, a BM25 sum for words.")
    words: list[str] = Field(description="The words of the query that matched.")


class HitBody(BaseModel):
    """One article that answers."""

    id: str = Field(examples=["runbooks/check-port"])
    title: str
    type: KnowledgeType
    url: str = Field(description="Where it is read, at the passage that matched.")
    anchor: str = Field(description="The heading of the passage that matched; empty at the top.")
    snippet: str = Field(description="Escaped HTML; words of the query stand in `<mark>`.")
    score: float = Field(description="Orders the hits of one answer; not to be compared between queries.")
    confidence: Confidence
    probability: float = Field(description="How likely it answers, 0 to 1; the confidence is its band.")
    reasons: list[ReasonBody]
    parts: dict[str, float] = Field(description="What the score is the sum of.")
    heading_path: list[str]
    tier: Tier | None
    services: list[str]


class ChangeBody(BaseModel):
    """A word of the query that is read as another."""

    typed: str
    meant: str
    kind: Literal["typo", "begun"]


class ExpansionBody(BaseModel):
    """A term of the glossary that the query says, and what else it is called: several names mean it is ambiguous."""

    said: str = Field(examples=["MIR"])
    names: list[str] = Field(examples=[["major incident response"]])


class UnderstoodBody(BaseModel):
    """How the query was read."""

    text: str = Field(description="The query with mistyped and half-written words mended.")
    changes: list[ChangeBody]
    expansions: list[ExpansionBody]
    relaxed: bool = Field(description="No article has all of the words, so those with most of them are shown.")
    notes: list[str] = Field(description="The same in sentences, to be shown.")


class FacetValueBody(BaseModel):
    """A value of a facet, and how many hits have it."""

    value: str
    count: int


class SearchBody(BaseModel):
    """An answer to a search."""

    query: str
    hits: list[HitBody]
    total: int
    understood: UnderstoodBody
    facets: dict[str, list[FacetValueBody]] = Field(
        description="With `facets=true`: what the hits can be narrowed by. Each is counted as if nothing of it was"
        " chosen."
    )
    generation: int = Field(description="Rises with every publish.")
    search_id: int | None = Field(None, description="For POST /api/clicks: which article was opened.")
    encoded: float = Field(description="The share of passages that can be found by meaning yet, 0 to 1.")
    took_ms: float


class CompletionBody(BaseModel):
    """A name that goes on from what is typed."""

    text: str
    id: str
    url: str


class CompleteBody(BaseModel):
    """An answer to type-ahead."""

    query: str
    completions: list[CompletionBody]
    note: str = Field(description="What else than typed was looked for, and why; empty where it was not needed.")
    generation: int
    took_ms: float


Shown = Annotated[
    list[str],
    Query(description="Ids shown already, while typing: they keep their places unless another is better by a margin."),
]


@router.get("/search", summary="Find the right article", response_model=SearchBody)
@by_the_crew
def search(
    base: Base,
    who: Who,
    sight: CallerSight,
    q: Annotated[
        str,
        Query(
            max_length=_MOST_LETTERS,
            description="Any text: words, a question, an error code, a pasted log.",
            openapi_examples={
                "question": {"value": "who declares a major incident"},
                "error code": {"value": "0x80070005"},
                "symptom": {"value": "user cannot log in after password change"},
            },
        ),
    ] = "",
    type_: Annotated[list[KnowledgeType], Query(alias="type", description="Any of these types.")] = [],
    service: Annotated[list[str], Query(description="Any of these services.")] = [],
    tag: Annotated[list[str], Query(description="Any of these tags.")] = [],
    tier: Annotated[list[Tier], Query(description="Any of these tiers.")] = [],
    state: Annotated[
        State, Query(description="`published` and within its dates, unless asked otherwise.")
    ] = "published",
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
    offset: Annotated[int, Query(ge=0, le=10_000)] = 0,
    shown: Shown = [],
    with_facets: Annotated[bool, Query(alias="facets", description="Count the hits by their facets.")] = False,
) -> Response:
    """Articles by words, by meaning and by exact identifiers, each with its reasons and the passage that matched."""
    given: dict[str, list[Any]] = {"type": type_, "service": service, "tag": tag, "tier": tier}
    facets = {name: frozenset(values) for name, values in given.items() if values}
    asked = Asked(q, facets, state, sight, limit, offset, shown=tuple(shown), with_facets=with_facets)
    results = base.searcher.search(asked)
    kept = None
    if q.strip() and not offset:
        kept = base.feedback.searched("search", q, [hit.id for hit in results.hits], caller=who.id)
    return as_it_is({**as_json(results), "search_id": kept})


@router.get("/complete", summary="Type-ahead", response_model=CompleteBody)
@by_the_crew
def complete(
    base: Base,
    sight: CallerSight,
    q: Annotated[str, Query(max_length=_MOST_LETTERS, examples=["password r"])] = "",
    limit: Annotated[int, Query(ge=1, le=20)] = 8,
    shown: Annotated[list[str], Query(description="Completions shown already: they keep their places.")] = [],
) -> Response:
    """Titles, other names and terms that hold the words typed, the last one perhaps only begun. Words lane only."""
    started = time.perf_counter()
    found = completing.complete(base.index, Asked(q, sight=sight, limit=limit, shown=tuple(shown)))
    return as_it_is(
        {
            "query": q,
            "completions": [{"text": text, "id": owner, "url": article_url(owner)} for text, owner in found.names],
            "note": found.note,
            "generation": found.generation,
            "took_ms": round((time.perf_counter() - started) * 1000, 2),
        }
    )


@router.get("/glossary", summary="All terms")
def all_terms(base: Base, sight: CallerSight) -> dict[str, Any]:
    """Every term of the glossary objects, by name."""
    found = glossary.terms(base.index, filter_of(Asked("", sight=sight)))
    return {"terms": [term_json(one) for one in found], "generation": base.index.generation}


@router.get("/glossary/{term:path}", summary="One term", responses=NOT_FOUND)
def one_term(base: Base, sight: CallerSight, term: str) -> dict[str, Any]:
    """A term by its abbreviation, its expansion or an alias, whatever the case; other meanings under `others`."""
    found = glossary.lookup(base.index, filter_of(Asked("", sight=sight)), term)
    if not found:
        raise HTTPException(404, f"The glossary has no term '{term}'. GET /api/glossary lists them all.")
    return {**term_json(found[0]), "others": [term_json(other) for other in found[1:]]}
