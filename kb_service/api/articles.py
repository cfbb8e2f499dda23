"""For readers: an article, as it is and as it was, its revisions, and what changed between two."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from indexer.history import Revision
from indexer.knowledge import KnowledgeObject
from kb_service.access import Sight
from kb_service.api.article_bodies import ArticleBody, DiffBody, HistoryBody, PastArticleBody
from kb_service.api.caller import Base, CallerSight, Who
from kb_service.api.description import As
from kb_service.api.known_names import KnownParameters
from kb_service.api.problems import GONE, NOT_FOUND, RESPONSES
from kb_service.bodies import brief_json
from kb_service.hits import article_url
from kb_service.knowledge_base import KnowledgeBase
from kb_service.past import Version
from kb_service.reading import Reading, read

router = APIRouter(prefix="/api", tags=["knowledge"], dependencies=[KnownParameters], responses=RESPONSES)

Id = Annotated[
    str,
    Path(alias="id", description="The article's id, or one that it once had.", examples=["runbooks/account-lockout"]),
]
When = Annotated[
    str | None,
    Query(
        max_length=64,
        description="A commit, the name of a revision, or a date or time (a date counts to its end, UTC).",
        examples=["2026-05-31"],
    ),
]
_FIELDS = (
    "id", "type", "title", "summary", "workflow_state", "audience", "tier", "services", "tags", "aliases", "owner",
    "responsible", "reviewers", "informed", "valid_from", "valid_to", "review_by", "revision", "created", "updated",
    "path", "body", "extra",
)  # fmt: skip


@router.get("/articles/{id:path}", summary="One article, now or as it was", responses={**NOT_FOUND, **GONE})
def article(
    base: Base, who: Who, sight: CallerSight, id_: Id, at: When = None
) -> Annotated[dict[str, Any], As(ArticleBody | PastArticleBody)]:
    """The object as its author wrote it, safe HTML, contents list, related articles; with `at` as it was then."""
    if at is not None:
        version = base.past().at(id_, at, sight)
        now = base.searcher.article(id_, sight)
        commit = version.revision.commit if version.revision else None
        return {
            **_article(read(base.searcher, version.knowledge, sight, base.text, commit)),
            "live": version.live,
            "at": revision_json(version.revision, sight) if version.revision else None,
            "note": version.note or None,
            "changed_since": now.revision != version.knowledge.revision if now else None,
        }
    knowledge = base.past().article(id_, sight)
    refusals = base.searcher.catalogue.refusals() if who.is_at_least("author") and sight.within else []
    refused = [str(problem) for problem in refusals if problem.path == knowledge.path]
    return {
        **_article(read(base.searcher, knowledge, sight, base.text)),
        "refused": refused,
        **(_incidents(base, knowledge, sight) if sight.within else {}),
    }


@router.get("/history/{id:path}", summary="An article's revisions", responses=NOT_FOUND)
def history(
    base: Base,
    sight: CallerSight,
    id_: Id,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> Annotated[dict[str, Any], As(HistoryBody)]:
    """As git has them, newest first, over renames; of a deleted article too. Requesters see no authors."""
    listed, complete = base.past().revisions(id_, sight)
    live = base.searcher.article(id_, sight)
    return {
        "id": live.id if live else id_,
        "revision": live.revision if live else None,
        "revisions": [revision_json(one, sight) for one in listed[offset : offset + limit]],
        "total": len(listed),
        "complete": complete,
    }


@router.get("/diff/{id:path}", summary="What changed between two revisions", responses=NOT_FOUND)
def diff(
    base: Base,
    sight: CallerSight,
    id_: Id,
    from_: Annotated[When, Query(alias="from")] = None,
    to: When = None,
) -> Annotated[dict[str, Any], As(DiffBody)]:
    """A unified diff of the file; from the revision before the last to the last, unless said otherwise."""
    found = base.past().difference(id_, from_, to, sight)
    return {
        "id": found.after.knowledge.id,
        "title": found.after.knowledge.title,
        "from": _version_json(found.before, sight),
        "to": _version_json(found.after, sight),
        "same": not found.diff,
        "added": found.added,
        "removed": found.removed,
        "diff": found.diff,
    }


def revision_json(revision: Revision, sight: Sight) -> dict[str, Any]:
    """A revision; who made it is for those within."""
    return {
        "revision": revision.blob,
        "commit": revision.commit,
        "at": revision.at,
        # It may be about other files of the commit too
        "subject": revision.subject if sight.within else None,
        "author": revision.author if sight.within else None,
        "email": revision.email if sight.within else None,
        "change": revision.change,
        "path": revision.path,
        "path_before": revision.path_before if revision.change == "renamed" else None,
    }


def _version_json(version: Version, sight: Sight) -> dict[str, Any]:
    made = revision_json(version.revision, sight) if version.revision else {"revision": version.knowledge.revision}
    return {**made, "live": version.live, "note": version.note or None}


def _article(reading: Reading) -> dict[str, Any]:
    knowledge = reading.knowledge
    return {
        **{name: getattr(knowledge, name) for name in _FIELDS},
        "url": article_url(knowledge.id),
        "html": reading.html,
        "contents": [{"level": one.level, "text": one.text, "anchor": one.anchor} for one in reading.contents],
        "related": [{"id": one.id, "title": one.title, "url": one.url, "why": one.why} for one in reading.related],
    }


def _incidents(base: KnowledgeBase, knowledge: KnowledgeObject, sight: Sight) -> dict[str, Any]:
    """The incidents that the article resolved, and open ones that it may resolve."""
    links = base.related.of_article(knowledge, base.searcher.catalogue, sight)
    return {
        "resolved_incidents": [brief_json(one) for one in links.resolved],
        "open_incidents": [brief_json(one) for one in links.open],
    }
