"""For the desk's tools and agents: records, what they are like, and the articles attached to them."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Header, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import Field
from starlette.exceptions import HTTPException

from kb_service.access import Caller, Sight
from kb_service.api.caller import Base, CallerSight, Records, Who
from kb_service.api.description import As
from kb_service.api.known_names import KnownFields, KnownParameters
from kb_service.api.problems import CHANGED_MEANWHILE, ETAG, NOT_FOUND, OTHER_TYPE, RESPONSES
from kb_service.api.record_bodies import AttachedBody, LinesBody, RecordBody, RecordsBody, RelatedBody
from kb_service.bodies import attachment_json, brief_json, incident_json, related_incidents_json, sees_article
from kb_service.incident import MOST_LETTERS, adapter
from kb_service.incident_reading import Selection
from kb_service.incident_rows import Recorded
from kb_service.knowledge_base import KnowledgeBase
from kb_service.ndjson import given_in
from kb_service.related import Like
from kb_service.vocabulary import Kind, State

router = APIRouter(prefix="/api", tags=["incidents"], dependencies=[KnownParameters, Records], responses=RESPONSES)

MOST_BULK_BYTES = 64 * 1024 * 1024
_BULK_TYPES = {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/json"}
_RECORD = adapter().json_schema()
# The number stands in the address
_RECORD_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": {**_RECORD, "required": []}}}}
}
_BULK_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-ndjson": {"schema": {"type": "string"}, "example": '{"number": "INC1"}\n'},
            "application/json": {"schema": {"type": "array", "items": _RECORD}},
        },
    }
}

Number = Annotated[str, Path(description="The record's number, whatever its case.", examples=["INC0010023"])]
Attached = Annotated[str, Path(examples=["runbooks/account-lockout"])]
IfMatch = Annotated[
    str | None,
    Header(
        description="The version that was read (`ETag`): another one is refused with 412.",
        examples=["*"],
        json_schema_extra={"pattern": r'^(\*|(W/)?"\d{1,18}")$'},
    ),
]
ListState = State | Literal["open"]


class AttachBody(KnownFields):
    """An article for an incident."""

    article: str = Field(min_length=1, max_length=500, examples=["runbooks/account-lockout"])
    resolved_by: bool = Field(False, description="It resolved the incident, rather than only belonging to it.")


@router.get("/incidents", summary="List records")
def incidents(
    base: Base,
    sight: CallerSight,
    state: Annotated[ListState | None, Query(description="One state, or `open` for all that are.")] = None,
    kind: Kind | None = None,
    service: Annotated[str | None, Query(max_length=200)] = None,
    group: Annotated[str | None, Query(max_length=200, description="The assignment group.")] = None,
    q: Annotated[str, Query(max_length=20_000, description="Words, a number, an error code.")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Annotated[dict[str, Any], As(RecordsBody)]:
    """The latest first, or with `q` those that match it, the best first."""
    wanted = Selection(state, kind, service, group, limit, offset, sight)
    found, total = base.related.matching(q, wanted) if q.strip() else base.incidents.listed(wanted)
    return {"incidents": [brief_json(one.incident) for one in found], "total": total, "demo": base.desk.is_demo}


@router.post("/incidents", summary="Put many records", responses=OTHER_TYPE, openapi_extra=_BULK_BODY,
             max_body_size=MOST_BULK_BYTES)  # fmt: skip
async def put_many(base: Base, who: Who, request: Request) -> Annotated[dict[str, Any], As(LinesBody)]:
    """One JSON object a line (NDJSON), or a JSON array. Each is put as by PUT, whole or refused, and may be sent again.

    Answers what became of each line. All refused is 422.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _BULK_TYPES:
        raise HTTPException(415, f"The body is '{kind or 'of no type'}': send application/x-ndjson.")
    body = await request.body()
    return await run_in_threadpool(_put_many, base, who, body)


def _put_many(base: KnowledgeBase, who: Caller, body: bytes) -> dict[str, Any]:
    given = given_in(body)
    if not given:
        raise HTTPException(422, "The body holds no record: send one JSON object a line.")
    reports = base.incidents.put_many(given, by=who)
    counts = {
        status: sum(one.status == status for one in reports)
        for status in ("created", "updated", "unchanged", "refused")
    }
    if counts["refused"] == len(reports):
        said = "; ".join(f"line {one.line}: {one.problem}" for one in reports[:5])
        raise HTTPException(422, f"No record was taken. {said}.")
    lines = [
        {"line": one.line, "number": one.number, "status": one.status, "problem": one.problem or None}
        for one in reports
    ]
    return {**counts, "lines": lines}


@router.get("/incidents/{number}", summary="One record", responses={200: ETAG, **NOT_FOUND})
def incident(
    base: Base, sight: CallerSight, number: Number, response: Response
) -> Annotated[dict[str, Any], As(RecordBody)]:
    """The record with its articles, and the records below it."""
    return _answer(base, base.incidents.existing(number, sight), sight, response)


