"""For readers and authors: did an article help, what is wrong with it, and which one is missing."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field, model_validator
from starlette.exceptions import HTTPException

from kb_service.api.caller import Authors, Base, CallerSight, Records, Who
from kb_service.api.description import As
from kb_service.api.known_names import KnownFields, KnownParameters
from kb_service.api.problems import NOT_FOUND, RESPONSES
from kb_service.feedback import Verdict
from kb_service.flags import fact_json, flags
from kb_service.gaps import MOST_LETTERS, Gap

router = APIRouter(prefix="/api", tags=["feedback"], dependencies=[KnownParameters], responses=RESPONSES)


class FeedbackBody(KnownFields):
    """What a reader says of an article."""

    article: str = Field(min_length=1, max_length=500, examples=["runbooks/account-lockout"])
    verdict: Verdict
    comment: str = Field("", max_length=5_000, description="Needed for a flag: what is wrong.")
    anchor: str = Field("", max_length=500, description="The heading of the paragraph meant.")
    number: str | None = Field(None, max_length=64, description="The incident at hand; of agents only.")

    @model_validator(mode="after")
    def _a_flag_says_why(self) -> "FeedbackBody":
        if self.verdict == "flag" and not self.comment.strip():
            raise ValueError("a flag needs a comment: say what is wrong")
        return self


class FactBody(BaseModel):
    """What was said of an article, and the article as it is now."""

    article: str
    title: str
    owner: str | None
    url: str | None
    revision: str = Field(description="The one that it was said of.")
    changed_since: bool | None
    verdict: Verdict
    comment: str
    anchor: str
    number: str | None
    at: AwareDatetime


@router.post("/feedback", summary="Say whether an article helped", status_code=201, responses=NOT_FOUND)
def feedback(base: Base, who: Who, sight: CallerSight, body: FeedbackBody) -> Annotated[dict[str, Any], As(FactBody)]:
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


class ClickBody(KnownFields):
    """An article that was opened from a search."""

    search_id: int = Field(ge=1, le=2**63 - 1)
    article: str = Field(min_length=1, max_length=500)


class ClickedBody(BaseModel):
    """What was kept."""

    search_id: int
    article: str
    revision: str


@router.post("/clicks", summary="Say which article of a search was opened", status_code=201, responses=NOT_FOUND)
def click(base: Base, who: Who, sight: CallerSight, body: ClickBody) -> Annotated[dict[str, Any], As(ClickedBody)]:
    """Kept with the revision that the article has now."""
    knowledge = base.searcher.article(body.article, sight)
    if knowledge is None:
        raise HTTPException(404, f"There is no article '{body.article}'.")
    base.searches.click(body.search_id, knowledge.id, knowledge.revision, who.id)
    return {"search_id": body.search_id, "article": knowledge.id, "revision": knowledge.revision}


class FlagsBody(BaseModel):
    """What readers flagged."""

    flags: list[FactBody]


@router.get("/flags", summary="What readers flagged", dependencies=[Records])
def flagged(
    base: Base,
    sight: CallerSight,
    owner: Annotated[str | None, Query(max_length=200, description="Only of articles with this owner.")] = None,
    article: Annotated[str | None, Query(max_length=500)] = None,
) -> Annotated[dict[str, Any], As(FlagsBody)]:
    """The latest first, for the owners of the articles."""
    found = flags(base, sight, article)
    return {"flags": [one for one in found if owner is None or (one["owner"] or "").casefold() == owner.casefold()]}


class GapBody(KnownFields):
    """What was looked for and not found."""

    text: str = Field(
        min_length=1,
        max_length=MOST_LETTERS,
        examples=["fax machine prints only black pages"],
        # That it says something is refused below in words of its own
        json_schema_extra={"pattern": r"\S"},
    )


class AskedForBody(BaseModel):
    """What was kept."""

    text: str


@router.post("/gaps", summary="Ask for an article", status_code=201)
def ask_for_an_article(base: Base, who: Who, body: GapBody) -> Annotated[dict[str, Any], As(AskedForBody)]:
    """Kept for the authors, who see what is asked for most often first."""
    if not body.text.strip():
        raise HTTPException(422, "text: say what was looked for.")
    base.gaps.add(body.text, who.id)
    return {"text": body.text.strip()}


class GapsBody(BaseModel):
    """What articles were asked for."""

    gaps: list[Gap]


@router.get("/gaps", summary="What articles were asked for", dependencies=[Authors])
def gaps(base: Base, limit: Annotated[int, Query(ge=1, le=1_000)] = 100) -> Annotated[dict[str, Any], As(GapsBody)]:
    """What was asked for most often first."""
    return {"gaps": [{**asdict(gap), "at": gap.at.isoformat()} for gap in base.gaps.latest(limit)]}
