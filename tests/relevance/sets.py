"""The labelled sets to develop against, and how each is asked. What must hold of them all is in ``test_floors``."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from indexer import Encoder
from kb_service.confidence import Corpus
from kb_service.evaluation import opened
from kb_service.labelled import LabelledQuery, LabelledSet, read_queries, read_set
from kb_service.leave_one_out import past_incidents
from kb_service.search import Searcher
from tests.conftest import EVAL


@dataclass(frozen=True, slots=True)
class Development:
    """A set, what its documents are, and the sets whose queries have no answer in it.

    With ``queries_as_reports`` its documents are its own queries: reports of the same matter by different people.
    """

    name: str
    kind: Corpus
    foreign: tuple[str, ...]
    queries_as_reports: bool = False

    @property
    def folder(self) -> Path:
        return EVAL / self.name

    def read(self) -> LabelledSet:
        labelled = read_set(self.folder)
        return past_incidents(labelled) if self.queries_as_reports else labelled

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
# What probabilities of reports are fitted on: short ones, as desks have them, and long ones. In Hadoop's 2,500 long
# reports of one program nearly all are alike, which no desk's are
REPORTS = (
    Development("stackfaq", "incidents", ("kubeprom", "openshift"), queries_as_reports=True),
    INCIDENTS[1],
)
