"""Front matter: YAML 1.2 between two ``---`` lines at the top of a file, and what its keys mean.

Known keys are read as the text that stands there (``id: 0123`` stays ``0123``, ``title: no`` stays ``no``); unknown
keys are kept as plain values.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from indexer.errors import Problem
from indexer.lookalikes import has_unseen
from indexer.yaml_values import read_yaml, shown

KnowledgeType = Literal["faq", "runbook", "glossary", "howto", "known-error", "template", "policy"]
WorkflowState = Literal["draft", "review", "published", "retired"]
Audience = Literal["public", "internal", "restricted"]
Tier = Literal["L1", "L2", "L3"]

AUDIENCES: tuple[Audience, ...] = get_args(Audience)
MAX_FRONT_MATTER_BYTES = 16 * 1024
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(?P<yaml>.*?)(?:^|\n)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)


def audiences_of(audience: Audience, groups: Iterable[str]) -> frozenset[str]:
    """Who may see what is for an audience: any of these. What is restricted is for who sees all, and for its groups."""
    return frozenset({audience, *(f"restricted:{group.casefold()}" for group in groups if audience == "restricted")})


_HIDING = ("audience", "workflow_state", "valid_from", "valid_to")
_LISTS = ("groups", "services", "tags", "aliases", "responsible", "reviewers", "informed", "related")


class FrontMatter(BaseModel):
    """The keys of a knowledge object's front matter. Only a title is needed, and even that has a default."""

    model_config = ConfigDict(extra="allow", title="Knowledge object front matter")

    title: str | None = Field(
        None, min_length=1, max_length=300, description="What a reader looks for: the question, the fault, the term."
    )
    id: str | None = Field(
        None,
        pattern=r"^[^\s/\\?#%][^\s\\?#%]*$",
        max_length=300,
        description="A fixed name for links and attachments. Default: the file's path without its ending.",
    )
    type: KnowledgeType | None = Field(
        None, description="The kind of article. Default: by the folder's name, else by the shape of the text."
    )
    summary: str = Field("", max_length=1000, description="One sentence: what the reader gets from this article.")
    workflow_state: WorkflowState = Field("published", description="Only `published` objects appear in search.")
    audience: Audience = Field("internal", description="`public`: requesters too. `restricted`: named groups only.")
    groups: list[str] = Field(default_factory=list, description="The groups that a `restricted` article is for.")
    tier: Tier | None = Field(None, description="The support level that can carry this out.")
    services: list[str] = Field(default_factory=list, description="Services of the service catalogue it concerns.")
    tags: list[str] = Field(default_factory=list, description="Words to filter by.")
    aliases: list[str] = Field(default_factory=list, description="Other names people search for.")
    owner: str | None = Field(None, description="The team accountable for this article.")
    responsible: list[str] = Field(default_factory=list, description="Teams that keep it true. Default: the owner.")
    reviewers: list[str] = Field(default_factory=list, description="Teams consulted before it changes.")
    informed: list[str] = Field(default_factory=list, description="Teams told when it has changed.")
    valid_from: datetime | None = Field(None, description="Hidden before this date. A plain date starts at 00:00 UTC.")
    valid_to: datetime | None = Field(None, description="Hidden after this date. A plain date counts to its end, UTC.")
    review_by: date | None = Field(None, description="When the owner must look at it again.")
    related: list[str] = Field(default_factory=list, description="Ids of articles to read next.")

    @field_validator(*_LISTS, mode="before")
    @classmethod
    def _one_is_a_list(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("id")
    @classmethod
    def _id_stays_inside(cls, value: str | None) -> str | None:
        if value is not None and any(part in {"", ".", ".."} for part in value.split("/")):
            raise ValueError("an id must not have empty, '.' or '..' parts")
        if value is not None and has_unseen(value):
            raise ValueError("an id must not have characters that cannot be seen")
        return value

    @field_validator("valid_from", mode="before")
    @classmethod
    def _from_start_of_day(cls, value: object) -> object:
        return _moment(value, time.min)

    @field_validator("valid_to", mode="before")
    @classmethod
    def _to_end_of_day(cls, value: object) -> object:
        return _moment(value, time.max)

    @field_validator("valid_from", "valid_to")
    @classmethod
    def _in_utc(cls, value: datetime | None) -> datetime | None:
        if value is None:
            return None
        try:
            return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        except OverflowError as error:
            raise ValueError("there is no such time in UTC") from error


def _moment(value: object, at: time) -> object:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        return datetime.combine(date.fromisoformat(value), at, UTC)
    return value


def split(text: str) -> tuple[str | None, str, int]:
    """The YAML (None where it is never closed), the body, and the line of the file that the body starts in."""
    if not re.match(r"---[ \t]*(\n|\Z)", text):
        return "", text, 1
    match = _FRONT_MATTER.match(text)
    if match is None:
        return (None, "", 1) if _looks_like_yaml(text) else ("", text, 1)
    return match["yaml"], text[match.end() :], text.count("\n", 0, match.end()) + 1


def _looks_like_yaml(text: str) -> bool:
    """A lone ``---`` may also be a thematic break; a key right below it says front matter."""
    second = text.split("\n", 2)[1] if "\n" in text else ""
    return bool(re.match(r"[\w-]+\s*:", second))


def read(path: str, front: str) -> tuple[FrontMatter, dict[str, Any]] | list[Problem]:
    """The front matter and its unknown keys, or every problem with its line in the file."""
    if len(front.encode()) > MAX_FRONT_MATTER_BYTES:
        return [
            Problem(path, 1, f"the front matter is over {MAX_FRONT_MATTER_BYTES:,} bytes", "Move text into the body")
        ]
    values, lines, problems = read_yaml(path, front, FrontMatter.model_fields)
    if problems:
        return problems
    foreign = _foreign_type(values)
    # A key that was left blank, as in a form, is one that was left out
    given = {key: value for key, value in values.items() if key not in foreign and not _is_blank(value)}
    try:
        matter = FrontMatter.model_validate(given)
    except ValidationError as error:
        return [_problem_of(path, lines, dict(detail)) for detail in error.errors()]
    if matter.valid_from and matter.valid_to and matter.valid_from > matter.valid_to:
        return [Problem(path, lines["valid_to"], "valid_to is before valid_from", "Swap or mend the two dates")]
    if matter.groups and matter.audience != "restricted":
        said = f"groups are named, but everybody of the audience '{matter.audience}' would see it"
        return [Problem(path, lines["groups"], said, "Write 'audience: restricted', or take the groups out")]
    extra = {key: value for key, value in values.items() if key in foreign or key not in FrontMatter.model_fields}
    return [*_slips(path, extra, lines, values)] or (matter, extra)


@lru_cache(maxsize=4_096)
def meant_by(key: str) -> str | None:
    """The key of ours that another nearly is: a slip, another case, a hyphen for its underscore; None for others."""
    plain = key.strip().casefold().replace("-", "_").replace(" ", "_")
    near = get_close_matches(plain, FrontMatter.model_fields, n=1, cutoff=0.85)
    return near[0] if near and key not in FrontMatter.model_fields else None


def _slips(path: str, extra: Iterable[str], lines: Mapping[str, int], values: Collection[str]) -> Iterator[Problem]:
    """What keeps an article from people must not fail for a letter; of the other keys ``kb check`` says so."""
    for key in extra:
        meant = meant_by(key)
        if meant in _HIDING and meant not in values:
            said = f"'{shown(key)}' is no key, and without '{meant}' more people would see this than may be meant"
            yield Problem(
                path,
                lines[key],
                said,
                f"Write '{meant}'; where '{shown(key)}' is another program's, write '{meant}' as well",
            )


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _foreign_type(values: Mapping[str, Any]) -> dict[str, Any]:
    """The ``type`` of a front matter written for another program, to be kept as an unknown key; else nothing.

    Such front matter shows by its other keys, which we do not know. A near miss of our own (``runbok``) is not
    foreign: it is refused, with what was meant.
    """
    named = values.get("type")
    if not isinstance(named, str) or values.keys() <= FrontMatter.model_fields.keys():
        return {}
    near = get_close_matches(named.lower(), get_args(KnowledgeType), n=1, cutoff=0.7)
    return {} if near else {"type": named}


def _problem_of(path: str, lines: Mapping[str, int], detail: Mapping[str, Any]) -> Problem:
    key = str(next(iter(detail["loc"]), ""))
    line, given = lines.get(key, 1), detail.get("input")
    if detail["type"] == "literal_error":
        choices = get_args(_literal_of(key))
        near = get_close_matches(str(given).lower(), [choice.lower() for choice in choices], n=1, cutoff=0.5)
        meant = f"; '{near[0]}' was meant?" if near and near[0] in choices else ""
        return Problem(path, line, f"{key} is '{shown(str(given))}'", f"One of {', '.join(choices)}{meant}")
    expected = {
        "string_type": "one line of text",
        "list_type": "a list, as in [one, two]",
        "date_from_datetime_parsing": "a date, as in 2027-05-31",
        "datetime_from_date_parsing": "a date or time, as in 2027-05-31 or 2027-05-31T18:00:00Z",
        "string_pattern_mismatch": "a path-like name without spaces, '?', '#', '%' or '\\'",
    }.get(detail["type"])
    return Problem(path, line, f"{key}: {detail['msg']}", f"Write {expected}" if expected else f"Mend '{key}'")


def _literal_of(key: str) -> Any:
    return {"type": KnowledgeType, "workflow_state": WorkflowState, "audience": Audience, "tier": Tier}[key]


def json_schema() -> dict[str, Any]:
    """The front matter's JSON Schema (draft 2020-12), for editors to complete and check from.

    A single value may stand for a list of one, and a plain date for a time, as the parser takes them.
    """
    schema = FrontMatter.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["required"] = ["title"]
    for name in _LISTS:
        listed = schema["properties"][name]
        listed["anyOf"] = [{"type": "string"}, {"type": listed.pop("type"), "items": listed.pop("items")}]
    for name in ("valid_from", "valid_to"):
        schema["properties"][name]["anyOf"].insert(0, {"type": "string", "format": "date"})
    return schema
