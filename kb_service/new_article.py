"""The file of a new article: what it is called, where it lies, and what is written on its first lines.

A file's name is plain on every system: lower case, letters without accents where they have some, no name that Windows
keeps for itself. The title keeps everything.
"""

import os
import posixpath
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from indexer.errors import KnowledgeBaseError
from indexer.frontmatter import Audience, KnowledgeType, Tier
from indexer.knowledge import KnowledgeObject, id_of_path, parse
from indexer.source import ARTICLE_ENDINGS, NEVER_CONTENT, WorkingTree
from kb_service.front_matter_lines import front_matter

MOST_TITLE_LETTERS = 300
_MOST_SLUG_LETTERS = 80
_MOST_SLUG_BYTES = 160
_FOLDERS: Mapping[KnowledgeType, str] = {
    "faq": "faq",
    "runbook": "runbooks",
    "glossary": "glossary",
    "howto": "howto",
    "known-error": "known-errors",
    "template": "templates",
    "policy": "policies",
}
# By content/policies/knowledge-lifecycle.md: a year; a known error ends with its permanent fix, sooner as a rule
_REVIEW_DAYS: Mapping[KnowledgeType, int] = {"known-error": 182}
_A_YEAR = 365
_SPELLED = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "å": "aa", "œ": "oe", "ð": "d", "þ": "th",
     "ł": "l", "đ": "d", "ı": "i"}
)  # fmt: skip
_KEPT_BY_WINDOWS = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)")
_HINTS = {
    "summary": "one sentence: what the reader gets from this article",
    "tier": "L1, L2 or L3: who can carry this out",
    "services": "[of the service catalogue, …]",
    "tags": "[words to filter by, …]",
    "aliases": "[what people call it, error texts, …]",
    "owner": "the team that is accountable for it",
}


class NotPlacedError(KnowledgeBaseError):
    """A new article cannot be put where it was to be."""


@dataclass(frozen=True, slots=True)
class Particulars:
    """What is known of a new article beside its text."""

    kind: KnowledgeType
    title: str
    summary: str = ""
    audience: Audience = "internal"
    tier: Tier | None = None
    services: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    owner: str | None = None
    related: tuple[str, ...] = ()


def one_line(given: str) -> str:
    """A text on one line, without what cannot be printed."""
    shown = "".join(letter for letter in " ".join(given.split()) if unicodedata.category(letter) not in {"Cc", "Cs"})
    return " ".join(shown.split())


def clean_title(given: str) -> str:
    """A title on one line, without what cannot be printed. Raises NotPlacedError for none, or one that is too long."""
    title = one_line(given)
    if not title:
        raise NotPlacedError("the title is empty", "Give what a reader would type: the question, the fault, the term")
    if len(title) > MOST_TITLE_LETTERS:
        what = f"the title has {len(title)} letters, and {MOST_TITLE_LETTERS} is the most"
        raise NotPlacedError(what, "Shorten it; the rest belongs into the text")
    return title


def text_of(what: Particulars, body: str, today: date | None = None) -> str:
    """A new article's whole text: a draft, so that no search finds it before it is done."""
    day = today or datetime.now(UTC).date()
    values = {
        "title": what.title,
        "type": what.kind,
        "workflow_state": "draft",
        "summary": what.summary,
        "audience": what.audience,
        "tier": what.tier,
        "services": what.services,
        "tags": what.tags,
        "aliases": what.aliases,
        "owner": what.owner,
        "review_by": day + timedelta(days=_REVIEW_DAYS.get(what.kind, _A_YEAR)),
        **({"related": what.related} if what.related else {}),
    }
    return f"{front_matter(values, _HINTS)}\n{body}"


