"""A query's text as it is understood: what was mistyped or only begun, which identifiers it names, what terms mean."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from indexer.identifiers import identifiers, is_code
from indexer.language import Language
from indexer.spelling import Spelling
from indexer.terms import WORD, common_share, query_terms
from kb_service.glossary import Expansion, Lexicon
from kb_service.letters import matter_of
from kb_service.plain_text import plain_text

# The encoder reads some 256 tokens; more text than this cannot reach it
MOST_ENCODED_LETTERS = 4_000
MOST_WORDS_LETTERS = 50_000
# What a glossary adds weighs this much beside a word of the query, shared between the meanings it may have
BESIDE_WEIGHT = 0.4
# A longer text was not typed but pasted; its unknown words are names
_MOST_TYPED_WORDS = 24
_PLAIN_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Change:
    """A word of the query that is read as another."""

    typed: str
    meant: str
    kind: Literal["typo", "begun", "compound"]

    @property
    def text(self) -> str:
        return f"'{self.typed}' {'completed to' if self.kind == 'begun' else 'read as'} '{self.meant}'"

    def applied(self, text: str) -> str:
        """The text with the word that was meant."""
        return re.sub(rf"(?<![^\W_]){re.escape(self.typed)}(?![^\W_])", self.meant, text)


@dataclass(frozen=True)
class Understood:
    """A query ready for the lanes. ``meant`` is its text with the changes applied.

    ``terms`` are its own, ``beside`` those that it may also mean, ``codes`` its identifiers.
    """

    meant: str
    terms: Mapping[str, int]
    language: Language
    codes: tuple[str, ...] = ()
    common_share: float = 0.0
    changes: tuple[Change, ...] = ()
    expansions: tuple[Expansion, ...] = ()
    beside: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def marked(self) -> frozenset[str]:
        """The terms that are marked where they stand."""
        return frozenset(self.terms).union(self.beside)

    @cached_property
    def telling(self) -> frozenset[str]:
        """The terms of which a reason tells that a text says them."""
        return frozenset(self.terms).union(*(name for one in self.expansions for name in one.terms))

    @property
    def headline(self) -> str:
        """The first line of a text of several, where a report says what it is about; nothing of a single one."""
        first, _, rest = self.meant.strip().partition("\n")
        return first if rest.strip() else ""

    @property
    def only_codes(self) -> bool:
        """Whether there is nothing but assigned codes and numbers in it, which mean nothing to an encoder."""
        return all(word.isdigit() or is_code(word) for word in self.meant.casefold().split())

    @property
    def encoded_text(self) -> str:
        """What the encoder reads: abbreviations are spelled out behind the text."""
        spelled_out = "; ".join(name for one in self.expansions if one.spells_out for name in one.names)
        text = self.meant[:MOST_ENCODED_LETTERS]
        return f"{text} ({spelled_out})" if spelled_out else text


def understand(text: str, spelling: Spelling, lexicon: Lexicon) -> Understood:
    """Read a query; any text is one."""
    text = matter_of(plain_text(text[:MOST_WORDS_LETTERS]))
    changes = changes_in(text, spelling)
    meant = text
    for change in changes:
        meant = change.applied(meant)
    language = spelling.language
    terms = query_terms(meant, language)
    expansions = tuple(lexicon.expansions(meant))
    return Understood(
        meant=meant,
        terms=terms,
        language=language,
        codes=tuple(sorted(identifiers(text))),
        common_share=common_share(meant, language),
        changes=changes,
        expansions=expansions,
        beside=_beside(terms, expansions, _in_compounds(meant, spelling)),
    )


def changes_in(text: str, spelling: Spelling) -> tuple[Change, ...]:
    """Unknown words of a typed text, each once. Never one with a digit or a sign in it, nor a name in capitals."""
    return tuple(dict.fromkeys(_changes(text, spelling)))


def _changes(text: str, spelling: Spelling) -> Iterator[Change]:
    pieces = list(re.finditer(r"\S+", text))
    if len(pieces) > _MOST_TYPED_WORDS:
        return
    shouted = text.isupper()
    for number, piece in enumerate(pieces):
        word = piece.group().strip(".,;:!?()[]\"'…“”‘’")
        plain = _PLAIN_WORD.fullmatch(word) is not None
        capital = number > 0 and word[:1].isupper() and not spelling.language.has_capital_nouns
        a_name = not shouted and (capital or word[1:] != word[1:].lower())
        if not plain or a_name or spelling.known(word):
            continue
        begun = number == len(pieces) - 1 and text.endswith(word)
        meant = spelling.completed(word) if begun else None
        if meant is not None:
            yield Change(word, meant, "begun")
        elif parts := spelling.parts(word):
            yield Change(word, " ".join(parts), "compound")
        elif (meant := spelling.corrected(word)) is not None:
            yield Change(word, meant, "typo")


def _in_compounds(text: str, spelling: Spelling) -> dict[str, float]:
    """The terms of the parts of a text's compounds, and of compounds that its words are parts of, with weights."""
    if not spelling.language.joins:
        return {}
    found: dict[str, float] = {}
    for word in dict.fromkeys(WORD.findall(text)[:_MOST_TYPED_WORDS]):
        longer = spelling.compounds(word)
        weights = dict.fromkeys(longer, BESIDE_WEIGHT / max(1, len(longer)) ** 0.5)
        weights |= dict.fromkeys(spelling.parts(word), BESIDE_WEIGHT)
        for other, weight in weights.items():
            term = spelling.language.stem(other)
            found[term] = max(weight, found.get(term, 0.0))
    return found


def _beside(
    terms: Counter[str], expansions: Sequence[Expansion], in_compounds: Mapping[str, float]
) -> dict[str, float]:
    beside = {term: weight for term, weight in in_compounds.items() if term not in terms}
    for expansion in expansions:
        weight = BESIDE_WEIGHT / len(expansion.names) ** 0.5
        for term in frozenset().union(*expansion.terms) - terms.keys():
            beside[term] = max(weight, beside.get(term, 0.0))
    return beside
