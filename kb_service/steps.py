"""The steps of a runbook, to be ticked off while it is run."""

from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it.token import Token

from indexer.markdown import Document, plain

_MOST_LETTERS = 80
_SAYING = {"inline", "fence", "code_block"}


@dataclass(frozen=True, slots=True)
class Steps:
    """A runbook whose steps can be told apart: each is an item of class ``step-N``, or begins at a heading.

    ``names`` are what each says, in short; ``anchors`` those of the headings where sections are the steps.
    """

    document: Document
    names: tuple[str, ...]
    anchors: tuple[str, ...] = ()


def steps_of(document: Document) -> Steps:
    """The numbered items and tasks of a runbook; where it has none, its sections."""
    tokens = list(document.tokens)
    names = []
    for place in list(_items(tokens)):
        names.append(_says(tokens, place))
        classes = " ".join(filter(None, (str(tokens[place].attrGet("class") or ""), f"step-{len(names)}")))
        tokens[place] = tokens[place].copy(attrs={**tokens[place].attrs, "class": classes})
    if names:
        return Steps(Document(tokens), tuple(names))
    sections = [section for section in document.sections if section.level == 2]
    return Steps(document, tuple(one.title for one in sections), tuple(one.anchor for one in sections))


def _items(tokens: list[Token]) -> Iterator[int]:
    """Where the items of the outermost lists begin that are numbered or tasks; what is inside belongs to the step."""
    numbered = False
    for place, token in enumerate(tokens):
        if token.level == 0 and token.nesting == 1:
            numbered = token.type == "ordered_list_open"
        is_task = "task-list-item" in str(token.attrGet("class") or "")
        if token.type == "list_item_open" and token.level == 1 and (numbered or is_task):
            yield place


def _says(tokens: list[Token], place: int) -> str:
    end = next(at for at in range(place, len(tokens)) if tokens[at].type == "list_item_close" and tokens[at].level == 1)
    said = next((" ".join(_text(one).split()) for one in tokens[place:end] if one.type in _SAYING), "").rstrip(":")
    return said if len(said) <= _MOST_LETTERS else f"{said[:_MOST_LETTERS].rsplit(' ', 1)[0]} …"


def _text(token: Token) -> str:
    return plain(token) if token.type == "inline" else token.content
