"""The one Markdown parser: a text becomes sections with anchors, and each section blocks of plain text.

CommonMark with tables, strikethrough, definition lists, task lists and admonitions; raw HTML stays text
(``html=False``). Anchors are GitHub's: lower case, punctuation gone, spaces to hyphens, ``-1`` for a second one.
"""

import gc
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from itertools import pairwise
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from mdit_py_plugins.admon import admon_plugin
from mdit_py_plugins.container import container_plugin
from mdit_py_plugins.deflist import deflist_plugin

from indexer.markdown_rules import TooMuchMarkupError, frugal

BlockKind = Literal["paragraph", "step", "item", "code", "row", "definition"]
ADMONITIONS = ("note", "tip", "info", "important", "warning", "caution", "danger")

_VIDEO = re.compile(r"\.(mp4|m4v|webm|mov|ogv)$", re.IGNORECASE)
# No piece of a pattern may also begin what follows it, else a text full of beginnings takes long
_TAG = re.compile(r"</?[a-zA-Z][^<>\n]*>")
_NOT_TEXT = (("<!--", "-->"), ("{{<", ">}}"), ("{{%", "%}}"), ("<%", "%>"))
_TEMPLATED_LINK = re.compile(r"\[([^\[\]\n]+)\]\(\s*\{\{[^{}\n]*\}\}\s*\)")
# Without these there is nothing in a text to take out
_UNREAD = re.compile(r"[<{\t]|  ")
_CUSTOM_ANCHOR = re.compile(r"\{#([\w-]+)\}\Z")


@dataclass(frozen=True, slots=True)
class Block:
    """What must stay together: a paragraph, one step with its commands, a table row, a term with its definition.

    ``cells`` are a row's cells (a header row has none), or a definition's term and text; ``header`` the header's cells.
    """

    kind: BlockKind
    text: str
    cells: tuple[str, ...] = ()
    header: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """The text below one heading, up to the next. Level 0 is what stands before the first heading."""

    level: int
    title: str
    anchor: str
    path: tuple[str, ...]
    blocks: tuple[Block, ...]
    videos: tuple[str, ...] = ()


@dataclass(frozen=True)
class Document:
    """A parsed text. ``title_heading`` is the first heading if it is of level 1 and nothing stands before it.

    ``tokens`` are markdown-it's, each heading with its anchor as ``id``. A text with more markup than is
    read is code as it stands; ``too_much_at`` is then the line, counted from 0, up to which it was read.
    """

    tokens: list[Token] = field(repr=False)
    too_much_at: int | None = None

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        return tuple(_sections(self.tokens))

    @property
    def title_heading(self) -> str | None:
        first = next((section for section in self.sections if section.level or section.blocks), None)
        return first.title if first and first.level == 1 else None

    def without_title_heading(self) -> "Document":
        """The text below the title, for where the title is shown apart."""
        return Document(self.tokens[3:]) if self.title_heading and self.tokens[0].type == "heading_open" else self


