"""The glossary objects at work: their terms with all their names and definitions."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from indexer.index import PassageIndex
from indexer.language import Language
from indexer.retrieval import Filter
from indexer.snapshot import Snapshot
from indexer.terms import query_terms

_WITH_EXPANSION = re.compile(r"^(?P<short>[^()]{1,80}?)\s*\((?P<long>[^()]{2,120})\)$")
_WITH_DASH = re.compile(r"^(?P<short>[^:–—]{1,80}?)\s*(?::|\s[–—-])\s+(?P<long>.{2,120})$")

_WORD = re.compile(r"[^\W_]+")
_SHORT = re.compile(r"(?=.*[A-Z].*[A-Z])[A-Z][A-Za-z]{1,5}")
# Terms that a ticket says without meaning the term
_EVERYDAY = frozenset("incident problem case change request service support desk on off release".split())
_MOST_WORDS_OF_NAME = 6
_MOST_WORDS_READ = 500
_MOST_MEANINGS = 5
_MOST_SYNONYMS = 3
_MOST_WORDS_OF_SYNONYM = 4
_MOST_LEXICONS = 32


@dataclass(frozen=True, slots=True)
class Term:
    """A term with its names (abbreviation and expansion, aliases), its definition, and where it is defined.

    ``long`` is what its heading spells out, if anything.
    """

    term: str
    names: tuple[str, ...]
    definition: str
    article_id: str
    anchor: str
    long: str = ""


def names_of(heading: str) -> tuple[str, ...]:
    """``MTTR (mean time to resolve)`` -> ``MTTR``, ``mean time to resolve``; a plain heading is its own name."""
    match = _WITH_EXPANSION.match(heading) or _WITH_DASH.match(heading)
    return (match["short"].strip(), match["long"].strip()) if match else (heading.strip(),)


@dataclass(frozen=True, slots=True)
class Expansion:
    """What a term of a query may also be called: ``said`` as the glossary writes it, ``names`` the others.

    ``spells_out`` says that the query has the abbreviation. ``terms`` are the index terms of each name.
    """

    said: str
    names: tuple[str, ...]
    spells_out: bool
    terms: tuple[frozenset[str], ...]

    @property
    def text(self) -> str:
        if len(self.names) == 1:
            return f"{self.said} = {self.names[0]}"
        *others, last = self.names
        return f"{self.said} may be {', '.join(others)} or {last}"

    def matches(self, said: Collection[str]) -> bool:
        """Whether a text that says these terms says one of the names."""
        return any(terms <= frozenset(said) for terms in self.terms)


@lru_cache(maxsize=1024)
def _terms_of(names: tuple[str, ...], language: Language) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(query_terms(name, language)) for name in names)


class Lexicon:
    """The names of a glossary's terms, found in a text whatever their case and ending.

    An abbreviation counts where it is surely meant: in capitals, alone, or where the text asks what something means.
    """

    def __init__(self, terms: Iterable[Term], language: Language) -> None:
        self._language = language
        self._everyday = frozenset(map(language.stem, _EVERYDAY))
        self._said: dict[tuple[str, ...], list[tuple[str, Term]]] = {}
        for term in terms:
            shorts = {name for name in term.names if _is_short(name)}
            for name in term.names:
                # "What does MTTR mean" is found by its MTTR
                if name in shorts or shorts.isdisjoint(_WORD.findall(name)):
                    self._said.setdefault(tuple(self._stems(_WORD.findall(name))), []).append((name, term))
        self._longest = min(_MOST_WORDS_OF_NAME, max(map(len, self._said), default=0))

    def expansions(self, text: str) -> Iterator[Expansion]:
        """What the names in a text may also be called; the longest name at each place, each name once."""
        words = _WORD.findall(text)[:_MOST_WORDS_READ]
        stems = self._stems(words)
        defining = len(words) == 1 or self._language.is_asking(text) is not None
        done: set[str] = set()
        at = 0
        while at < len(words):
            size, found = self._found(words, stems, at)
            # A "car" in a sentence is not a call answer rate
            surely = defining or words[at].isupper()
            at += size
            for expansion in self._expansions([one for one in found if surely or not _is_short(one[0])]):
                if expansion.said not in done:
                    done.add(expansion.said)
                    yield expansion

    def explained(self, text: str) -> Iterator[Term]:
        """The terms whose names a text says, each once; all meanings of an ambiguous one."""
        done: set[tuple[str, str]] = set()
        for _, _, found in self.said(text):
            for term in found:
                if (term.article_id, term.term) not in done:
                    done.add((term.article_id, term.term))
                    yield term

    def said(self, text: str) -> Iterator[tuple[int, int, tuple[Term, ...]]]:
        """Where a text surely says a term: from which letter to which, and the terms it may mean there."""
        matches = list(islice(_WORD.finditer(text), _MOST_WORDS_READ))
        words = [match[0] for match in matches]
        stems = self._stems(words)
        at = 0
        while at < len(words):
            size, found = self._found(words, stems, at)
            said = [word.casefold() for word in words[at : at + size]]
            everyday = size == 1 and stems[at] in self._everyday
            # 10 KB are no knowledge base
            surely = words[at].isupper() and len(words[at]) > 1 and not (at and words[at - 1].isdigit())
            meant = []
            for name, term in found:
                # To the letter, since "several" has its stem in common with "severity"
                in_words = not (everyday or _is_short(name)) and said == _WORD.findall(name.casefold())
                if in_words or (surely and _is_short(name)):
                    meant.append(term)
            if meant:
                yield matches[at].start(), matches[at + size - 1].end(), tuple(dict.fromkeys(meant))
            at += size

    def _found(self, words: list[str], stems: list[str], at: int) -> tuple[int, list[tuple[str, Term]]]:
        for size in range(min(self._longest, len(words) - at), 0, -1):
            found = self._said.get(tuple(stems[at : at + size]), [])
            if size == 1 and not _may_be_meant(words[at]):
                found = []
            if found:
                return size, found
        return 1, []

    def _expansions(self, found: Sequence[tuple[str, Term]]) -> Iterator[Expansion]:
        """An abbreviation by all its meanings at once; a spelled-out name by its abbreviation, else its other names."""
        shorts = [(name, term) for name, term in found if _is_short(name)]
        if shorts:
            longs = tuple(dict.fromkeys(long for name, term in shorts for long in _spelled_out(name, term)))
            if longs:
                yield self._expansion(shorts[0][0], longs[:_MOST_MEANINGS], spells_out=True)
            return
        for name, term in found:
            short = next((one for one in term.names if _is_short(one) and name in _spelled_out(one, term)), None)
            others = (short,) if short else self._synonyms(name, term)
            if others:
                yield self._expansion(name, others, spells_out=False)

    def _expansion(self, said: str, names: tuple[str, ...], *, spells_out: bool) -> Expansion:
        return Expansion(said, names, spells_out, _terms_of(names, self._language))

    def _synonyms(self, name: str, term: Term) -> tuple[str, ...]:
        """Other short names, but for those that only say more or fewer of the same words."""
        own = frozenset(self._stems(_WORD.findall(name)))
        others = []
        for other in term.names:
            words = frozenset(self._stems(_WORD.findall(other)))
            if other != name and len(words) <= _MOST_WORDS_OF_SYNONYM and not (words <= own or own <= words):
                others.append(other)
        return tuple(others[:_MOST_SYNONYMS])

    def _stems(self, words: Iterable[str]) -> list[str]:
        return list(map(self._language.stem, words))


def _spelled_out(short: str, term: Term) -> list[str]:
    """The names that an abbreviation stands for: what its heading says, and others with the same initials."""
    heading_s = term.long if short == term.term else None
    others = (name for name in term.names if not _is_short(name))
    return [name for name in others if name == heading_s or _initials_are(short, name)]


def _initials_are(short: str, name: str) -> bool:
    words = [word for word in _WORD.findall(name) if word.isalpha()]
    small = {"of", "to", "for", "the", "and", "a", "in", "on"}
    spellings = ("".join(word[0] for word in words), "".join(word[0] for word in words if word.lower() not in small))
    return len(words) > 1 and short.casefold() in {spelling.casefold() for spelling in spellings}


def _is_short(name: str) -> bool:
    return _SHORT.fullmatch(name) is not None


def _may_be_meant(word: str) -> bool:
    """A word of two letters is an abbreviation only in capitals: IT, not it."""
    return len(word) > 2 or word.isupper()


class Glossary:
    """The lexicons of one index, made once for a generation and for those who see the same terms."""

    def __init__(self, index: PassageIndex) -> None:
        self._index = index
        self._terms: tuple[int, list[tuple[Term, int]]] = (0, [])
        self._lexicons: dict[tuple[object, ...], Lexicon] = {}

    def lexicon(self, snapshot: Snapshot, wanted: Filter) -> Lexicon:
        """The names of the terms that a filter lets through; within the snapshot's block."""
        generation, every = self._terms
        if generation != snapshot.generation:
            every = [*_placed(snapshot, self._index)]
            self._terms, self._lexicons = (snapshot.generation, every), {}
        view = snapshot.view(wanted)
        key = snapshot.generation, view.key
        made = self._lexicons.get(key)
        if made is None:
            made = Lexicon((term for term, place in every if view.allowed[place]), self._index.language)
            if len(self._lexicons) >= _MOST_LEXICONS:
                self._lexicons = {}
            self._lexicons[key] = made
        return made


