"""Pages for people, server-rendered and without script: search, and an article to read."""

from pathlib import Path, PurePosixPath
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.templating import Jinja2Templates
from starlette.exceptions import HTTPException

from indexer.frontmatter import Audience
from kb_service.api.caller import Base, CallerAudience
from kb_service.hits import article_url
from kb_service.knowledge_base import KnowledgeBase
from kb_service.past import UnknownArticleError, UnknownRevisionError, Version
from kb_service.query import Query as Asked
from kb_service.query import visible_to
from kb_service.reading import PICTURE_TYPES, read

router = APIRouter(include_in_schema=False)
TEMPLATES = Jinja2Templates(Path(__file__).parent.parent / "templates")
# Nothing from elsewhere; the one script shows an author what was saved
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}


@router.get("/")
def search_page(
    request: Request, base: Base, audience: CallerAudience, q: Annotated[str, Query(max_length=200_000)] = ""
) -> HTMLResponse:
    """A search field and what it found."""
    results = base.searcher.search(Asked(q, audience=audience)) if q.strip() else None
    return TEMPLATES.TemplateResponse(request, "search.html", {"q": q, "results": results}, headers=HEADERS)


@router.get("/a/{id:path}")
def article_page(
    request: Request,
    base: Base,
    audience: CallerAudience,
    id: str,
    at: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """An article, as it is or as it was."""
    version = _version(base, id, at, audience) if at else None
    if version is not None:
        return _as_it_was(request, base, audience, version)
    knowledge = base.searcher.article(id, audience)
    if knowledge is None:
        deleted = base.searcher.catalogue.tombstone(id)
        if deleted is not None and deleted.audience in visible_to(audience):
            kept = _version(base, id, deleted.revision, audience)
            told = {"deleted": deleted, "url": article_url(deleted.id) if kept else None}
            return TEMPLATES.TemplateResponse(request, "deleted.html", told, status_code=410, headers=HEADERS)
        found = base.searcher.search(Asked(id.replace("/", " ").replace("-", " "), audience=audience, limit=5))
        near = {"id": id, "near": found.hits}
        return TEMPLATES.TemplateResponse(request, "missing.html", near, status_code=404, headers=HEADERS)
    if knowledge.id != id:
        return RedirectResponse(article_url(knowledge.id), 308)
    reading = read(base.searcher, knowledge, audience)
    links = base.related.of_article(knowledge, base.searcher.catalogue) if audience != "public" else None
    context = {"reading": reading, "links": links, "lost": at is not None}
    return TEMPLATES.TemplateResponse(request, "article.html", context, headers=HEADERS)


def _version(base: KnowledgeBase, id_: str, at: str, audience: Audience) -> Version | None:
    """The article as it was then; None where that is not known, so that a reader is shown what is."""
    try:
        return base.past().at(id_, at, audience)
    except (UnknownArticleError, UnknownRevisionError):
        return None


def _as_it_was(request: Request, base: KnowledgeBase, audience: Audience, version: Version) -> Response:
    commit = version.revision.commit if version.revision else None
    context = {
        "reading": read(base.searcher, version.knowledge, audience, commit),
        "links": None,
        "version": version,
        "now": base.searcher.article(version.knowledge.id, audience),
    }
    return TEMPLATES.TemplateResponse(request, "article.html", context, headers=HEADERS)


@router.get("/media/{path:path}")
def picture(base: Base, path: str, at: Annotated[str | None, Query(pattern="^[0-9a-f]{40}$")] = None) -> Response:
    """A picture that lies in the content, as it is or as a commit has it."""
    kind = PICTURE_TYPES.get(PurePosixPath(path).suffix.lower())
    data = base.picture(path, at) if kind else None
    if data is None:
        raise HTTPException(404, f"There is no picture '{path}'.")
    return Response(data, media_type=kind, headers=HEADERS)
