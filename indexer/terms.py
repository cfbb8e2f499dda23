"""A text's index terms. One reading serves the index and the query."""

import re
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain

from indexer.identifiers import identifiers, words_of_name
from indexer.language import Language, folded
from indexer.of_words import of_words

WORD = re.compile(r"[^\W_]+")
# Of a fixed length, else capitals without end take long
_MIXED_CASE = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z]{2}")


def terms(text: str, language: Language) -> list[str]:
    """A text's index terms in order: stems, names taken apart and whole, identifiers as they stand.

    Accents are folded, case too. ``KubePodCrashLooping`` gives kube, pod, crash, loop, kubepodcrashlooping;
    ``ORA-01017`` gives ora, 01017, 1017 and ora-01017.
    """
    found = list(chain.from_iterable(map(_terms_of_word(language), words_of(text))))
    held = set(found)
    return found + sorted(code for code in map(folded, identifiers(text)) if code not in held)


# A passage is read for its terms, then for its spellings
@lru_cache(maxsize=1)
def words_of(text: str) -> list[str]:
    """The words of a text as they stand in it; to be read only."""
    return WORD.findall(text)


@cache
def _terms_of_word(language: Language) -> Callable[[str], tuple[str, ...]]:
    """Gives the stem of a word; of a name those of its parts, and then the whole."""

    @of_words
    def terms_of_word(word: str) -> tuple[str, ...]:
        parts = words_of_name(word) if _MIXED_CASE.search(word) else [word]
        stems = tuple(map(language.stem, parts))
        return (*stems, folded(word)) if len(parts) > 1 else stems

    return terms_of_word


@dataclass(frozen=True, slots=True)
class ReadWords:
    """A text's words: their stems, and where each begins and ends; ``is_plain`` says that none is made of several."""

    stems: tuple[str, ...]
    starts: "array[int]"
    ends: "array[int]"
    is_plain: bool


@lru_cache(maxsize=2048)
def read_words(text: str, language: Language) -> ReadWords:
    """Read a text that is shown for its words; the same passages are shown again and again."""
    matches = list(WORD.finditer(text))
    starts, ends = (array("I", map(place, matches)) for place in (re.Match.start, re.Match.end))
    stems = tuple(map(language.stem, WORD.findall(text)))
    return ReadWords(stems, starts, ends, _MIXED_CASE.search(text) is None)


def terms_said(text: str, wanted: frozenset[str], language: Language) -> frozenset[str]:
    """Which of some index terms a text says."""
    words = read_words(text, language)
    # Identifiers are looked for where one is asked for; a term of letters alone is a word
    if words.is_plain and all(map(str.isalpha, wanted)):
        return wanted.intersection(words.stems)
    return wanted.intersection(_every_term(text, language))


@lru_cache(maxsize=2048)
def _every_term(text: str, language: Language) -> frozenset[str]:
    return frozenset(terms(text, language))


def query_terms(text: str, language: Language) -> Counter[str]:
    """The terms to ask for with how often each is said; the commonest words only where nothing else is said."""
    every = Counter(terms(text, language))
    telling = Counter({term: count for term, count in every.items() if term not in language.stop_terms})
    return telling or every


def name_terms(text: str, language: Language) -> list[str]:
    """A name's terms without the commonest words, which queries leave out too ("How do I …")."""
    every = terms(text, language)
    return [term for term in every if term not in language.stop_terms] or every


def common_share(text: str, language: Language) -> float:
    """Which share of a text's words are the commonest ones, 0..1: none in keywords, half in a question."""
    words = WORD.findall(text)
    common = sum(stem in language.stop_terms for stem in map(language.stem, words))
    return common / len(words) if words else 0.0