@router.put(
    "/incidents/{number}",
    summary="Put a record",
    responses={
        200: ETAG,
        201: {"model": RecordBody, "description": "There was none of that number", **ETAG},
        **CHANGED_MEANWHILE,
    },
    openapi_extra=_RECORD_BODY,
)
def put(
    base: Base,
    who: Who,
    sight: CallerSight,
    number: Number,
    response: Response,
    fields: Annotated[dict[str, Any], Body()],
    if_match: IfMatch = None,
) -> Annotated[dict[str, Any], As(RecordBody)]:
    """The whole record, in place of what was there; 201 where there was none. On disk when this answers.

    Field names are ServiceNow's; its numbers and labels for states and priorities are understood. Unknown fields are
    kept and named under `unknown`.
    """
    given = str(fields.get("number") or number).encode("utf-8", "replace").decode()
    if given.casefold() != number.casefold():
        raise HTTPException(422, f"number: '{given}' in the body is not '{number}' in the address.")
    recorded = base.incidents.put({**fields, "number": number}, _version(if_match), by=who)
    if recorded.created:
        response.status_code = 201
    return _answer(base, recorded, sight, response)


@router.patch(
    "/incidents/{number}", summary="Change a record", responses={200: ETAG, **NOT_FOUND, **CHANGED_MEANWHILE},
    openapi_extra=_RECORD_BODY,
)  # fmt: skip
def change(
    base: Base,
    who: Who,
    sight: CallerSight,
    number: Number,
    response: Response,
    fields: Annotated[dict[str, Any], Body()],
    if_match: IfMatch = None,
) -> Annotated[dict[str, Any], As(RecordBody)]:
    """Only the fields given. Impact or urgency carry the priority along unless it is given too."""
    recorded = base.incidents.change(number, fields, _version(if_match), by=who)
    return _answer(base, recorded, sight, response)


@router.get("/incidents/{number}/related", summary="Records like this one", responses=NOT_FOUND)
def related(
    base: Base, sight: CallerSight, number: Number, limit: Annotated[int, Query(ge=1, le=50)] = 10
) -> Annotated[dict[str, Any], As(RelatedBody)]:
    """Open ones apart from resolved ones, the most alike first; neither itself nor what is below it."""
    like = Like.incident(base.incidents.existing(number, sight).incident, base.incidents, sight)
    return _related(base, like, limit)


@router.get("/related", summary="Records like a text")
def related_to_text(
    base: Base,
    sight: CallerSight,
    q: Annotated[str, Query(min_length=1, max_length=MOST_LETTERS)],
    service: Annotated[str | None, Query(max_length=200)] = None,
    ci: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> Annotated[dict[str, Any], As(RelatedBody)]:
    """The same for what is not a record yet."""
    return _related(base, Like(q, service, ci, sight=sight), limit)


@router.post("/incidents/{number}/articles", summary="Attach an article", responses=NOT_FOUND, status_code=201)
def attach(
    base: Base, who: Who, sight: CallerSight, number: Number, body: AttachBody
) -> Annotated[dict[str, Any], As(AttachedBody)]:
    """Attach an article, or say that it resolved the incident. The revision that it has now is kept with it."""
    knowledge = base.searcher.article(body.article, sight)
    if knowledge is None:
        raise HTTPException(404, f"There is no article '{body.article}'.")
    relation: Literal["resolved_by", "attached"] = "resolved_by" if body.resolved_by else "attached"
    existing = base.incidents.existing(number, sight).incident.number
    attached = base.attachments.add(existing, knowledge.id, knowledge.revision, relation, by=who)
    return {"number": attached.number, **attachment_json(attached, base.searcher.catalogue)}


@router.delete(
    "/incidents/{number}/articles/{article:path}", summary="Detach an article", responses=NOT_FOUND, status_code=204
)
def detach(base: Base, who: Who, sight: CallerSight, number: Number, article: Attached) -> None:
    """Take an attachment back; that it was there stays on record."""
    existing = base.incidents.existing(number, sight).incident.number
    names = set(base.searcher.catalogue.names_of(article))
    for one in base.attachments.of_incidents([existing]).get(existing, ()):
        if one.article in names and sees_article(base.searcher.catalogue, one.article, sight):
            base.attachments.add(existing, one.article, one.revision, "detached", by=who)
            return
    raise HTTPException(404, f"'{article}' is not attached to {number}.")


def _answer(base: KnowledgeBase, recorded: Recorded, sight: Sight, response: Response) -> dict[str, Any]:
    number = recorded.incident.number
    response.headers["ETag"] = f'"{recorded.version}"'
    attached = base.attachments.of_incidents([number]).get(number, [])
    children = base.incidents.children(number, sight)
    body = incident_json(recorded, attached, children, base.runs.of_incident(number), base.searcher.catalogue, sight)
    return {**body, "demo": base.desk.is_demo}


def _related(base: KnowledgeBase, like: Like, limit: int) -> dict[str, Any]:
    found = base.related.find(like, limit)
    return {**related_incidents_json(found, base.searcher.catalogue, like.sight), "demo": base.desk.is_demo}


def _version(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    digits = if_match.strip().removeprefix("W/").strip('"')
    if not digits.isdecimal():
        raise HTTPException(412, f"If-Match: {if_match} is no version of ours: send the ETag that was read.")
    return int(digits[:18])
