"""The content of a branch's base and the files as they lie, both searchable at once.

The base is indexed in a temporary place; a copy of that index is brought in step with the files just as a publish would
do it: with the same renames, and with the last good version of what is refused.
"""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from indexer.build import Report, update
from indexer.encoder import Encoder
from indexer.errors import ContentMissingError
from indexer.git import Repository
from indexer.git_ref import GitRef
from indexer.index import PassageIndex
from indexer.knowledge import KnowledgeObject
from indexer.progress import Progress
from indexer.source import Content, WorkingTree
from indexer.vectors import VectorCache
from kb_service.answering import Answer, Asked, Question
from kb_service.confidence import band
from kb_service.query import Query
from kb_service.query_vectors import QueryVectors
from kb_service.search import Searcher
from kb_service.settings import Settings

# A place further down is as good as none
_DEEPEST = 50


@dataclass(frozen=True, slots=True)
class Sides:
    """A searcher and the articles by id, of before and of after; ``report`` tells of the step from one to the other.

    ``names`` leads from an id of before to what its article is called after, of those that are still there.
    """

    before: Searcher
    after: Searcher
    objects_before: Mapping[str, KnowledgeObject]
    objects_after: Mapping[str, KnowledgeObject]
    names: Mapping[str, str]
    report: Report

    @classmethod
    def of(cls, before: Searcher, after: Searcher, report: Report) -> "Sides":
        was, now = ({one.id: one for one in side.catalogue.objects()} for side in (before, after))
        names = {one: found.id for one in was if (found := after.catalogue.get(one))}
        return cls(before, after, was, now, names, report)

    def ask(self, question: Question, settings: Settings) -> Asked:
        """Both answers, as an agent would have them; of an incident without what earlier ones say for articles."""
        after = _answer(self.after, question, settings)
        before = _answer(self.before, question, settings) if self.report.changed else after
        return Asked(question, before.renamed(self.names), after)

    def article(self, named: str) -> KnowledgeObject | None:
        """The article as it is after, by an id that it has or had."""
        return self.after.catalogue.get(named)


@contextmanager
def both_sides(
    settings: Settings, encoder: Encoder, repository: Repository, commit: str, tree: WorkingTree, progress: Progress
) -> Iterator[Sides]:
    """A commit and the files as they lie, indexed as long as the block lasts. No text is encoded twice."""
    vectors = QueryVectors(encoder)
    with tempfile.TemporaryDirectory(prefix="kb-preview-") as folder:
        before, after = Path(folder) / "before", Path(folder) / "after"
        with (
            closing(_content_of(repository, commit, Path(folder))) as content,
            closing(VectorCache(settings.cache_folder / "vectors.db", encoder.identity)) as cache,
        ):
            index = PassageIndex(before / "index.db", encoder, settings.spoken)
            update(content, index, encoder, cache, progress)
            shutil.copytree(before, after)
            changed = PassageIndex(after / "index.db", encoder, settings.spoken)
            report = update(tree, changed, encoder, cache, progress)
        was, now = (Searcher(one, encoder, settings.strong, vectors=vectors) for one in (index, changed))
        yield Sides.of(was, now, report)


def _content_of(repository: Repository, commit: str, folder: Path) -> Content:
    """The content of a commit; nothing, where it has no such folder yet."""
    content = GitRef(repository, commit)
    try:
        content.scan()
    except ContentMissingError:
        content.close()
        nothing = folder / "nothing"
        nothing.mkdir()
        return WorkingTree(nothing)
    return content


def _answer(searcher: Searcher, question: Question, settings: Settings) -> Answer:
    prefer = {"service": question.service} if question.service else {}
    ranking = searcher.rank(Query(question.text, sight=settings.default_sight, prefer=prefer))
    return Answer(
        tuple(ranking.ranked.ids[:_DEEPEST]),
        tuple(band(chance, settings.strong) for chance in ranking.probabilities[:_DEEPEST].tolist()),
    )
