"""Pages for people, server-rendered and without script unless files are watched: search, and an article to read."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.templating import Jinja2Templates
from starlette.exceptions import HTTPException

from kb_service.access import Sight
from kb_service.api.caller import Base, CallerSight
from kb_service.content import MOST_PICTURE_BYTES
from kb_service.hits import article_url
from kb_service.knowledge_base import KnowledgeBase
from kb_service.past import DeletedArticleError, UnknownArticleError, UnknownRevisionError, Version
from kb_service.query import Query as Asked
from kb_service.reading import PICTURE_TYPES, read, shows

router = APIRouter(include_in_schema=False)
TEMPLATES = Jinja2Templates(Path(__file__).parent.parent / "templates")
# Nothing from elsewhere
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# The one script shows an author what was saved
_WATCHED = f"{_POLICY}; script-src 'self'; connect-src 'self'"


def page(request: Request, template: str, context: Mapping[str, Any], status: int = 200) -> HTMLResponse:
    """A page with the headers that belong to it."""
    headers = _headers(_WATCHED if request.app.state.publisher.watches_files else _POLICY)
    session = request.state.session
    if session:
        # The next one at a shared screen must not see by "Back" what was signed out of
        headers["Cache-Control"] = "no-store"
    told = {"caller": request.state.caller, "token": session.token if session else "", **context}
    return TEMPLATES.TemplateResponse(request, template, told, status, headers)


def _headers(policy: str) -> dict[str, str]:
    return {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}


@router.get("/")
def search_page(
    request: Request, base: Base, sight: CallerSight, q: Annotated[str, Query(max_length=200_000)] = ""
) -> HTMLResponse:
    """A search field and what it found."""
    results = base.searcher.search(Asked(q, sight=sight)) if q.strip() else None
    return page(request, "search.html", {"q": q, "results": results})


@router.get("/a/{id:path}")
def article_page(
    request: Request,
    base: Base,
    sight: CallerSight,
    id: str,
    at: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """An article, as it is or as it was."""
    version = _version(base, id, at, sight) if at else None
    if version is not None:
        return _as_it_was(request, base, sight, version)
    try:
        knowledge = base.past().article(id, sight)
    except DeletedArticleError as error:
        deleted = error.tombstone
        url = article_url(deleted.id) if _version(base, id, deleted.revision, sight) else None
        return page(request, "deleted.html", {"deleted": deleted, "url": url}, 410)
    except UnknownArticleError:
        found = base.searcher.search(Asked(id.replace("/", " ").replace("-", " "), sight=sight, limit=5))
        return page(request, "missing.html", {"id": id, "near": found.hits}, 404)
    if knowledge.id != id:
        asked = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(article_url(knowledge.id) + asked, 308)
    reading = read(base.searcher, knowledge, sight)
    links = base.related.of_article(knowledge, base.searcher.catalogue, sight) if sight.within else None
    return page(request, "article.html", {"reading": reading, "links": links, "lost": at is not None})


def _version(base: KnowledgeBase, id_: str, at: str, sight: Sight) -> Version | None:
    """The article as it was then; None where that is not known, so that a reader is shown what is."""
    try:
        return base.past().at(id_, at, sight)
    except (UnknownArticleError, UnknownRevisionError):
        return None


def _as_it_was(request: Request, base: KnowledgeBase, sight: Sight, version: Version) -> Response:
    commit = version.revision.commit if version.revision else None
    context = {
        "reading": read(base.searcher, version.knowledge, sight, commit),
        "links": None,
        "version": version,
        "now": base.searcher.article(version.knowledge.id, sight),
    }
    return page(request, "article.html", context)


@router.get("/media/{path:path}")
def picture(
    base: Base,
    sight: CallerSight,
    path: str,
    at: Annotated[str | None, Query(pattern="^[0-9a-f]{40}$")] = None,
    of: str = "",
) -> Response:
    """A picture that lies in the content, as it is or as a commit has it: for who may read the article ``of`` it."""
    kind = PICTURE_TYPES.get(PurePosixPath(path).suffix.lower())
    version = _version(base, of, at, sight) if at else None
    knowledge = version.knowledge if version else None if at else base.searcher.article(of, sight)
    data = base.picture(path, at) if kind and knowledge and shows(knowledge, path) else None
    if data is None:
        raise HTTPException(404, f"There is no picture '{path}' of {MOST_PICTURE_BYTES >> 20} MiB at most.")
    return Response(data, media_type=kind, headers=_headers(_POLICY))
