"""What the answers about records look like."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from kb_service.api.search_bodies import ReasonBody, SuggestionBody, TermBody
from kb_service.confidence import Confidence
from kb_service.triage import Outcome
from kb_service.vocabulary import Kind, Level, Priority, State


class AttachmentBody(BaseModel):
    """An article attached to a record."""

    article: str
    title: str
    url: str | None
    revision: str = Field(description="The one that it had then.")
    resolved_by: bool = Field(description="It resolved the incident, rather than only belonging to it.")
    at: AwareDatetime
    changed_since: bool | None
    published: bool


class AttachedBody(AttachmentBody):
    """An article that was attached just now."""

    number: str


class RunBody(BaseModel):
    """A runbook as it was run."""

    id: str
    article: str
    title: str
    revision: str
    steps: int
    done: dict[str, AwareDatetime] = Field(description="When, by the number of the step.")
    fields: dict[str, str]
    at: AwareDatetime
    ended_at: AwareDatetime | None
    by: str
    note: str
    url: str


class BriefBody(BaseModel):
    """A record as lists show it."""

    number: str
    kind: Kind
    short_description: str
    state: State
    priority: Priority | None
    service: str | None
    cmdb_ci: str | None
    assignment_group: str | None
    opened_at: AwareDatetime | None
    resolved_at: AwareDatetime | None
    close_code: str | None
    close_notes: str
    parent_incident: str | None
    problem_id: str | None
    users_affected: int | None
    open: bool
    age_minutes: int
    minutes_to_resolve: int | None
    url: str


class RecordBody(BaseModel):
    """A record whole. Fields that its program knows and we do not stand beside these."""

    model_config = ConfigDict(extra="allow")

    number: str
    kind: Kind
    short_description: str
    description: str
    service: str | None
    cmdb_ci: str | None
    category: str | None
    impact: Level | None
    urgency: Level | None
    priority: Priority | None
    state: State
    assignment_group: str | None
    opened_at: AwareDatetime | None
    resolved_at: AwareDatetime | None
    close_code: str | None
    close_notes: str
    parent_incident: str | None
    problem_id: str | None
    users_affected: int | None
    known_error: bool
    workaround: str
    open: bool
    minutes_to_resolve: int | None
    articles: list[AttachmentBody]
    runs: list[RunBody]
    children: list[str] = Field(description="The numbers of the records below it.")
    url: str
    version: int
    updated_at: AwareDatetime
    unknown: list[str] = Field(description="Which of the fields are not known here.")
    demo: bool


class RecordsBody(BaseModel):
    """A list of records."""

    incidents: list[BriefBody]
    total: int
    demo: bool


class LineBody(BaseModel):
    """What became of one of many records."""

    line: int = Field(description="From 1.")
    number: str
    status: Literal["created", "updated", "unchanged", "refused"]
    problem: str | None


class LinesBody(BaseModel):
    """What became of many records."""

    created: int
    updated: int
    unchanged: int
    refused: int
    lines: list[LineBody]


class AlikeBody(BriefBody):
    """A record like another."""

    score: float
    probability: float = Field(description="How likely it is the same fault, 0 to 1; the confidence is its band.")
    confidence: Confidence
    reasons: list[ReasonBody]
    snippet: str
    articles: list[AttachmentBody]


class RelatedBody(BaseModel):
    """Records like one, or like a text."""

    open: list[AlikeBody]
    resolved: list[AlikeBody]
    demo: bool


class CriterionBody(BaseModel):
    """A criterion of a major incident that is met."""

    name: Literal["major_incident", "count", "service_count", "priority", "users"]
    text: str
    value: int | str
    threshold: int | str


class MajorBody(BaseModel):
    """What speaks for a major incident."""

    reason: str
    criteria: list[CriterionBody]
    count: int
    service: str | None
    incidents: list[BriefBody]
    parent: BriefBody | None
    linked: bool


class ProblemBody(BriefBody):
    """A problem record."""

    known_error: bool
    workaround: str


class RecurringBody(BaseModel):
    """A fault that comes back."""

    reason: str
    occurrences: int = Field(description="Days.")
    incidents: list[BriefBody]
    problem: ProblemBody | None
    articles: list[AttachmentBody]
    linked: bool


class OnCallBody(BaseModel):
    """The article that says how to reach who is on call."""

    id: str
    title: str
    url: str


class EscalationBody(BaseModel):
    """Whom to hand it to."""

    tier: str | None
    owner: str | None
    article: str | None
    assignment_group: str | None
    share: float | None = Field(description="Of the records like it, how many ended with the group, 0 to 1.")
    incidents: list[str]
    on_call: OnCallBody | None
    urgent: bool
    reason: str


class KindBody(BaseModel):
    """What kind of record it is."""

    suggested: str
    reason: str


class TriagedBody(BaseModel):
    """What is known of an incident, part by part."""

    number: str | None
    outcome: Outcome
    reason: str
    suggestions: list[SuggestionBody]
    related_incidents: list[AlikeBody] = Field(description="The open ones first.")
    major_incident_candidate: MajorBody | None
    problem_candidate: RecurringBody | None
    escalation: EscalationBody
    kind: KindBody
    terms: list[TermBody]
    unknown: list[str] = Field(description="Which fields of the body were not read, as none is of that name.")
    took_ms: float
    generation: int
    demo: bool
