"""Knowledge objects cut into passages, by type, so that each answers by itself and fits the encoder whole.

A passage is what is found and shown: a question with its answer, a term with its definition, a step with its
commands. It never exceeds the encoder's window, so nothing is silently truncated.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import Literal

from indexer.knowledge import KnowledgeObject
from indexer.markdown import Block, Section

Role = Literal["title", "name", "question", "answer", "term", "symptom", "step", "section", "resolution"]
CountTokens = Callable[[str], int]

_GENERAL_HEADING = re.compile(
    r"^((meanings?|examples?|formula|in (short|brief|practice|general)|not to be confused( with)?|see also|related|"
    r"notes?|references?|further reading|overview|introduction|background|usage|history)\W*$|"
    r"(what|why|how|when|who|where|which|is|are|can|does|do)\b)",
    re.IGNORECASE,
)
# A table under these shows a term at work, and defines none
_EXAMPLES = re.compile(r"^(examples?|formula|history)\W*$", re.IGNORECASE)
_COLLECTION = re.compile(
    r"\b(glossary|abbreviations|acronyms|terms|terminology|definitions|vocabulary)\b", re.IGNORECASE
)
_ROLE_OF_HEADING: tuple[tuple[Role, re.Pattern[str]], ...] = (
    ("symptom", re.compile(r"^(symptoms?|meaning|impact|alert|error|signs|detection)\b", re.IGNORECASE)),
    ("resolution", re.compile(r"^(resolution|mitigation|remediation|(permanent )?fix|workaround|solution)\b", re.I)),
    ("step", re.compile(r"^(steps?|procedure|diagnos\w+|verification|rollback|investigation)\b", re.IGNORECASE)),
)
_CUE = re.compile(r"^(\d+|[\d:.,]+\s+-->.*|WEBVTT.*|NOTE\b.*|STYLE\b.*)$")
_MOST_LETTERS_A_TOKEN = 16


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of one article or record. ``heading_path`` starts with the owner's title; ``id`` is unique in an index.

    A ``title`` is one of the owner's names by words and by meaning; a ``name`` (its file's) only by words.
    """

    id: str
    owner_id: str
    heading_path: tuple[str, ...]
    anchor: str
    text: str
    role: Role

    @property
    def encoded_text(self) -> str:
        """What the encoder reads: a title by itself, other text below its headings, nothing for a name."""
        if self.role in {"title", "name"}:
            return self.text if self.role == "title" else ""
        return _below(self.heading_path, self.text)


def names(knowledge: KnowledgeObject) -> tuple[str, ...]:
    """What an article is called by its author: its title, its heading of level 1, its aliases."""
    heading = knowledge.document.title_heading
    return tuple(dict.fromkeys(filter(None, (knowledge.title, heading, *knowledge.aliases))))


def cut(
    knowledge: KnowledgeObject,
    count_tokens: CountTokens,
    max_tokens: int,
    transcripts: Mapping[str, str] | None = None,
) -> tuple[Passage, ...]:
    """The passages of a knowledge object: its names, its summary, then its text in reading order.

    ``count_tokens`` counts as the encoder does, special tokens included; no passage's ``encoded_text`` counts over
    ``max_tokens``. ``transcripts`` maps a video's target, as it stands in the text, to its transcript, which is said
    where the video is first shown.
    """
    title = (knowledge.title,)
    file_name = PurePosixPath(knowledge.path).name.split(".")[0]
    units: list[_Unit] = [_Unit("title", title, "", (name,)) for name in names(knowledge)]
    units.append(_Unit("name", title, "", (file_name,)))
    if knowledge.type != "glossary":  # a definition sums itself up
        units.append(_Unit("section", title, "", (knowledge.summary,)))
    unsaid = dict(transcripts or {})
    for section in knowledge.document.sections:
        units += _units(knowledge, section)
        path = _heading_path(knowledge, section)
        said = [spoken(unsaid.pop(video)) for video in section.videos if video in unsaid]
        units += [_Unit("section", path, section.anchor, (text,)) for text in said]
    return _packed(knowledge.id, units, _Window(cache(count_tokens), max_tokens))


def cut_record(
    record_id: str, title: str, texts: Sequence[tuple[Role, str]], count_tokens: CountTokens, max_tokens: int
) -> tuple[Passage, ...]:
    """The passages of a record that is plain text: its title, then each text paragraph by paragraph.

    The role of a text says what it is: ``symptom`` for a description, ``resolution`` for close notes.
    """
    path = (title,)
    units = [_Unit("title", path, "", (title,))] if title else []
    units += [_Unit(role, path, "", tuple(re.split(r"\n\s*\n", text))) for role, text in texts]
    return _packed(record_id, units, _Window(cache(count_tokens), max_tokens))


def spoken(transcript: str) -> str:
    """The words of a WebVTT or SubRip transcript, without cue numbers and times; rolling captions said once."""
    lines = (line.strip() for line in transcript.splitlines())
    return re.sub(r"<[^<>\n]*>", "", " ".join(dict.fromkeys(line for line in lines if line and not _CUE.match(line))))


