"""Knowledge objects: a file's bytes become one, or every problem that keeps them from it, each with its line."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any, Literal

from indexer.errors import Problem
from indexer.frontmatter import Audience, FrontMatter, KnowledgeType, Tier, WorkflowState, read, split
from indexer.git import blob_id
from indexer.identifiers import words_of_name
from indexer.markdown import Document, parse_markdown
from indexer.markdown_rules import MOST_MARKUP

MAX_FILE_BYTES = 1024 * 1024
# Each may become a passage of its own, as in a table or a list of terms
MAX_LINES = 20_000
# Each passage below a heading says it again, and each word is taken apart when it is first met
MOST_HEADING_LETTERS = 1_000
MOST_WORDS = 50_000

# The colours of a log that was pasted would command the terminal that a search is printed in
_COMMANDS = re.compile("[\x01-\x08\x0b-\x1f\x7f-\x9f]")
_FOLDER_TYPES: dict[str, KnowledgeType] = {
    "faq": "faq",
    "faqs": "faq",
    "questions": "faq",
    "runbook": "runbook",
    "runbooks": "runbook",
    "playbooks": "runbook",
    "alerts": "runbook",
    "glossary": "glossary",
    "glossaries": "glossary",
    "terms": "glossary",
    "howto": "howto",
    "howtos": "howto",
    "how-to": "howto",
    "known-error": "known-error",
    "known-errors": "known-error",
    "template": "template",
    "templates": "template",
    "policy": "policy",
    "policies": "policy",
}
_RUNBOOK_HEADINGS = re.compile(
    r"^(symptoms?|meaning|impact|diagnos\w+|mitigation|remediation|resolution|steps|procedure|verification|rollback"
    r"|escalation|troubleshooting)\b",
    re.IGNORECASE,
)
_SECTION_HEADINGS = re.compile(
    _RUNBOOK_HEADINGS.pattern + r"|^(overview|introduction|description|summary|background|prerequisites|usage|contents|"
    r"example|before you start)\b",
    re.IGNORECASE,
)
_GLOSSARY_TITLE = re.compile(r"\b(glossary|abbreviations|acronyms|terminology|definitions)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class KnowledgeObject:
    """One article as its author wrote it. Times are aware, in UTC; ``revision`` is git's blob id of the file."""

    id: str
    type: KnowledgeType
    title: str
    body: str
    path: str
    revision: str
    summary: str = ""
    workflow_state: WorkflowState = "published"
    audience: Audience = "internal"
    groups: tuple[str, ...] = ()
    tier: Tier | None = None
    services: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    owner: str | None = None
    responsible: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    informed: tuple[str, ...] = ()
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    review_by: date | None = None
    related: tuple[str, ...] = ()
    created: datetime | None = None
    updated: datetime | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    body_line: int = 1

    @property
    def document(self) -> Document:
        """The parsed body."""
        return parse_markdown(self.body)


def text_of(data: bytes, errors: Literal["strict", "replace"] = "replace") -> str:
    """A file's bytes as lines that end as ours do, without a mark of their order in front.

    Strictly it raises UnicodeDecodeError.
    """
    return data.decode("utf-8-sig", errors).replace("\r\n", "\n").replace("\r", "\n")


def parse(path: str, data: bytes) -> KnowledgeObject | list[Problem]:
    """The knowledge object in a file, or every problem that keeps it from being one.

    ``path`` is relative to the content folder, with ``/``. Never raises for anything the bytes hold.
    """
    if len(data) > MAX_FILE_BYTES:
        return [
            Problem(
                path, 1, f"the file has {len(data):,} bytes; {MAX_FILE_BYTES:,} is the most", "Split it into articles"
            )
        ]
    try:
        text = text_of(data, "strict")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return [Problem(path, line, f"byte {error.start} is not UTF-8", "Save the file as UTF-8")]
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        return [Problem(path, line, "the file holds a NUL byte, so it is not text", "Save it as plain UTF-8 text")]
    lines = text.count("\n")
    if lines > MAX_LINES:
        return [Problem(path, 1, f"the file has {lines:,} lines; {MAX_LINES:,} is the most", "Split it into articles")]
    found = _split(path, text)
    if isinstance(found, list):
        return found
    matter, extra, body, body_line = found
    body = _COMMANDS.sub(" ", body)
    knowledge = article_of(path, body, matter, extra, data=data, body_line=body_line)
    too_much = list(_too_much(knowledge))
    return too_much or knowledge


