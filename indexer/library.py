"""All articles of a content side by side, as ``kb check`` looks at them: each read once, with its lines."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import Literal
from urllib.parse import quote, unquote

from markdown_it.token import Token

from indexer.credentials import Credential, credentials_in, without_secrets
from indexer.errors import Problem
from indexer.knowledge import KnowledgeObject, id_of_path, parse, text_of
from indexer.markdown import Section
from indexer.progress import Progress, unwatched
from indexer.source import Content

# So far an opening looks for its end, so that a text full of openings does not take long
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(?:.|\n){0,2000}?(?<!`)\1(?!`)")
_TARGET = re.compile(
    r"(?<=\])\((?:[^()\n]|\([^()\n]*\))*\)|(?<=\])\[[^\]\n]*\]|<[^<>\n]+>|\b\w+://[^\s)>]+|<!--.{0,1000}?-->", re.S
)
_REFERENCE = re.compile(r"\[[^\[\]\n]+\]\[([^\[\]\n]+)\]")
_MOST_LINES_OF_LINK = 5
_LONGEST_LINE = 5_000
_KEPT_IN_TARGETS = "%;/?:@&=+$,-_.!~*'()#"


@dataclass(frozen=True, slots=True)
class Link:
    """A link or picture: its target, percent-encoded, and the file's line. Nothing defines a ``reference``."""

    target: str
    line: int
    kind: Literal["link", "picture", "reference"]


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph, item or cell from a line of the file on, as it stands there; code and link targets are blanked."""

    line: int
    text: str

    def line_at(self, position: int) -> int:
        """The file's line of a place in the text."""
        return self.line + self.text.count("\n", 0, position)


@dataclass(frozen=True)
class Article:
    """A knowledge object and what one look at its file shows.

    ``section_lines`` are those of the sections' headings, ``anchors`` lead to the lines of all headings.
    """

    knowledge: KnowledgeObject
    text: str
    sections: tuple[Section, ...]
    section_lines: tuple[int, ...]
    anchors: Mapping[str, int]
    links: tuple[Link, ...]
    prose: tuple[Prose, ...]

    @property
    def path(self) -> str:
        return self.knowledge.path

    @cached_property
    def credentials(self) -> tuple[Credential, ...]:
        """The secrets that stand in the text."""
        return tuple(credentials_in(self.text))

    @cached_property
    def _secrets(self) -> tuple[str, ...]:
        """The secrets as they are written and as they stand in a link's target and path, the longest first."""
        written = {self.text[one.start : one.end] for one in self.credentials}
        forms = {form for one in written for form in (one, quote(one, safe=_KEPT_IN_TARGETS), unquote(one))}
        return tuple(sorted(forms, key=len, reverse=True))

    def shown(self, text: str) -> str:
        """Words about this article on one line, without its secrets."""
        return without_secrets(text, self._secrets)

    def line_of(self, key: str, value: str = "") -> int:
        """The line of a key of the front matter, or of a value below it; 1 where neither stands there."""
        found = 1
        for number, line in enumerate(
            self.text.split("\n", self.knowledge.body_line)[: self.knowledge.body_line - 1], 1
        ):
            if re.match(rf"[\"']?{re.escape(key)}[\"']?\s*:", line):
                found = number
            if value and found > 1 and value in line:
                return number
        return found

    def line_of_title(self) -> int:
        """The title's line: its key's, else the heading's that it is taken from, else the first."""
        line = self.line_of("title")
        headings = zip(self.sections, self.section_lines, strict=True)
        taken = (at for section, at in headings if section.title == self.knowledge.title)
        return next(taken, 1) if line == 1 else line

    def anchor_line(self, anchor: str) -> int:
        """The line of the section that an anchor names."""
        return self.anchors.get(anchor, self.knowledge.body_line)