def slug_of(title: str, kind: KnowledgeType) -> str:
    """A file's name for a title, without its ending; a title of signs alone gets its type's name."""
    folded = unicodedata.normalize("NFC", title).casefold().translate(_SPELLED)
    plain = "".join(map(_plain_letter, re.sub(r"['’]", "", folded)))
    slug = "-".join("".join(one if unicodedata.category(one)[0] in "LNM" else " " for one in plain).split())
    cut = slug[:_MOST_SLUG_LETTERS].encode()[:_MOST_SLUG_BYTES].decode("utf-8", "ignore")
    if cut != slug and slug[len(cut)] != "-" and "-" in cut:
        cut = cut[: cut.rindex("-")]
    name = cut.strip("-") or kind
    return f"{name}-{kind}" if _KEPT_BY_WINDOWS.fullmatch(name) else name


def place(
    tree: WorkingTree, objects: Iterable[KnowledgeObject], kind: KnowledgeType, title: str, wanted: Path | None = None
) -> str:
    """The path of a new article inside the content: ``wanted`` (a file or a folder), else by its type and title.

    Raises NotPlacedError where something is there already, or it would lie outside of the content.
    """
    known = tuple(objects)
    name = f"{slug_of(title, kind)}.md"
    path = _inside(tree.root, wanted, name) if wanted else posixpath.join(folder_of(kind, known), name)
    target = (tree.root / path).resolve()
    if not target.is_relative_to(tree.root):
        raise NotPlacedError(f"{path} is outside of the content {tree.root}", "Name a path inside of it")
    if not path.lower().endswith(ARTICLE_ENDINGS):
        raise NotPlacedError(f"{path} is no article's file", "Let its name end in .md")
    if any(part.lower() in NEVER_CONTENT for part in path.split("/")) or not path.isprintable():
        raise NotPlacedError(f"{path!r} is never read as content", "Name another folder or file")
    taken = next((one for one in known if _same(one.path, path) or _same(one.id, id_of_path(path))), None)
    if taken is not None or target.exists():
        there = f"{taken.path} ('{taken.title}')" if taken else path
        raise NotPlacedError(f"{there} is there already", "Improve that one, or name another file by --path")
    return path


def write(tree: WorkingTree, path: str, text: str) -> Path:
    """Write a new file, never over another, and none that would be refused. Raises NotPlacedError, OSError."""
    parsed = parse(path, text.encode())
    if isinstance(parsed, list):
        raise NotPlacedError(f"{parsed[0].path} would be refused: {parsed[0].problem}", parsed[0].remedy)
    file = tree.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except FileExistsError:
        raise NotPlacedError(f"{path} is there already", "Improve that one, or name another file by --path") from None
    return file


def folder_of(kind: KnowledgeType, objects: Iterable[KnowledgeObject]) -> str:
    """Where most articles of a type lie, else the folder that is named after it."""
    counts = Counter(posixpath.dirname(one.path) for one in objects if one.type == kind)
    return min(counts, key=lambda folder: (-counts[folder], folder)) if counts else _FOLDERS[kind]


def owner_of_service(services: Iterable[str], objects: Iterable[KnowledgeObject]) -> str | None:
    """Whom most articles of these services belong to."""
    wanted = set(services)
    counts = Counter(one.owner for one in objects if one.owner and not wanted.isdisjoint(one.services))
    return min(counts, key=lambda owner: (-counts[owner], owner)) if counts else None


def _inside(root: Path, wanted: Path, name: str) -> str:
    """A path as it was typed, from where one stands or from the content's folder, as one from the latter."""
    from_here = wanted.absolute()
    whole = from_here if from_here.resolve().is_relative_to(root) else root / wanted
    if whole.is_dir() or not whole.suffix:
        whole = whole / name
    return Path(os.path.relpath(whole.resolve(), root)).as_posix()


def _same(one: str, other: str) -> bool:
    """Whether two paths are one where a file system does not tell cases apart."""
    return unicodedata.normalize("NFC", one).casefold() == unicodedata.normalize("NFC", other).casefold()


def _plain_letter(letter: str) -> str:
    """Without its accent, where it is a Latin letter."""
    parts = unicodedata.normalize("NFKD", letter)
    return "".join(one for one in parts if one.isascii()) or letter
