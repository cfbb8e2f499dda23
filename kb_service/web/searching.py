"""The page to search from: what is new before anything is asked, results while somebody types, gaps that are asked."""

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from indexer.frontmatter import KnowledgeType, Tier
from kb_service.access import Caller, Sight
from kb_service.api.caller import Base, CallerSight, Who
from kb_service.knowledge_base import KnowledgeBase
from kb_service.overview import overview
from kb_service.query import Query as Asked
from kb_service.web.forms import Form
from kb_service.web.page import page

router = APIRouter(include_in_schema=False)

_MOST = 100
Text = Annotated[str, Query(max_length=200_000)]
Chosen = Annotated[list[str], Query(max_length=50)]
Limit = Annotated[int, Query(ge=1, le=_MOST)]


@router.get("/")
def search_page(
    request: Request,
    base: Base,
    who: Who,
    sight: CallerSight,
    q: Text = "",
    type_: Annotated[list[KnowledgeType], Query(alias="type")] = [],
    service: Chosen = [],
    tier: Annotated[list[Tier], Query()] = [],
    tag: Chosen = [],
    limit: Limit = 10,
) -> Response:
    """A search field and what it found."""
    facets = _facets(type=type_, service=service, tier=tier, tag=tag)
    asked = Asked(q, facets, sight=sight, limit=limit, with_facets=True)
    return page(request, "search.html", _found(base, who, sight, asked))


@router.get("/results")
def results(
    request: Request,
    base: Base,
    who: Who,
    sight: CallerSight,
    q: Text = "",
    type_: Annotated[list[KnowledgeType], Query(alias="type")] = [],
    service: Chosen = [],
    tier: Annotated[list[Tier], Query()] = [],
    tag: Chosen = [],
    limit: Limit = 10,
    shown: Annotated[list[str], Query(max_length=_MOST)] = [],
    only: Literal["words"] | None = None,
    continues: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
) -> Response:
    """The part of the page that changes while somebody types, by itself."""
    facets = _facets(type=type_, service=service, tier=tier, tag=tag)
    asked = Asked(
        q, facets, sight=sight, limit=limit, shown=tuple(shown), words_only=only is not None, with_facets=True
    )
    return page(request, "results.html", _found(base, who, sight, asked, continues))


@router.post("/gaps")
def ask_for_an_article(request: Request, base: Base, who: Who, fields: Form) -> Response:
    """What was looked for and not found, for the authors."""
    text = fields.get("text", "").strip()
    if not text:
        return RedirectResponse("/", 303)
    base.gaps.add(text, who.id)
    return page(request, "gap.html", {"text": text})


def _facets(**chosen: list[Any]) -> dict[str, frozenset[str]]:
    return {name: frozenset(values) for name, values in chosen.items() if values}


def _found(
    base: KnowledgeBase, who: Caller, sight: Sight, asked: Asked, continues: int | None = None
) -> dict[str, Any]:
    if not asked.text.strip():
        return {"q": "", "results": None, "overview": overview(base.searcher.catalogue, base.desk, sight)}
    found = base.searcher.search(asked)
    kept = None
    # While somebody types only what is there when they pause was asked
    if not asked.words_only:
        ids = [hit.id for hit in found.hits]
        kept = base.feedback.searched("search", asked.text, ids, caller=who.id, continues=continues)
    more = [("q", asked.text), *((name, value) for name, values in asked.facets.items() for value in sorted(values))]
    return {
        "q": asked.text,
        "results": found,
        "search_id": kept,
        "words_only": asked.words_only,
        "narrowed": sum(map(len, asked.facets.values())),
        "more": f"/?{urlencode([*more, ('limit', min(_MOST, asked.limit + 20))])}",
    }
