"""The labelled sets to develop against, and how each is asked. What must hold of them all is in ``test_floors``."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from indexer import Encoder
from kb_service.confidence import Kind
from kb_service.evaluation import opened
from kb_service.labelled import LabelledQuery, LabelledSet, read_queries, read_set
from kb_service.search import Searcher
from tests.conftest import EVAL


@dataclass(frozen=True, slots=True)
class Development:
    """A set, what its documents are, and the sets whose queries have no answer in it."""

    name: str
    kind: Kind
    foreign: tuple[str, ...]

    @property
    def folder(self) -> Path:
        return EVAL / self.name

    def read(self) -> LabelledSet:
        return read_set(self.folder)

    def unanswerable(self) -> Sequence[LabelledQuery]:
        """Queries of other sets that have no answer here."""
        return [query for name in self.foreign for query in read_queries(EVAL / name / "queries.jsonl")]

    @contextmanager
    def searcher(self, encoder: Encoder, cache: Path) -> Iterator[tuple[LabelledSet, Searcher, float]]:
        """The set, a searcher over it, and the seconds that indexing took."""
        labelled = self.read()
        with opened(labelled, self.kind, encoder, cache) as (searcher, seconds):
            yield labelled, searcher, seconds


ARTICLES = (
    Development("kubeprom", "articles", ("stackfaq",)),
    Development("openshift", "articles", ("stackfaq",)),
    Development("stackfaq", "articles", ("kubeprom", "openshift")),
)
INCIDENTS = (
    Development("gitbugs-hadoop", "incidents", ("stackfaq",)),
    Development("gitbugs-seamonkey", "incidents", ("stackfaq",)),
)
ALL = ARTICLES + INCIDENTS