@dataclass(frozen=True, slots=True)
class _Unit:
    """Texts that belong together, before they are packed into passages."""

    role: Role
    path: tuple[str, ...]
    anchor: str
    texts: tuple[str, ...]


def _units(knowledge: KnowledgeObject, section: Section) -> list[_Unit]:
    path = _heading_path(knowledge, section)
    role = _role(knowledge, section)
    if knowledge.type != "glossary":
        return [_Unit(role, path, section.anchor, tuple(block.text for block in section.blocks))]
    is_example = _EXAMPLES.match(section.title) is not None

    def defines(block: Block) -> bool:
        return len(block.cells) > 1 and not (is_example and block.header)

    terms = [block for block in section.blocks if defines(block)]
    rest = tuple(block.text for block in section.blocks if not defines(block))
    units = [_Unit("term", (*path, block.cells[0]), section.anchor, (_definition(block),)) for block in terms]
    return [_Unit(role, path, section.anchor, rest), *units]


def _definition(block: Block) -> str:
    """A term's definition; further columns of a table follow under their headings."""
    first, *others = block.cells[1:]
    further = [f"{head}: {cell}" for head, cell in zip(block.header[2:], others, strict=False) if cell]
    return "\n".join([first, *further])


def _role(knowledge: KnowledgeObject, section: Section) -> Role:
    is_title = section.level == 0 or section.title == knowledge.document.title_heading
    if knowledge.type == "faq":
        return "answer" if is_title or section.title.endswith("?") else "section"
    if knowledge.type == "glossary":
        if is_title:
            return "section" if _COLLECTION.search(knowledge.title) else "term"
        return "section" if _GENERAL_HEADING.match(section.title) else "term"
    return next((role for role, pattern in _ROLE_OF_HEADING if pattern.match(section.title)), "section")


def _heading_path(knowledge: KnowledgeObject, section: Section) -> tuple[str, ...]:
    """The title, then the headings; a heading of level 1 that opens the text is the title said again."""
    opening = knowledge.document.title_heading
    return (knowledge.title, *(section.path[1:] if section.path[:1] == (opening,) else section.path))


def _below(path: Sequence[str], text: str) -> str:
    return f"{' > '.join(path)}\n{text}"


@dataclass(frozen=True, slots=True)
class _Window:
    """The encoder's window: how much text one passage can hold.

    ``count`` keeps what it counted: each text is asked for two or three times, and tokens take most of the cutting.
    """

    count: CountTokens
    most: int

    def shortened(self, path: tuple[str, ...]) -> tuple[str, ...]:
        """The heading path, without its middle where it would take over half of the window."""
        while len(path) > 2 and self.count(_below(path, "")) > self.most // 2:
            path = (path[0], *path[2:])
        while self.count(_below(path, "")) > self.most // 2:
            path = tuple(heading[: len(heading) // 2] for heading in path)
        return path

    def packed(self, texts: Sequence[str], context: str) -> Iterator[str]:
        """The texts, as many to a passage as fit below ``context``; one too long for any is cut where it breaks."""
        budget = self.most - self.count(context)
        held: list[str] = []
        used = 0
        for piece in (piece for text in texts for piece in self._pieces(text, budget)):
            cost = self.count(piece)
            if held and used + cost > budget:
                yield "\n".join(held)
                held, used = [], 0
            held.append(piece)
            used += cost
        if held:
            yield "\n".join(held)

    def _pieces(self, text: str, budget: int) -> Iterator[str]:
        text = text.strip()
        if len(text) <= budget * _MOST_LETTERS_A_TOKEN and self.count(text) <= budget:
            if text:
                yield text
            return
        if len(text) < 2:
            return
        at = _break_near_middle(text)
        yield from self._pieces(text[:at], budget)
        yield from self._pieces(text[at:], budget)


def _packed(owner_id: str, units: Sequence[_Unit], window: _Window) -> tuple[Passage, ...]:
    """Units as passages that fit the window, in order."""
    found: list[Passage] = []
    for unit in units:
        path = window.shortened(unit.path)
        context = "" if unit.role in {"title", "name"} else _below(path, "")
        for text in window.packed(unit.texts, context):
            found.append(Passage(f"{owner_id}#{len(found)}", owner_id, path, unit.anchor, text, unit.role))
    return tuple(found)


def _break_near_middle(text: str) -> int:
    """Where to cut in two: at a line's end, else a sentence's, else between words, else anywhere."""
    low, middle, high = len(text) // 4, len(text) // 2, 3 * len(text) // 4
    for boundary in ("\n", ". ", " "):
        before, after = text.rfind(boundary, low, middle), text.find(boundary, middle, high)
        near = min((at for at in (before, after) if at >= 0), key=lambda at: abs(at - middle), default=-1)
        if near >= 0:
            return near + len(boundary)
    return middle
