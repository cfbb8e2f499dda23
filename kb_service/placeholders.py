"""What is to be filled in: ``{{host}}`` in a runbook's commands, ``[Customer's Name]`` in a template's text."""

import re
from collections import Counter
from collections.abc import Collection, Mapping

from markdown_it.token import Token

from indexer.markdown import Document

# Not the variables of a template language, as in {{ $labels.instance }} or {{< note >}}
_IN_COMMANDS = re.compile(r"(?<![{$])\{\{\s*([A-Za-z][\w .-]{0,40}?)\s*\}\}(?!\})")
# Nor a box that is ticked, or the place in a list
_IN_TEXTS = re.compile(r"(?<!\w)\[(?![xX]\])([^\W\d_][^\[\]\n]{0,80})\]")
_CODE = frozenset({"fence", "code_block", "code_inline"})
_TEXT = _CODE | {"text"}
MOST_LETTERS = 500
_MOST_FIELDS = 60
_COMMANDING = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def command_fields(document: Document) -> tuple[str, ...]:
    """The names in an article's commands, each once, in order."""
    return _names(document, _IN_COMMANDS, _CODE)


def with_commands_filled(document: Document, values: Mapping[str, str]) -> Document:
    """The commands with what is known filled in. A value is one line: what is pasted must not run by itself."""
    return _filled(document, _IN_COMMANDS, _CODE, values)


def text_fields(document: Document) -> tuple[str, ...]:
    """The names in the texts of a template, each once, in order; what is a link or a note of its own is none.

    ``[Customer's Name]`` is the same wherever it stands. What has no capital and stands in several places, as
    ``[time]``, is another thing in each: it is no field, and is filled in where it stands.
    """
    said = Counter(_said(document, _IN_TEXTS, _TEXT))
    return tuple(name for name, count in said.items() if count == 1 or not name[0].islower())[:_MOST_FIELDS]


def with_texts_filled(document: Document, values: Mapping[str, str]) -> Document:
    """The texts with what is known filled in."""
    fields = text_fields(document)
    return _filled(document, _IN_TEXTS, _TEXT, {name: values[name] for name in fields if name in values})


def clean(value: str) -> str:
    """One line of it."""
    return _COMMANDING.sub(" ", value).strip()[:MOST_LETTERS]


def _names(document: Document, pattern: re.Pattern[str], kinds: Collection[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_said(document, pattern, kinds)))[:_MOST_FIELDS]


def _said(document: Document, pattern: re.Pattern[str], kinds: Collection[str]) -> list[str]:
    """The names as often as they stand there."""
    tokens = (one for token in document.tokens for one in (token, *(token.children or ())))
    return [found[1] for one in tokens if one.type in kinds for found in pattern.finditer(one.content)]


def _filled(
    document: Document, pattern: re.Pattern[str], kinds: Collection[str], values: Mapping[str, str]
) -> Document:
    def filled(token: Token) -> Token:
        if token.type in kinds:
            said = pattern.sub(lambda found: clean(values.get(found[1], "")) or found[0], token.content)
            return token.copy(content=said)
        # What a picture shows is for who cannot see it
        if token.children and token.type != "image":
            return token.copy(children=[filled(child) for child in token.children])
        return token

    return Document([filled(token) for token in document.tokens])
