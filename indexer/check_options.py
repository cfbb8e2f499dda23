"""What can be tuned of ``kb check``: every key of ``[tool.kb.check]``, with its default and what it is."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from indexer.frontmatter import KnowledgeType

Severity = Literal["error", "warning", "note"]
"""An error misleads or endangers readers; a warning makes an article worse than it could be; a note only tells."""


class Options(BaseModel):
    """The settings of the rules. Unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    disable: tuple[str, ...] = Field((), description="Rules that are not asked.")
    ignore: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description='Rules not asked of some files: `{"drafts/*" = ["missing-owner"]}`; `*` spans `/`.',
    )
    severity: dict[str, Severity] = Field(
        default_factory=dict, description="Another severity for a rule: `error`, `warning` or `note`."
    )
    known_abbreviations: tuple[str, ...] = Field((), description="Abbreviations that all readers know.")
    undated_types: tuple[KnowledgeType, ...] = Field(("glossary",), description="Types that need no review date.")
    review_grace_days: int = Field(0, ge=0, description="So many days after its review date an article is overdue.")
    verification_headings: tuple[str, ...] = Field((), description="Further headings of a verification section.")
    rollback_headings: tuple[str, ...] = Field((), description="Further headings of a rollback section.")
    escalation_headings: tuple[str, ...] = Field((), description="Further headings of an escalation section.")
    question_most_words: int = Field(16, ge=3, description="So many words a FAQ's question has at most.")
    section_most_tokens: int = Field(
        768, ge=64, description="So many tokens a section has at most, by estimate: three windows of the default model."
    )
    near_duplicate: float = Field(
        0.78, gt=0, le=1, description="From this likeness on (mean cosine of their passages) two articles say the same."
    )
    external_seconds: float = Field(10, gt=0, description="So long an external link may take to answer.")
    external_at_once: int = Field(4, ge=1, le=32, description="So many external links are asked at a time.")
    external_skip: tuple[str, ...] = Field(
        (), description="External links not asked, as `https://intranet.example.com/*`."
    )