def _too_much(knowledge: KnowledgeObject) -> Iterator[Problem]:
    """What would take long to read, and stands in no article that people read."""
    document, first = knowledge.document, knowledge.body_line
    if document.too_much_at is not None:
        what = f"up to here it has over {MOST_MARKUP:,} signs of markup: brackets, stars, cells, items and the like"
        remedy = "Split it into articles; put logs and the output of programs between lines of ```"
        yield Problem(knowledge.path, first + document.too_much_at, what, remedy)
    for opening, inline in pairwise(document.tokens):
        if opening.type == "heading_open" and len(inline.content) > MOST_HEADING_LETTERS:
            what = f"the heading has {len(inline.content):,} letters; {MOST_HEADING_LETTERS:,} are the most"
            line = first + (opening.map[0] if opening.map else 0)
            yield Problem(knowledge.path, line, what, "Make it shorter; what it says can stand below it")
    # There cannot be so many in a shorter text
    if len(knowledge.body) > MOST_WORDS * 2 and len(set(knowledge.body.split())) > MOST_WORDS:
        what = f"it has over {MOST_WORDS:,} different words, as logs and lists of numbers have"
        yield Problem(knowledge.path, first, what, "Split it into articles, or link to where it is kept")


def front_matter_of(path: str, data: bytes) -> FrontMatter | None:
    """Who may see a file, without reading its body; None where its front matter is refused."""
    found = _split(path, text_of(data))
    return None if isinstance(found, list) else found[0]


def _split(path: str, text: str) -> tuple[FrontMatter, dict[str, Any], str, int] | list[Problem]:
    """The front matter with its unknown keys, the body and the line it starts in."""
    front, body, body_line = split(text)
    if front is None:
        return [Problem(path, 1, "the front matter opened by '---' is never closed", "Close it with a line '---'")]
    found = read(path, front)
    return found if isinstance(found, list) else (*found, body, body_line)


def article_of(
    path: str,
    body: str,
    matter: FrontMatter | None = None,
    extra: Mapping[str, Any] | None = None,
    *,
    data: bytes = b"",
    body_line: int = 1,
) -> KnowledgeObject:
    """The knowledge object of a body in Markdown and its front matter; ``data`` are the bytes of the whole file."""
    matter = matter or FrontMatter()
    document = parse_markdown(body)
    title = matter.title or _title_in(document) or title_of_path(path)
    known = matter.model_dump(exclude={"title", "id", "type", *(matter.model_extra or {})})
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in known.items()}
    return KnowledgeObject(
        id=matter.id or id_of_path(path),
        type=matter.type or _type_of(path, title, document),
        title=" ".join(title.split()),
        body=body,
        path=path,
        revision=blob_id(data or body.encode()),
        extra=extra or {},
        body_line=body_line,
        **fields,
    )


def id_of_path(path: str) -> str:
    """``runbooks/check-port.md`` -> ``runbooks/check-port``."""
    pure = PurePosixPath(path)
    # Of "...md" nothing would be left but a step up
    return path if not pure.stem.strip(".") else str(pure.with_suffix(""))


def title_of_path(path: str) -> str:
    """A file's name as words; a README or index takes its folder's name."""
    pure = PurePosixPath(path)
    stem = pure.name.split(".")[0] or pure.stem
    if stem.lower().lstrip("_") in {"readme", "index"} and pure.parent.name:
        stem = pure.parent.name
    words = " ".join(words_of_name(stem))
    return words[:1].upper() + words[1:] if words else stem


def _title_in(document: Document) -> str | None:
    """The first heading of level 1, else the first heading, but for one that any article could have ("Steps")."""
    headings = [section for section in document.sections if section.title]
    first = next((section for section in headings if section.level == 1), headings[0] if headings else None)
    return None if first is None or (first.level > 1 and _SECTION_HEADINGS.match(first.title)) else first.title


def _type_of(path: str, title: str, document: Document) -> KnowledgeType:
    """By the nearest folder whose name says it, else by the shape of the text."""
    for folder in reversed(PurePosixPath(path).parts[:-1]):
        if folder.lower() in _FOLDER_TYPES:
            return _FOLDER_TYPES[folder.lower()]
    headings = [section.title for section in document.sections if section.title]
    if _GLOSSARY_TITLE.search(title):
        return "glossary"
    if title.rstrip().endswith("?") or (headings and sum(h.endswith("?") for h in headings) * 2 > len(headings)):
        return "faq"
    if sum(bool(_RUNBOOK_HEADINGS.match(heading)) for heading in headings) >= 2:
        return "runbook"
    kinds = [block.kind for section in document.sections for block in section.blocks]
    if kinds and kinds.count("definition") * 2 > len(kinds):
        return "glossary"
    return "howto"
