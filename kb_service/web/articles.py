"""The page of an article, as it is and as it was, and the pictures in it."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, cast

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from indexer.knowledge import KnowledgeObject
from kb_service.access import Caller, Sight
from kb_service.api.caller import Base, CallerSight, Who
from kb_service.content import MOST_FILE_BYTES, repository
from kb_service.edit_links import edit_url
from kb_service.feedback import Verdict
from kb_service.hits import article_url
from kb_service.knowledge_base import KnowledgeBase
from kb_service.media import kind_of, shows
from kb_service.past import DeletedArticleError, UnknownArticleError, Version
from kb_service.placeholders import text_fields
from kb_service.query import Query as SearchQuery
from kb_service.reading import read
from kb_service.tooltips import with_tooltips
from kb_service.web.files import ranged
from kb_service.web.forms import Form, article_fields
from kb_service.web.page import below, page

router = APIRouter(include_in_schema=False)

_MOST_COMMENT = 5_000
_THANKS: Mapping[str, str] = {
    "helped": "Thank you. It counts for the next one who asks.",
    "not_helped": "Thank you. It counts for the next one who asks. If something is wrong in it, flag it below.",
    "flag": "Thank you. The owner sees what you wrote.",
}


@router.get("/a/{id:path}")
def article_page(
    request: Request,
    base: Base,
    who: Who,
    sight: CallerSight,
    id: str,
    at: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """An article, as it is or as it was."""
    version = base.past().known_at(id, at, sight) if at else None
    if version is not None:
        return _shown(request, base, who, sight, version.knowledge, version)
    try:
        knowledge = base.past().article(id, sight)
    except DeletedArticleError as error:
        deleted = error.tombstone
        url = article_url(deleted.id) if base.past().known_at(id, deleted.revision, sight) else None
        return page(request, "deleted.html", {"deleted": deleted, "url": url}, 410)
    except UnknownArticleError:
        # By its own name: of the folders that it is said to be in all articles there would be like it
        name = id.rstrip("/").rpartition("/")[2].replace("-", " ")
        found = base.searcher.search(SearchQuery(name, sight=sight, limit=5))
        return page(request, "missing.html", {"id": id, "near": found.hits}, 404)
    if knowledge.id != id:
        asked = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(article_url(knowledge.id) + asked, 308)
    return _shown(request, base, who, sight, knowledge, lost=at is not None)


@router.post("/feedback")
def say(base: Base, who: Who, sight: CallerSight, fields: Form) -> Response:
    """What a reader says of an article; back to it, where it was said."""
    knowledge = base.searcher.article(fields.get("article", ""), sight)
    if knowledge is None:
        raise UnknownArticleError(fields.get("article", ""))
    verdict, comment, anchor = (fields.get(name, "").strip() for name in ("verdict", "comment", "anchor"))
    known = {section.anchor for section in knowledge.document.sections}
    if verdict not in _THANKS or (verdict == "flag" and not comment) or (anchor and anchor not in known):
        raise HTTPException(422, "Say whether it helped, or what is wrong in which part of it.")
    base.feedback.add(
        knowledge.id,
        knowledge.revision,
        cast(Verdict, verdict),
        comment=comment[:_MOST_COMMENT] if verdict == "flag" else "",
        anchor=anchor,
        caller=who.id,
    )
    return RedirectResponse(f"{article_url(knowledge.id)}?thanks={verdict}", 303)


@router.post("/fill/{id:path}")
def fill(request: Request, base: Base, who: Who, sight: CallerSight, id: str, fields: Form) -> Response:
    """A template with its fields filled in, which are kept nowhere."""
    knowledge = base.searcher.article(id, sight)
    if knowledge is None:
        raise UnknownArticleError(id)
    return _shown(request, base, who, sight, knowledge, values=article_fields(fields))


def _shown(
    request: Request,
    base: KnowledgeBase,
    who: Caller,
    sight: Sight,
    knowledge: KnowledgeObject,
    version: Version | None = None,
    *,
    lost: bool = False,
    values: Mapping[str, str] | None = None,
) -> Response:
    commit = version.revision.commit if version and version.revision else None
    reading = read(base.searcher, knowledge, sight, base.text, commit, values or {})
    is_live = version is None or version.live
    links = base.related.of_article(knowledge, base.searcher.catalogue, sight) if sight.within and is_live else None
    context = {
        "reading": reading,
        "html": below(base.settings.root, with_tooltips(reading.html, base.searcher.lexicon(sight), knowledge.id)),
        "links": links,
        "warnings": list(_warnings(base, who, knowledge)) if is_live else [],
        "lost": lost,
        "thanks": _THANKS.get(request.query_params.get("thanks", "")),
        "edit_url": edit_url(base.settings, knowledge.path) if sight.within and is_live else None,
        "has_past": repository(base.settings) is not None,
        "can_run": knowledge.type == "runbook" and sight.within and is_live,
        "runs": base.runs.open_by(who.id, knowledge.id) if sight.within and not who.is_shared else [],
        "names": text_fields(knowledge.document) if knowledge.type == "template" else (),
        "values": values or {},
        "version": version,
        "now": base.searcher.article(knowledge.id, sight),
    }
    return page(request, "article.html", context)


def _warnings(base: KnowledgeBase, who: Caller, knowledge: KnowledgeObject) -> Iterator[str]:
    """Why not to trust it as it stands; to authors also why it is not what its file says by now."""
    now = datetime.now(UTC)
    for problem in base.searcher.catalogue.refusals() if who.is_at_least("author") else ():
        if problem.path == knowledge.path:
            yield f"This is the last good version. What the file says now is refused: {problem}"
    if knowledge.workflow_state != "published":
        yield f"This is not published: {knowledge.workflow_state}."
    if knowledge.valid_from and knowledge.valid_from > now:
        yield f"It holds only from {knowledge.valid_from.date()} on."
    if knowledge.valid_to and knowledge.valid_to < now:
        yield f"It held until {knowledge.valid_to.date()}."
    if knowledge.review_by and knowledge.review_by < now.date():
        owner = f" by its owner, {knowledge.owner}" if knowledge.owner else ""
        yield f"It should have been looked at again{owner} by {knowledge.review_by}: it may be out of date."


@router.get("/media/{path:path}")
def media(
    request: Request,
    base: Base,
    sight: CallerSight,
    path: str,
    at: Annotated[str | None, Query(pattern="^[0-9a-f]{40}$")] = None,
    of: str = "",
) -> Response:
    """A picture, a video or its captions, as it is or as a commit has it: for who may read the article ``of`` it."""
    kind = kind_of(path)
    version = base.past().known_at(of, at, sight) if at else None
    knowledge = version.knowledge if version else None if at else base.searcher.article(of, sight)
    data = base.file(path, at) if kind and knowledge and shows(knowledge, path) else None
    if kind is None or data is None:
        raise HTTPException(404, f"There is no file '{path}' of {MOST_FILE_BYTES >> 20} MiB at most.")
    return ranged(data, kind, request.headers.get("range", ""))
