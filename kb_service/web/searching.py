"""The page to search from: what is new before anything is asked, results while somebody types, gaps that are asked."""

from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from indexer.frontmatter import KnowledgeType, Tier
from kb_service.access import Caller
from kb_service.api.caller import Base, CallerSight, Who
from kb_service.api.search_threads import on_search_threads
from kb_service.knowledge_base import KnowledgeBase
from kb_service.overview import overview
from kb_service.query import MOST_LETTERS
from kb_service.query import Query as SearchQuery
from kb_service.web.forms import Form
from kb_service.web.page import MOST_IN_ADDRESS, page, page_in_parts

router = APIRouter(include_in_schema=False)

_MOST = 100
Text = Annotated[str, Query(max_length=MOST_LETTERS)]
Chosen = Annotated[list[str], Query(max_length=50)]


def asked(
    sight: CallerSight,
    q: Text = "",
    type_: Annotated[list[KnowledgeType], Query(alias="type")] = [],
    service: Chosen = [],
    tier: Annotated[list[Tier], Query()] = [],
    tag: Chosen = [],
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 10,
) -> SearchQuery:
    """What the address of a page asks for."""
    given: dict[str, list[Any]] = {"type": type_, "service": service, "tier": tier, "tag": tag}
    facets = {name: frozenset(values) for name, values in given.items() if values}
    return SearchQuery(q, facets, sight=sight, limit=limit, with_facets=True)


AskedFor = Annotated[SearchQuery, Depends(asked)]


def typed(
    asked: AskedFor,
    shown: Annotated[list[str], Query(max_length=_MOST)] = [],
    only: Literal["words"] | None = None,
) -> SearchQuery:
    """What is asked for while somebody types."""
    return replace(asked, shown=tuple(shown), words_only=only is not None)


Typed = Annotated[SearchQuery, Depends(typed)]
Continued = Annotated[int | None, Query(alias="continues", ge=1, le=2**63 - 1)]


@router.get("/")
def search_page(request: Request, base: Base, who: Who, asked: AskedFor) -> Response:
    """A search field and what it found; the field is there before anything is looked for."""
    if asked.text.strip():
        base.searcher.published()
    head = {"q": asked.text if asked.text.strip() else ""}
    return page_in_parts(request, "search.html", head, "results.html", lambda: _found(base, who, asked))


@router.get("/results")
@on_search_threads
def results(request: Request, base: Base, who: Who, typed: Typed, continued: Continued = None) -> Response:
    """The part of the page that changes while somebody types, by itself."""
    return page(request, "results.html", _found(base, who, typed, continued))


@router.post("/results")
@on_search_threads
def results_of_long(
    request: Request, base: Base, who: Who, typed: Typed, fields: Form, continued: Continued = None
) -> Response:
    """The same for a text too long for an address, where what a ticket says does not belong either."""
    asked = replace(typed, text=fields.get("q", "")[:MOST_LETTERS])
    return page(request, "results.html", _found(base, who, asked, continued))


@router.post("/gaps")
def ask_for_an_article(request: Request, base: Base, who: Who, fields: Form) -> Response:
    """What was looked for and not found, for the authors."""
    text = fields.get("text", "").strip()
    if not text:
        return RedirectResponse("/", 303)
    base.gaps.add(text, who.id)
    return page(request, "gap.html", {"text": text})


def _found(base: KnowledgeBase, who: Caller, asked: SearchQuery, continues: int | None = None) -> dict[str, Any]:
    if not asked.text.strip():
        return {"q": "", "results": None, "overview": overview(base.searcher.catalogue, base.desk, asked.sight)}
    found = base.searcher.search(asked)
    # An agent may type the number of a ticket here as well
    sees_records = who.is_at_least("agent") and asked.sight.within
    record = base.incidents.named(asked.text, asked.sight) if sees_records else None
    kept = None
    # While somebody types only what is there when they pause was asked
    if not asked.words_only:
        ids = [hit.id for hit in found.hits]
        kept = base.searches.keep("search", asked.text, ids, caller=who.id, continues=continues)
    return {
        "q": asked.text,
        "results": found,
        "record": record,
        "search_id": kept,
        "words_only": asked.words_only,
        "is_long": len(asked.text) > MOST_IN_ADDRESS,
        "narrowed": sum(map(len, asked.facets.values())),
        "more": min(_MOST, asked.limit + 20),
    }
