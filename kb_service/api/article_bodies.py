"""What the answers about articles look like."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field

from indexer.frontmatter import Audience, KnowledgeType, Tier, WorkflowState
from indexer.history import Change
from kb_service.api.record_bodies import BriefBody


class ContentsBody(BaseModel):
    """A line of the contents list."""

    level: int
    text: str
    anchor: str


class NextBody(BaseModel):
    """An article to read next."""

    id: str
    title: str
    url: str
    why: str = Field(description="Named by the author, or only similar.")


class RevisionBody(BaseModel):
    """A revision of an article."""

    revision: str = Field(description="Git's name of the file's bytes.")
    commit: str
    at: datetime
    subject: str | None = Field(description="To those within, as are author and email.")
    author: str | None
    email: str | None
    change: Change
    path: str
    path_before: str | None


class AnyArticleBody(BaseModel):
    """An article, whenever."""

    id: str
    type: KnowledgeType
    title: str
    summary: str
    workflow_state: WorkflowState
    audience: Audience
    tier: Tier | None
    services: list[str]
    tags: list[str]
    aliases: list[str]
    owner: str | None
    responsible: list[str]
    reviewers: list[str]
    informed: list[str]
    valid_from: datetime | None
    valid_to: datetime | None
    review_by: date | None
    revision: str
    created: datetime | None
    updated: datetime | None
    path: str
    body: str = Field(description="Markdown, as it was written.")
    extra: dict[str, Any] = Field(description="Keys of the front matter that are not known here.")
    url: str
    html: str
    contents: list[ContentsBody]
    related: list[NextBody]


class ArticleBody(AnyArticleBody):
    """An article, now."""

    refused: list[str] = Field(description="To authors: what is wrong with the file's newest version.")
    resolved_incidents: list[BriefBody] = Field([], description="To those within.")
    open_incidents: list[BriefBody] = Field([], description="Those that it may resolve; to those within.")


class PastArticleBody(AnyArticleBody):
    """An article as it was."""

    live: bool
    at: RevisionBody | None
    note: str | None
    changed_since: bool | None


class HistoryBody(BaseModel):
    """An article's revisions."""

    id: str
    revision: str | None = Field(description="The one that is live.")
    revisions: list[RevisionBody]
    total: int
    complete: bool = Field(description="Whether they go back to the first.")


class SideBody(BaseModel):
    """One of two revisions: the file as it lies, in no commit yet or any more."""

    revision: str
    live: bool
    note: str | None


class CommittedSideBody(RevisionBody):
    """One of two revisions."""

    live: bool
    note: str | None


class DiffBody(BaseModel):
    """What changed between two revisions."""

    id: str
    title: str
    from_: CommittedSideBody | SideBody = Field(alias="from")
    to: CommittedSideBody | SideBody
    same: bool
    added: int = Field(description="Lines.")
    removed: int
    diff: str = Field(description="Unified.")