@cache
def parser() -> MarkdownIt:
    """The configured parser, without a renderer's options."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    markdown.use(deflist_plugin).use(frugal).use(admon_plugin)
    # One rule for all names: each looks at every line
    markdown.use(
        container_plugin, "admonition", validate=lambda said, _: _admonition(said) in ADMONITIONS, render=_opened
    )
    return markdown


def _admonition(said: str) -> str:
    return said.strip().split(" ", 1)[0]


def _opened(self: RendererHTML, tokens: Sequence[Token], place: int, options: OptionsDict, env: EnvType) -> str:
    """A box of the class that its name says."""
    if tokens[place].nesting == 1:
        tokens[place].attrSet("class", _admonition(tokens[place].info))
    return self.renderToken(tokens, place, options, env)


@lru_cache(maxsize=8)
def parse_markdown(text: str) -> Document:
    """The text's document; any text is one. Asked again for the same text soon after, it is not parsed again."""
    try:
        with _uncollected():
            tokens = parser().parse(text)
    except TooMuchMarkupError as error:
        return Document([Token("code_block", "code", 0, content=text, map=[0, text.count("\n") + 1])], error.line)
    _set_anchors(tokens)
    return Document(tokens)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without a search for garbage, which would go through all the tokens of a long text again and again."""
    searched = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        # Where several threads parse, the one that ended it has it go on
        if searched:
            gc.enable()


def slug(heading: str) -> str:
    """The anchor of a heading as GitHub writes it."""
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", heading.strip().lower()))


def plain(inline: Token) -> str:
    """The words a reader sees: picture alt texts and captions are words, markup is none."""
    parts: list[str] = []
    for child in inline.children or []:
        if child.type in {"text", "code_inline", "html_inline"}:
            parts.append(child.content)
        elif child.type in {"softbreak", "hardbreak"}:
            parts.append("\n" if child.type == "hardbreak" else " ")
        elif child.type == "image":
            parts.append(" ".join(filter(None, (plain(child), str(child.attrGet("title") or "")))))
    said = "".join(parts)
    if not _UNREAD.search(said):
        return said.strip()
    said = _TEMPLATED_LINK.sub(r"\1", said)
    for opening, closing in _NOT_TEXT:
        said = _without(said, opening, closing)
    return re.sub(r"[ \t]+", " ", _TAG.sub(" ", said)).strip()


def _without(text: str, opening: str, closing: str) -> str:
    """The text without what stands between the two; what is never closed stays."""
    kept: list[str] = []
    at = 0
    while (start := text.find(opening, at)) >= 0 and (end := text.find(closing, start + len(opening))) >= 0:
        kept.append(text[at:start])
        at = end + len(closing)
    return " ".join([*kept, text[at:]])


def _set_anchors(tokens: list[Token]) -> None:
    """Give every heading its id, each once in a document, and take a ``{#id}`` of the author's out of its text."""
    taken: dict[str, int] = {}
    for opening, inline in pairwise(tokens):
        if opening.type != "heading_open":
            continue
        last = inline.children[-1] if inline.children else None
        custom = _CUSTOM_ANCHOR.search(last.content.rstrip()) if last is not None and last.type == "text" else None
        if custom and last is not None:
            last.content = last.content[: custom.start()].rstrip()
        anchor = name = custom[1] if custom else slug(plain(inline)) or "section"
        # Another heading may be called what the second of a name would get
        while anchor in taken:
            taken[name] += 1
            anchor = f"{name}-{taken[name]}"
        taken[anchor] = 0
        opening.attrSet("id", anchor)


def _sections(tokens: list[Token]) -> Iterator[Section]:
    path: list[tuple[int, str]] = []
    level, title, anchor = 0, "", ""
    starts = [i for i, token in enumerate(tokens) if token.type == "heading_open" and token.level == 0]
    for start, end in zip([-3, *starts], [*starts, len(tokens)], strict=True):
        if start >= 0:
            level, title = int(tokens[start].tag[1]), plain(tokens[start + 1])
            anchor = str(tokens[start].attrGet("id"))
            path = [(above, name) for above, name in path if above < level] + [(level, title)]
        inside = tokens[start + 3 : end]
        blocks = tuple(block for block in _blocks(inside) if block.text)
        yield Section(level, title, anchor, tuple(name for _, name in path), blocks, tuple(_videos(inside)))


def _blocks(tokens: list[Token]) -> Iterator[Block]:
    position = 0
    while position < len(tokens):
        token = tokens[position]
        end = _close(tokens, position)
        inside = tokens[position + 1 : end]
        if token.type in {"ordered_list_open", "bullet_list_open"}:
            yield from _items(inside, token)
        elif token.type == "table_open":
            yield from _rows(inside)
        elif token.type == "dl_open":
            yield from _definitions(inside)
        elif token.type in {"fence", "code_block"}:
            yield Block("code", token.content.rstrip("\n"))
        elif token.type == "paragraph_open":
            yield Block("paragraph", _text(inside))
        elif token.nesting == 1 and not token.type.startswith("heading"):
            yield from _blocks(inside)
        elif token.nesting == 1:
            yield Block("paragraph", _text(inside))
        position = end + 1


def _close(tokens: list[Token], start: int) -> int:
    """The index of the token that closes the one at ``start``; itself for one that opens nothing."""
    if tokens[start].nesting != 1:
        return start
    level = tokens[start].level
    for index in range(start + 1, len(tokens)):
        if tokens[index].nesting == -1 and tokens[index].level == level:
            return index
    return len(tokens) - 1


def _items(tokens: list[Token], opening: Token) -> Iterator[Block]:
    number = int(opening.attrGet("start") or 1) if opening.type == "ordered_list_open" else None
    position = 0
    while position < len(tokens):
        end = _close(tokens, position)
        text = _text(tokens[position + 1 : end])
        if number is None:
            yield Block("item", f"- {text}" if text else "")
        else:
            yield Block("step", f"{number}. {text}" if text else "")
            number += 1
        position = end + 1


def _rows(tokens: list[Token]) -> Iterator[Block]:
    header: tuple[str, ...] = ()
    cells: list[str] = []
    for token in tokens:
        if token.type == "inline":
            cells.append(plain(token))
        elif token.type == "tr_close":
            row, cells = tuple(cells), []
            text = " | ".join(filter(None, row))
            yield Block("row", text, row, header) if header else Block("row", text)
            header = header or row


def _definitions(tokens: list[Token]) -> Iterator[Block]:
    term, position = "", 0
    while position < len(tokens):
        end = _close(tokens, position)
        text = _text(tokens[position + 1 : end])
        if tokens[position].type == "dt_open":
            term = text
        else:
            yield Block("definition", f"{term}: {text}", (term, text))
        position = end + 1


def _text(tokens: list[Token]) -> str:
    lines = []
    for token in tokens:
        if token.type == "inline":
            lines.append(plain(token))
        elif token.type in {"fence", "code_block"}:
            lines.append(token.content.rstrip("\n"))
    return "\n".join(line for line in lines if line)


def _videos(tokens: list[Token]) -> Iterator[str]:
    for token in tokens:
        for child in token.children or []:
            target = str(child.attrGet("src") or child.attrGet("href") or "")
            if _VIDEO.search(target) and "://" not in target:
                yield target