def terms(index: PassageIndex, wanted: Filter) -> list[Term]:
    """All terms that a filter lets through, by name."""
    with index.snapshot() as snapshot:
        allowed = snapshot.select(index.connection, wanted)
        found = [term for term, place in _placed(snapshot, index) if allowed[place]]
    return sorted(found, key=lambda term: (term.term.casefold(), term.article_id))


def lookup(index: PassageIndex, wanted: Filter, name: str) -> list[Term]:
    """The terms that go by a name, whatever its case; those that have it as their first name come first."""
    asked = " ".join(name.casefold().split())
    found = [term for term in terms(index, wanted) if asked in {one.casefold() for one in (term.term, *term.names)}]
    return sorted(found, key=lambda term: asked not in {term.term.casefold(), term.names[0].casefold()})


def _placed(snapshot: Snapshot, index: PassageIndex) -> Iterator[tuple[Term, int]]:
    """All terms, with the places of their articles."""
    terms = [*_terms(index)]
    places = snapshot.columns.places(index.connection, {term.article_id for term in terms})
    return ((term, places[term.article_id]) for term in terms)


def _terms(index: PassageIndex) -> Iterator[Term]:
    """A definition that was cut into several passages is put together again."""
    whole: dict[tuple[str, tuple[str, ...], str], list[str]] = {}
    aliases: dict[str, list[str]] = {}
    for passage in index.definitions():
        if passage.role == "title":
            aliases.setdefault(passage.owner_id, []).append(passage.text)
        else:
            whole.setdefault((passage.owner_id, passage.heading_path, passage.anchor), []).append(passage.text)
    for (owner_id, path, anchor), texts in whole.items():
        heading = path[-1]
        others = aliases.get(owner_id, []) if len(path) == 1 else []
        names = dict.fromkeys((*names_of(heading), *(other for other in others if other != heading)))
        short, *long = names_of(heading)
        yield Term(short, tuple(names), "\n".join(texts), owner_id, anchor, long[0] if long else "")
