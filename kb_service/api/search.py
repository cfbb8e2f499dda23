"""For agents: search, type-ahead, articles, glossary."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.exceptions import HTTPException
from starlette.responses import Response

from indexer.frontmatter import KnowledgeType, Tier
from kb_service import completing, glossary
from kb_service.api.answers import as_it_is
from kb_service.api.caller import Base, CallerSight, Who
from kb_service.api.description import As
from kb_service.api.known_names import KnownParameters
from kb_service.api.problems import NOT_FOUND, RESPONSES
from kb_service.api.search_bodies import CompleteBody, OneTermBody, SearchBody, TermsBody
from kb_service.api.search_threads import on_search_threads
from kb_service.bodies import term_json
from kb_service.hits import article_url
from kb_service.query import MOST_LETTERS, State, filter_of
from kb_service.query import Query as SearchQuery
from kb_service.results import as_json

router = APIRouter(prefix="/api", tags=["knowledge"], dependencies=[KnownParameters], responses=RESPONSES)


Shown = Annotated[
    list[str],
    Query(description="Ids shown already, while typing: they keep their places unless another is better by a margin."),
]


@router.get("/search", summary="Find the right article", response_model=SearchBody)
@on_search_threads
def search(
    base: Base,
    who: Who,
    sight: CallerSight,
    q: Annotated[
        str,
        Query(
            max_length=MOST_LETTERS,
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
    asked = SearchQuery(q, facets, state, sight, limit, offset, shown=tuple(shown), with_facets=with_facets)
    results = base.searcher.search(asked)
    kept = None
    if q.strip() and not offset:
        kept = base.searches.keep("search", q, [hit.id for hit in results.hits], caller=who.id)
    return as_it_is({**as_json(results), "search_id": kept})


@router.get("/complete", summary="Type-ahead", response_model=CompleteBody)
@on_search_threads
def complete(
    base: Base,
    sight: CallerSight,
    q: Annotated[str, Query(max_length=MOST_LETTERS, examples=["password r"])] = "",
    limit: Annotated[int, Query(ge=1, le=20)] = 8,
    shown: Annotated[list[str], Query(description="Completions shown already: they keep their places.")] = [],
) -> Response:
    """Titles, other names and terms that hold the words typed, the last one perhaps only begun. Words lane only."""
    started = time.perf_counter()
    found = completing.complete(base.index, SearchQuery(q, sight=sight, limit=limit, shown=tuple(shown)))
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
def all_terms(base: Base, sight: CallerSight) -> Annotated[dict[str, Any], As(TermsBody)]:
    """Every term of the glossary objects, by name."""
    found = glossary.terms(base.index, filter_of(SearchQuery("", sight=sight)))
    return {"terms": [term_json(one) for one in found], "generation": base.index.generation}


@router.get("/glossary/{term:path}", summary="One term", responses=NOT_FOUND)
def one_term(
    base: Base, sight: CallerSight, term: Annotated[str, Path(examples=["MIR"])]
) -> Annotated[dict[str, Any], As(OneTermBody)]:
    """A term by its abbreviation, its expansion or an alias, whatever the case; other meanings under `others`."""
    found = glossary.lookup(base.index, filter_of(SearchQuery("", sight=sight)), term)
    if not found:
        raise HTTPException(404, f"The glossary has no term '{term}'. GET /api/glossary lists them all.")
    return {**term_json(found[0]), "others": [term_json(other) for other in found[1:]]}
