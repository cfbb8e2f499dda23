"""An encoder that counts, and what an index finds."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from indexer.encoder import HashingEncoder, TextKind, Vectors
from kb_service.incident_index import IncidentIndex
from kb_service.incidents import Incidents
from kb_service.query import Query


class Counting(HashingEncoder):
    """Notes every passage that it is asked for."""

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def encode(self, texts: Sequence[str], kind: TextKind = "passage") -> Vectors:
        if kind == "passage":
            self.encoded += texts
        return super().encode(texts, kind)


class Killed(BaseException):
    """Stands for the end of a process in the middle of its work."""


def put(incidents: Incidents, number: str, said: str, **fields: Any) -> None:
    incidents.put({"number": number, "short_description": said, **fields})


def found(index: IncidentIndex, text: str, **facets: str) -> list[str]:
    """By their words."""
    if not index.index.generation:
        return []
    wanted = {name: frozenset({value}) for name, value in facets.items()}
    ranked = index.searcher.rank(Query(text, wanted, state="any")).ranked
    return [hit.candidate.owner_id for hit in ranked if hit.candidate.article_words > 0]


def meant(index: IncidentIndex, *numbers: str) -> list[str]:
    """Those of the records that can be found by meaning."""
    with index.index.snapshot() as snapshot:
        return snapshot.owner_vectors(index.index.connection, numbers)[0]


def until(condition: Callable[[], bool], seconds: float = 20) -> float:
    start = time.monotonic()
    while not condition():
        assert time.monotonic() < start + seconds
    return time.monotonic() - start
