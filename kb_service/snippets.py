"""The piece of a passage that is shown for a query, with the matching words marked."""

import re
from collections.abc import Collection
from html import escape

from indexer.words import stems_of

LENGTH = 240
_WORD = re.compile(r"[^\W_]+(?:[-_.][^\W_]+)*")


def snippet(text: str, terms: Collection[str]) -> str:
    """Up to some 240 characters of the text around most of the terms: escaped HTML with ``<mark>`` around matches."""
    words = list(_WORD.finditer(text))
    parts = [re.split(r"[-_.]", word.group()) for word in words]
    stems = iter(stems_of([piece for pieces in parts for piece in pieces]))
    wholes = iter(stems_of([word.group() for word in words]))
    matching = []
    for word, pieces in zip(words, parts, strict=True):
        own = {next(stems) for _ in pieces} | {next(wholes)}
        if not own.isdisjoint(terms):
            matching.append(word.span())
    start, end = _window(text, [span for span, _ in matching])
    shown, at = [], start
    for left, right in matching:
        if left >= start and right <= end:
            shown += [escape(text[at:left]), "<mark>", escape(text[left:right]), "</mark>"]
            at = right
    shown.append(escape(text[at:end]))
    ends = ("… " if start else "", " …" if end < len(text) else "")
    return ends[0] + re.sub(r"\s+", " ", "".join(shown)).strip() + ends[1]


def matched_words(text: str, terms: Collection[str]) -> list[str]:
    """The query's words, as they are written in the query, whose term is one of ``terms``."""
    words = list(dict.fromkeys(word.group() for word in _WORD.finditer(text)))
    return [word for word, stem in zip(words, stems_of(words), strict=True) if stem in terms]


def _window(text: str, starts: list[int]) -> tuple[int, int]:
    """Where to cut so that most matches are seen, at word boundaries."""
    if len(text) <= LENGTH:
        return 0, len(text)
    best = max(starts, key=lambda at: sum(at <= other < at + LENGTH - 40 for other in starts), default=0)
    start = max(0, best - 40)
    if start:
        start = text.find(" ", start - 1) + 1 or start
    end = min(len(text), start + LENGTH)
    if end < len(text):
        end = max(text.rfind(" ", start, end), start + LENGTH // 2)
    return start, end
