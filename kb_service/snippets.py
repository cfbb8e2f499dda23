"""The piece of a passage that is shown for a query, with the matching words marked."""

import re
from bisect import bisect_left
from collections.abc import Collection, Iterator
from functools import lru_cache
from html import escape

from indexer.language import Language
from indexer.terms import read_words

LENGTH = 240
_SIGNS = "-_."
_WORD = re.compile(rf"[^\W_]+(?:[{_SIGNS}][^\W_]+)*")


def snippet(text: str, terms: Collection[str], language: Language) -> str:
    """Up to some 240 characters of the text around most of the terms: escaped HTML with ``<mark>`` around matches."""
    matching = list(_matching(text, terms, language))
    start, end = _window(text, [left for left, _ in matching])
    shown, at = [], start
    for left, right in matching:
        if left >= start and right <= end:
            shown += [escape(text[at:left]), "<mark>", escape(text[left:right]), "</mark>"]
            at = right
    shown.append(escape(text[at:end]))
    ends = ("… " if start else "", " …" if end < len(text) else "")
    return ends[0] + " ".join("".join(shown).split()) + ends[1]


def _matching(text: str, terms: Collection[str], language: Language) -> Iterator[tuple[int, int]]:
    """Where the words stand of which any part is one of the terms: ``max_connections`` is one word of two parts."""
    words = read_words(text, language)
    starts, ends = words.starts, words.ends

    def joined(left: int) -> bool:
        return starts[left + 1] - ends[left] == 1 and text[ends[left]] in _SIGNS

    last = -1
    for at, stem in enumerate(words.stems):
        if at > last and stem in terms:
            first = last = at
            while first and joined(first - 1):
                first -= 1
            while last + 1 < len(starts) and joined(last):
                last += 1
            yield starts[first], ends[last]


def matched_words(text: str, terms: Collection[str], language: Language) -> list[str]:
    """The query's words, as they are written in the query, whose term is one of ``terms``."""
    return [word for word, stem in _stemmed(text, language) if stem in terms]


@lru_cache(maxsize=64)
def _stemmed(text: str, language: Language) -> tuple[tuple[str, str], ...]:
    words = list(dict.fromkeys(_WORD.findall(text)))
    return tuple(zip(words, map(language.stem, words), strict=True))


def _window(text: str, starts: list[int]) -> tuple[int, int]:
    """Where to cut so that most matches are seen, at word boundaries."""
    if len(text) <= LENGTH:
        return 0, len(text)
    seen = (bisect_left(starts, at + LENGTH - 40) - place for place, at in enumerate(starts))
    best = max(zip(starts, seen, strict=True), key=lambda one: one[1], default=(0, 0))[0]
    start = max(0, best - 40)
    if start:
        start = text.find(" ", start - 1) + 1 or start
    end = min(len(text), start + LENGTH)
    if end < len(text):
        end = max(text.rfind(" ", start, end), start + LENGTH // 2)
    return start, end
