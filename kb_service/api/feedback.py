"""For readers and authors: did an article help, what is wrong with it, and which one is missing."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, model_validator
from starlette.exceptions import HTTPException

from kb_service.api.caller import Authors, Base, CallerSight, Records, Who
from kb_service.api.problems import NOT_FOUND
from kb_service.flags import fact_json, flags
from kb_service.gaps import MOST_LETTERS

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
    return fact_json(fact, knowledge)


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
def flagged(
    base: Base,
    sight: CallerSight,
    owner: Annotated[str | None, Query(max_length=200, description="Only of articles with this owner.")] = None,
    article: Annotated[str | None, Query(max_length=500)] = None,
) -> dict[str, Any]:
    """The latest first, for the owners of the articles."""
    found = flags(base, sight, article)
    return {"flags": [one for one in found if owner is None or (one["owner"] or "").casefold() == owner.casefold()]}


class GapBody(BaseModel):
    """What was looked for and not found."""

    text: str = Field(min_length=1, max_length=MOST_LETTERS, examples=["fax machine prints only black pages"])


@router.post("/gaps", summary="Ask for an article", status_code=201)
def ask_for_an_article(base: Base, who: Who, body: GapBody) -> dict[str, Any]:
    """Kept for the authors, who see what is asked for most often first."""
    if not body.text.strip():
        raise HTTPException(422, "text: say what was looked for.")
    base.gaps.add(body.text, who.id)
    return {"text": body.text.strip()}


@router.get("/gaps", summary="What articles were asked for", dependencies=[Authors])
def gaps(base: Base, limit: Annotated[int, Query(ge=1, le=1_000)] = 100) -> dict[str, Any]:
    """What was asked for most often first."""
    return {"gaps": [{**asdict(gap), "at": gap.at.isoformat()} for gap in base.gaps.latest(limit)]}
