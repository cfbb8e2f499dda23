"""What the answers to searches look like."""

from typing import Literal

from pydantic import BaseModel, Field

from indexer.frontmatter import KnowledgeType, Tier
from kb_service.confidence import Confidence
from kb_service.hits import ReasonLane


class ReasonBody(BaseModel):
    """Why a hit is there."""

    lane: ReasonLane = Field(examples=["meaning"])
    text: str = Field(examples=["meaning: section 'Steps'"])
    score: float = Field(description="The lane's own figure: a cosine for meaning, a BM25 sum for words.")
    words: list[str] = Field(description="The words of the query that matched.")


class HitBody(BaseModel):
    """One article that answers."""

    id: str = Field(examples=["runbooks/check-port"])
    title: str
    type: KnowledgeType
    url: str = Field(description="Where it is read, at the passage that matched.")
    anchor: str = Field(description="The heading of the passage that matched; empty at the top.")
    snippet: str = Field(description="Escaped HTML; words of the query stand in `<mark>`.")
    score: float = Field(description="Orders the hits of one answer; not to be compared between queries.")
    confidence: Confidence
    probability: float = Field(description="How likely it answers, 0 to 1; the confidence is its band.")
    reasons: list[ReasonBody]
    parts: dict[str, float] = Field(description="What the score is the sum of.")
    heading_path: list[str]
    tier: Tier | None
    services: list[str]


class SuggestionBody(HitBody):
    """A hit, and what its article resolved before."""

    resolved: list[str] = Field(description="The numbers of the incidents.")


class ChangeBody(BaseModel):
    """A word of the query that is read as another."""

    typed: str
    meant: str
    kind: Literal["typo", "begun"]


class ExpansionBody(BaseModel):
    """A term of the glossary that the query says, and what else it is called: several names mean it is ambiguous."""

    said: str = Field(examples=["MIR"])
    names: list[str] = Field(examples=[["major incident response"]])


class UnderstoodBody(BaseModel):
    """How the query was read."""

    text: str = Field(description="The query with mistyped and half-written words mended.")
    changes: list[ChangeBody]
    expansions: list[ExpansionBody]
    relaxed: bool = Field(description="No article has all of the words, so those with most of them are shown.")
    notes: list[str] = Field(description="The same in sentences, to be shown.")


class FacetValueBody(BaseModel):
    """A value of a facet, and how many hits have it."""

    value: str
    count: int


class SearchBody(BaseModel):
    """An answer to a search."""

    query: str
    hits: list[HitBody]
    total: int
    understood: UnderstoodBody
    facets: dict[str, list[FacetValueBody]] = Field(
        description="With `facets=true`: what the hits can be narrowed by. Each is counted as if nothing of it was"
        " chosen."
    )
    generation: int = Field(description="Rises with every publish.")
    search_id: int | None = Field(None, description="For POST /api/clicks: which article was opened.")
    encoded: float = Field(description="The share of passages that can be found by meaning yet, 0 to 1.")
    took_ms: float


class CompletionBody(BaseModel):
    """A name that goes on from what is typed."""

    text: str
    id: str
    url: str


class CompleteBody(BaseModel):
    """An answer to type-ahead."""

    query: str
    completions: list[CompletionBody]
    note: str = Field(description="What else than typed was looked for, and why; empty where it was not needed.")
    generation: int
    took_ms: float


class TermBody(BaseModel):
    """A term of the glossary."""

    term: str = Field(examples=["MIR"])
    names: list[str] = Field(description="Abbreviation, expansion and aliases.")
    definition: str
    id: str = Field(description="The article that defines it.")
    anchor: str
    url: str


class TermsBody(BaseModel):
    """All terms."""

    terms: list[TermBody]
    generation: int


class OneTermBody(TermBody):
    """A term, and what else is called so."""

    others: list[TermBody]
