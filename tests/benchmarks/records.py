"""Hundreds of thousands of records for benchmarks, put into an index without a file for each of them.

Texts are sentences of our own content, vectors those of some thousands of these texts, each with noise of its own: real
vectors lie in clumps, and so do these.
"""

import random
import string
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from indexer.encoder import Encoder, Vectors
from indexer.encoding import ENCODE_BATCH
from indexer.folding import fold_if_due
from indexer.index import PassageIndex
from indexer.language import ENGLISH
from indexer.passages import Passage, Role
from indexer.prepared import Prepared
from indexer.retrieval import Filter, Owner
from indexer.vectors import text_hash
from tests.benchmarks.made import sentences

AUDIENCES = frozenset({"internal"})
# A made vector keeps a cosine of 0.86 with the real one
_NOISE = 0.6
_TEXTS = 8_000
_WORDS = 30_000
_TOGETHER = 2_000


@dataclass(frozen=True, slots=True)
class _Text:
    text: str
    prepared: Prepared
    vector: Vectors


class Records:
    """Records of a title, what was seen, and for two in five how it ended; the same ones in every run."""

    def __init__(self, encoder: Encoder, *, texts: int = _TEXTS) -> None:
        self._chance = random.Random(3)  # noqa: S311 (the same records in every run)
        self._noise = np.random.default_rng(3)
        lines = [line.strip("-*# ") for line in sentences()]
        bodies = [" ".join(self._chance.sample(lines, 2)) for _ in range(texts)]
        titles = [" ".join(self._chance.choice(lines).split()[:8]) for _ in range(texts)]
        self._bodies, self._titles = _texts(encoder, bodies, "symptom"), _texts(encoder, titles, "title")
        # Words that few records say, as names of hosts and people are
        letters = string.ascii_lowercase
        self._words = ["".join(self._chance.choices(letters, k=self._chance.randint(5, 9))) for _ in range(_WORDS)]
        self.questions = [" ".join(self._chance.sample(lines, 1)[0].split()[:12]) for _ in range(400)]

    def put(self, index: PassageIndex, first: int, count: int, *, together: int = _TOGETHER) -> Iterator[int]:
        """Put records in, so many together, searchable by both lanes; gives how many there are after each time."""
        for start in range(first, first + count, together):
            numbers = range(start, min(start + together, first + count))
            vectors: list[Vectors] = []
            with index.changing() as change:
                (last,) = index.connection.execute("SELECT coalesce(max(key), 0) FROM passages").fetchone()
                for number in numbers:
                    owner, passages, meant = self._record(number)
                    change.upsert(owner, passages)
                    vectors += meant
                made = np.stack(vectors)
                made += self._noise.normal(size=made.shape) * (_NOISE / made.shape[1] ** 0.5)
                made /= np.linalg.norm(made, axis=1, keepdims=True)
                index.add_vectors({last + at: vector for at, vector in enumerate(made.astype(np.float16), 1)})
                index.raise_generation()
            fold_if_due(index)
            yield numbers.stop

    def _record(self, number: int) -> tuple[Owner, list[Prepared], list[Vectors]]:
        title, body = self._chance.choice(self._titles), self._chance.choice(self._bodies)
        said: list[tuple[Role, _Text]] = [("title", title), ("symptom", body)]
        if number % 5 < 2:
            said.append(("resolution", self._chance.choice(self._bodies)))
        name = f"INC{number:07}"
        own = " ".join(self._chance.choices(self._words, k=3))
        passages = [_passage(name, role, one, own if role == "symptom" else "") for role, one in said]
        # One service in a hundred records, one in ten, and all others
        service = "rare" if number % 200 == 0 else "some" if number % 20 == 1 else "half" if number % 2 else "other"
        facets = {"kind": ("incident",), "open": ("yes" if number % 3 else "no",), "service": (service,)}
        return Owner(name, AUDIENCES, facets), passages, [one.vector for _, one in said]


def filters() -> dict[str, Filter]:
    """By what share of the records they let through."""

    now = datetime(2026, 6, 1, tzinfo=UTC)
    every = {"all": None, "50 %": "half", "5 %": "some", "0.5 %": "rare"}
    return {
        name: Filter(AUDIENCES, now, {"service": frozenset({service})} if service else {}, "any")
        for name, service in every.items()
    }


def _texts(encoder: Encoder, texts: list[str], role: Role) -> list[_Text]:
    if not texts:
        return []
    vectors = np.concatenate(
        [encoder.encode(texts[start : start + ENCODE_BATCH]) for start in range(0, len(texts), ENCODE_BATCH)]
    )
    every = (Prepared.of(Passage("", "", ("",), "", text, role), ENGLISH) for text in texts)
    return [_Text(text, one, vector) for text, one, vector in zip(texts, every, vectors, strict=True)]


def _passage(owner: str, role: Role, one: _Text, further: str) -> Prepared:
    text = f"{one.text} {further}".strip()
    return Prepared(
        Passage("", owner, (owner,), "", text, role),
        f"{one.prepared.terms} {further}".strip(),
        one.prepared.count + len(further.split()),
        one.prepared.spellings,
        one.prepared.identifiers,
        text_hash(f"{owner}{role}"),
    )
