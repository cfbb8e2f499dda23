"""What is to be filled in: ``{{host}}`` in a runbook's commands, ``[Customer's Name]`` in a template's text."""

import re
from collections.abc import Callable, Iterator, Mapping

from markdown_it.token import Token

from indexer.markdown import Document

# Not the variables of a template language, as in {{ $labels.instance }} or {{< note >}}
_IN_COMMANDS = re.compile(r"(?<![{$])\{\{\s*([A-Za-z][\w .-]{0,40}?)\s*\}\}(?!\})")
# Nor a box that is ticked, or the place in a list
_IN_TEXTS = re.compile(r"(?<!\w)\[(?![xX]\])([^\W\d_][^\[\]\n]{0,80})\]")
MOST_LETTERS = 500
_MOST_FIELDS = 60
_COMMANDING = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def command_fields(document: Document) -> tuple[str, ...]:
    """The names in an article's commands, each once, in order."""
    return _names(_IN_COMMANDS, _codes(document))


def with_commands_filled(document: Document, values: Mapping[str, str]) -> Document:
    """The commands with what is known filled in. A value is one line: what is pasted must not run by itself."""

    def fill(text: str) -> str:
        return _IN_COMMANDS.sub(lambda found: clean(values.get(found[1], "")) or found[0], text)

    return Document([_changed(token, fill, {"fence", "code_block", "code_inline"}) for token in document.tokens])


def text_fields(document: Document) -> tuple[str, ...]:
    """The names in the texts of a template, each once, in order; what is a link or a note of its own is none."""
    return _names(_IN_TEXTS, _texts(document))


def with_texts_filled(document: Document, values: Mapping[str, str]) -> Document:
    """The texts with what is known filled in."""

    def fill(text: str) -> str:
        return _IN_TEXTS.sub(lambda found: clean(values.get(found[1], "")) or found[0], text)

    return Document(
        [_changed(token, fill, {"fence", "code_block", "code_inline", "text"}) for token in document.tokens]
    )


def clean(value: str) -> str:
    """One line of it."""
    return _COMMANDING.sub(" ", value).strip()[:MOST_LETTERS]


def _names(pattern: re.Pattern[str], texts: Iterator[str]) -> tuple[str, ...]:
    names = dict.fromkeys(found[1] for text in texts for found in pattern.finditer(text))
    return tuple(names)[:_MOST_FIELDS]


def _codes(document: Document) -> Iterator[str]:
    for token in document.tokens:
        if token.type in {"fence", "code_block"}:
            yield token.content
        yield from (child.content for child in token.children or () if child.type == "code_inline")


def _texts(document: Document) -> Iterator[str]:
    for token in document.tokens:
        if token.type in {"fence", "code_block"}:
            yield token.content
        yield from (child.content for child in token.children or () if child.type in {"text", "code_inline"})


def _changed(token: Token, change: Callable[[str], str], kinds: set[str]) -> Token:
    # What a picture shows is for who cannot see it
    if token.type == "image":
        return token
    if token.type in kinds:
        return token.copy(content=change(token.content))
    if token.children:
        return token.copy(children=[_changed(child, change, kinds) for child in token.children])
    return token
