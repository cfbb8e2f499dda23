"""For readers and authors: did an article help, and what is wrong with it."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, model_validator
from starlette.exceptions import HTTPException

from indexer.knowledge import KnowledgeObject
from kb_service.access import Sight
from kb_service.api.caller import Base, CallerSight, Records, Who
from kb_service.api.problems import NOT_FOUND
from kb_service.bodies import sees_article
from kb_service.feedback import Fact
from kb_service.hits import article_url
from kb_service.knowledge_base import KnowledgeBase

router = APIRouter(prefix="/api", tags=["feedback"])


class FeedbackBody(BaseModel):
    """What a reader says of an article."""

    article: str = Field(min_length=1, max_length=500, examples=["runbooks/account-lockout"])
    verdict: Literal["helped", "not_helped", "flag"]
    comment: str = Field("", max_length=5_000, description="Needed for a flag: what is wrong.")
    anchor: str = Field("", max_length=500, description="The heading of the paragraph meant.")
    number: str | None = Field(None, max_length=64, description="The incident at hand; of agents only.")

    @model_validator(mode="after")
    def _a_flag_says_why(self) -> "FeedbackBody":
        if self.verdict == "flag" and not self.comment.strip():
            raise ValueError("a flag needs a comment: say what is wrong")
        return self


@router.post("/feedback", summary="Say whether an article helped", status_code=201, responses=NOT_FOUND)
def feedback(base: Base, who: Who, sight: CallerSight, body: FeedbackBody) -> dict[str, Any]:
    """Kept with the revision that the article has now. One voice moves nothing; several do."""
    knowledge = base.searcher.article(body.article, sight)
    if knowledge is None:
        raise HTTPException(404, f"There is no article '{body.article}'.")
    if body.anchor and body.anchor not in {section.anchor for section in knowledge.document.sections}:
        raise HTTPException(422, f"anchor: '{body.anchor}' is no heading of {knowledge.id}.")
    fact = base.feedback.add(
        knowledge.id,
        knowledge.revision,
        body.verdict,
        comment=body.comment.strip(),
        anchor=body.anchor,
        # A requester must not learn which records there are
        number=base.incidents.existing(body.number, sight).incident.number if body.number and sight.within else None,
        caller=who.id,
    )
    return _fact(fact, knowledge)


class ClickBody(BaseModel):
    """An article that was opened from a search."""

    search_id: int = Field(ge=1, le=2**63 - 1)
    article: str = Field(min_length=1, max_length=500)


@router.post("/clicks", summary="Say which article of a search was opened", status_code=201, responses=NOT_FOUND)
def click(base: Base, who: Who, sight: CallerSight, body: ClickBody) -> dict[str, Any]:
    """Kept with the revision that the article has now."""
    knowledge = base.searcher.article(body.article, sight)
    if knowledge is None:
        raise HTTPException(404, f"There is no article '{body.article}'.")
    base.feedback.clicked(body.search_id, knowledge.id, knowledge.revision, who.id)
    return {"search_id": body.search_id, "article": knowledge.id, "revision": knowledge.revision}


@router.get("/flags", summary="What readers flagged", dependencies=[Records])
def flags(
    base: Base,
    sight: CallerSight,
    owner: Annotated[str | None, Query(max_length=200, description="Only of articles with this owner.")] = None,
    article: Annotated[str | None, Query(max_length=500)] = None,
) -> dict[str, Any]:
    """The latest first, for the owners of the articles."""
    ids = base.searcher.catalogue.names_of(article) if article else None
    known = [(fact, base.searcher.catalogue.get(fact.article)) for fact in base.feedback.flags(ids)]
    found = [_fact(fact, now) for fact, now in known if _may_be_told(base, fact, sight)]
    return {"flags": [one for one in found if owner is None or (one["owner"] or "").casefold() == owner.casefold()]}


def _may_be_told(base: KnowledgeBase, fact: Fact, sight: Sight) -> bool:
    """Of an article that one may not read nothing is told, nor of an incident of another's service."""
    if not sees_article(base.searcher.catalogue, fact.article, sight):
        return False
    return fact.number is None or base.incidents.get(fact.number, sight) is not None


def _fact(fact: Fact, now: KnowledgeObject | None) -> dict[str, Any]:
    return {
        "article": now.id if now else fact.article,
        "title": now.title if now else fact.article,
        "owner": now.owner if now else None,
        "url": article_url(now.id, fact.anchor) if now else None,
        "revision": fact.revision,
        "changed_since": now.revision != fact.revision if now else None,
        "verdict": fact.verdict,
        "comment": fact.comment,
        "anchor": fact.anchor,
        "number": fact.number,
        "at": fact.at.isoformat(),
    }