@dataclass(frozen=True)
class Library:
    """A content as it is on a day. ``files`` are no articles; ``refused`` is what keeps some from being one."""

    content: Content = field(repr=False)
    articles: Mapping[str, Article]
    files: frozenset[str]
    refused: tuple[Problem, ...]
    today: date

    @cached_property
    def paths(self) -> frozenset[str]:
        """Every file there is, whether it could be read as an article or not."""
        return frozenset({*self.articles, *self.files, *(problem.path for problem in self.refused)})

    @cached_property
    def by_id(self) -> Mapping[str, Article]:
        """Articles by id, the first by path where several claim one."""
        return {article.knowledge.id: article for article in reversed([*self.articles.values()])}

    @cached_property
    def by_file_name(self) -> Mapping[str, str]:
        """The path of the first article that has a file's name."""
        return {posixpath.basename(path): path for path in reversed([*self.articles])}

    @cached_property
    def by_former_id(self) -> Mapping[str, Article]:
        """Articles by the ids that they once had, by their files' former names as git knows them."""
        names = reversed([*self.content.history(None).latest_names().items()])
        return {id_of_path(old): self.articles[new] for old, new in names if new in self.articles}


def read_library(content: Content, today: date, progress: Progress = unwatched) -> Library:
    """Read every file of a content. Raises ContentMissingError where there is none."""
    scan = content.scan()
    articles: dict[str, Article] = {}
    refused = list(scan.problems)
    for count, path in enumerate(scan.articles, 1):
        try:
            data = content.read(path)
        except OSError as error:
            refused.append(
                Problem(path, 1, f"cannot be read: {error.strerror}", "Mend its permissions, or the repository")
            )
            continue
        parsed = parse(path, data)
        if isinstance(parsed, KnowledgeObject):
            articles[path] = article_of(parsed, text_of(data))
        else:
            refused += parsed
        progress("read", count, len(scan.articles))
    return Library(content, dict(sorted(articles.items())), scan.others | set(scan.transcripts), tuple(refused), today)


def article_of(knowledge: KnowledgeObject, text: str) -> Article:
    """What the checks look at of a parsed file and its text."""
    document = knowledge.document
    tokens, first = document.tokens, knowledge.body_line
    headings = [token for token in tokens if token.type == "heading_open"]
    inlines = [token for token in tokens if token.type == "inline"]
    in_headings = {id(inline) for opening, inline in pairwise(tokens) if opening.type == "heading_open"}
    prose = [token for token in inlines if id(token) not in in_headings]
    return Article(
        knowledge,
        text,
        document.sections,
        (first, *(_line(token, first) for token in headings if token.level == 0)),
        {str(token.attrGet("id")): _line(token, first) for token in headings},
        tuple(link for token in inlines for link in _links(token, _line(token, first))),
        tuple(Prose(_line(token, first), _blanked(token.content)) for token in prose),
    )


def _line(token: Token, first: int) -> int:
    return first + (token.map[0] if token.map else 0)


def _links(inline: Token, line: int) -> Iterator[Link]:
    """Each link at the line where its target stands; where that is elsewhere, at the line where the link begins."""
    # In a longer line no editor finds a place by looking, and there may be as many links as letters
    lines = [one if len(one) <= _LONGEST_LINE else "" for one in inline.content.split("\n")]
    written = {
        match[0]
        for match in _REFERENCE.finditer(inline.content)
        if inline.content[match.start() - 1 : match.start()] != "\\"
    }
    at = 0
    for child in inline.children or []:
        if child.type in {"softbreak", "hardbreak"}:
            at += 1
        elif child.type in {"link_open", "image"}:
            target = str(child.attrGet("src" if child.type == "image" else "href") or "")
            below = (
                n
                for n in range(at, min(at + _MOST_LINES_OF_LINK, len(lines)))
                if target in lines[n] or unquote(target) in lines[n]
            )
            yield Link(target, line + next(below, at), "picture" if child.type == "image" else "link")
        elif child.type == "text":
            for match in _REFERENCE.finditer(child.content):
                if match[0] in written:
                    yield Link(match[1], line + at, "reference")


def _blanked(source: str) -> str:
    """A text without code, link targets and comments, everything else at its place."""
    for pattern in (_CODE_SPAN, _TARGET):
        source = pattern.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), source)
    return source
