"""Passages with everything that is put into an index of them, found without one: on whatever core is free."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from indexer import terms
from indexer.identifiers import identifiers
from indexer.language import Language
from indexer.passages import Passage
from indexer.spelling import spellings_of
from indexer.vectors import text_hash


@dataclass(frozen=True, slots=True)
class Prepared:
    """A passage and what is found by.

    ``terms`` are its index terms with a space between, ``count`` how many they are; ``spellings`` the words that it
    says and their stems, by turns; ``text_hash`` is that of the text to encode, None where there is none.
    """

    passage: Passage
    terms: str
    count: int
    spellings: tuple[str, ...]
    identifiers: tuple[str, ...]
    text_hash: bytes | None

    @classmethod
    def of(cls, passage: Passage, language: Language) -> "Prepared":
        said = said_by(passage)
        found = terms_of(passage, language)
        encoded = passage.encoded_text
        return cls(
            passage=passage,
            terms=" ".join(found),
            count=len(found),
            spellings=tuple(spellings_of(said, language)),
            identifiers=tuple(sorted(identifiers(said))),
            text_hash=text_hash(encoded) if encoded else None,
        )


def terms_of(passage: Passage, language: Language) -> list[str]:
    """The index terms of a passage, in order."""
    said = said_by(passage)
    read = terms.name_terms if passage.role in {"title", "name"} else terms.terms
    return read(said, language)


def said_by(passage: Passage) -> str:
    """What the words lane reads of a passage: a name by itself, other text below its headings but for the title."""
    if passage.role in {"title", "name"}:
        return passage.text
    return f"{' '.join(passage.heading_path[1:])}\n{passage.text}"


def to_json(passages: Iterable[Prepared]) -> str:
    """As they lie in a table until they go live."""
    rows = [
        (
            (one.passage.id, one.passage.owner_id, one.passage.heading_path, one.passage.anchor, one.passage.text,
             one.passage.role),
            one.terms, one.count, one.spellings, one.identifiers, one.text_hash.hex() if one.text_hash else None,
        )
        for one in passages
    ]  # fmt: skip
    return json.dumps(rows, ensure_ascii=False)


def from_json(text: str) -> list[Prepared]:
    """The same again."""
    found = []
    for passage, said_terms, count, spellings, codes, digest in json.loads(text):
        number, owner_id, path, anchor, said, role = passage
        found.append(
            Prepared(
                Passage(number, owner_id, tuple(path), anchor, said, role),
                said_terms,
                count,
                tuple(spellings),
                tuple(codes),
                bytes.fromhex(digest) if digest else None,
            )
        )
    return found
