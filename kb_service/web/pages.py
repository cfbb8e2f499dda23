"""Pages for people, server-rendered and without script: search, and an article to read."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from fastapi.templating import Jinja2Templates
from starlette.exceptions import HTTPException

from kb_service.api.caller import Base, CallerAudience
from kb_service.hits import article_url
from kb_service.query import Query as Asked
from kb_service.reading import PICTURE_TYPES, read

router = APIRouter(include_in_schema=False)
TEMPLATES = Jinja2Templates(Path(__file__).parent.parent / "templates")
# No script at all, and nothing from elsewhere
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
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
def article_page(request: Request, base: Base, audience: CallerAudience, id: str) -> Response:
    """An article."""
    knowledge = base.searcher.article(id, audience)
    if knowledge is None:
        found = base.searcher.search(Asked(id.replace("/", " ").replace("-", " "), audience=audience, limit=5))
        context = {"id": id, "near": found.hits}
        return TEMPLATES.TemplateResponse(request, "missing.html", context, status_code=404, headers=HEADERS)
    if knowledge.id != id:
        return RedirectResponse(article_url(knowledge.id), 308)
    reading = read(base.searcher, knowledge, audience)
    links = base.related.of_article(knowledge, base.searcher.catalogue) if audience != "public" else None
    return TEMPLATES.TemplateResponse(request, "article.html", {"reading": reading, "links": links}, headers=HEADERS)


@router.get("/media/{path:path}")
def picture(base: Base, path: str) -> Response:
    """A picture that lies in the content."""
    root = base.settings.content.resolve()
    asked = root / path
    kind = PICTURE_TYPES.get(asked.suffix.lower())
    hidden = any(part.startswith(".") for part in Path(path).parts)
    if kind is None or hidden or asked.resolve() != asked or not asked.is_relative_to(root) or not asked.is_file():
        raise HTTPException(404, f"There is no picture '{path}'.")
    return FileResponse(asked, media_type=kind, headers=HEADERS)
