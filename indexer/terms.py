"""A text's index terms. One reading serves the index and the query."""

import re
import threading
import unicodedata
from array import array
from collections import Counter
from dataclasses import dataclass
from functools import cache, lru_cache

import Stemmer

from indexer.identifiers import identifiers, words_of_name

WORD = re.compile(r"[^\W_]+")
_MIXED_CASE = re.compile(r"[a-z][A-Z]|[A-Z]{2,}[a-z]{2,}")
_STOP_WORDS = (
    "a an and are as at be been but by can could did do does for from had has have how i if in into is it its me my of "
    "on or our please should so some that the their them then there these they this to us was we were what when where "
    "which who why will with would you your"
)
_local = threading.local()


def terms(text: str) -> list[str]:
    """A text's index terms in order: stems, names taken apart and whole, identifiers as they stand.

    Accents are folded, case too. ``KubePodCrashLooping`` gives kube, pod, crash, loop, kubepodcrashlooping;
    ``ORA-01017`` gives ora, 01017, 1017 and ora-01017.
    """
    words = WORD.findall(text)
    found: list[str] = []
    if not _MIXED_CASE.search(text):
        found += map(_stem, words)
    else:
        for word in words:
            parts = words_of_name(word) if _MIXED_CASE.search(word) else [word]
            found += map(_stem, parts)
            if len(parts) > 1:
                found.append(_fold(word))
    held = set(found)
    return found + sorted(code for code in map(_fold, identifiers(text)) if code not in held)


@dataclass(frozen=True, slots=True)
class ReadWords:
    """A text's words: their stems, and where each begins and ends; ``is_plain`` says that none is made of several."""

    stems: tuple[str, ...]
    starts: "array[int]"
    ends: "array[int]"
    is_plain: bool


@lru_cache(maxsize=2048)
def read_words(text: str) -> ReadWords:
    """Read a text that is shown for its words; the same passages are shown again and again."""
    matches = list(WORD.finditer(text))
    starts, ends = (array("I", map(place, matches)) for place in (re.Match.start, re.Match.end))
    stems = tuple(map(_stem, WORD.findall(text)))
    return ReadWords(stems, starts, ends, _MIXED_CASE.search(text) is None)


def terms_said(text: str, wanted: frozenset[str]) -> frozenset[str]:
    """Which of some index terms a text says."""
    words = read_words(text)
    # Identifiers are looked for where one is asked for; a term of letters alone is a word
    if words.is_plain and all(map(str.isalpha, wanted)):
        return wanted.intersection(words.stems)
    return wanted.intersection(_every_term(text))


@lru_cache(maxsize=2048)
def _every_term(text: str) -> frozenset[str]:
    return frozenset(terms(text))


def query_terms(text: str) -> Counter[str]:
    """The terms to ask for with how often each is said; the commonest English words only where nothing else is said."""
    every = Counter(terms(text))
    telling = Counter({term: count for term, count in every.items() if term not in _stop_terms()})
    return telling or every


def name_terms(text: str) -> list[str]:
    """A name's terms without the commonest English words, which queries leave out too ("How do I …")."""
    every = terms(text)
    return [term for term in every if term not in _stop_terms()] or every


def common_share(text: str) -> float:
    """Which share of a text's words are the commonest English ones, 0..1: none in keywords, half in a question."""
    words = WORD.findall(text)
    common = sum(stem in _stop_terms() for stem in stems_of(words))
    return common / len(words) if words else 0.0


@cache
def _stop_terms() -> frozenset[str]:
    return frozenset(map(_stem, _STOP_WORDS.split()))


def stems_of(words: list[str]) -> list[str]:
    """Each word's stem, for marking the words of a text that matched."""
    return list(map(_stem, words))


def folded_words(text: str) -> list[str]:
    """A text's words as they are spelled, without case and accents."""
    return [_fold(word) for word in WORD.findall(text)]


def _fold(text: str) -> str:
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


@lru_cache(maxsize=1 << 16)
def _stem(word: str) -> str:
    """A word's term: folded, and without its ending."""
    word = _fold(word)
    if len(word) < 4 or not word.isalpha():
        return word
    stemmer = getattr(_local, "stemmer", None)
    if stemmer is None:
        stemmer = _local.stemmer = Stemmer.Stemmer("english")
    stem: str = stemmer.stemWord(word)
    return stem
