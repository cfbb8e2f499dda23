"""A knowledge base opened by its settings: what the command line, the service and a Python program start from."""

from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta

from indexer.build import Report, update
from indexer.catalogue import TABLES
from indexer.encoder import Encoder
from indexer.errors import IndexMissingError
from indexer.git_command import GitError
from indexer.index import PassageIndex
from indexer.progress import Progress, unwatched
from indexer.source import Content
from indexer.vectors import VectorCache
from kb_service.access import EVERYTHING, LOCAL
from kb_service.attachments import Attachments
from kb_service.audit import Audit, note
from kb_service.content import is_ref, open_content, put_aside_if_damaged, read_file, repository
from kb_service.deflection import SuggestionSessions
from kb_service.desk import Desk
from kb_service.feedback import Feedback
from kb_service.gaps import Gaps
from kb_service.incident_index import IncidentIndex
from kb_service.incidents import Incidents
from kb_service.keys import Keys
from kb_service.past import Past
from kb_service.query import Query, State
from kb_service.query_vectors import QueryVectors
from kb_service.related import RelatedSearch
from kb_service.results import Results
from kb_service.runs import Runs
from kb_service.search import Searcher
from kb_service.searches import Searches
from kb_service.settings import Settings
from kb_service.triage import Triager
from kb_service.usage import most_used

# What was used of late is found by meaning before all else, where all is to be encoded
_USED_LATELY = timedelta(days=90)
_MOST_USED = 1_000


class KnowledgeBase:
    """The content's index, its encoder, a searcher over both, and the desk's own record beside them."""

    def __init__(self, settings: Settings, encoder: Encoder | None = None) -> None:
        """Open it; the model is exported the first time, where no encoder is given. Raises EncoderError, DeskError."""
        self.settings = settings
        self.encoder = encoder or settings.open_encoder()
        self.index = PassageIndex(settings.data / "index.db", self.encoder, settings.spoken, TABLES)
        vectors = QueryVectors(self.encoder)
        self.searcher = Searcher(self.index, self.encoder, settings.strong, vectors=vectors)
        self.desk = Desk(settings.data / "desk.db")
        self.incidents, self.attachments = Incidents(self.desk), Attachments(self.desk)
        self.feedback, self.searches, self.gaps = Feedback(self.desk), Searches(self.desk), Gaps(self.desk)
        self.suggestion_sessions = SuggestionSessions(self.desk)
        self.keys, self.audit, self.runs = Keys(self.desk), Audit(self.desk), Runs(self.desk)
        self.incident_index = IncidentIndex(self.incidents, self.encoder, settings.strong, vectors, settings.spoken)
        self.related = RelatedSearch(self.incidents, self.attachments, self.incident_index, settings.strong)
        self.triager = Triager(
            self.searcher,
            self.related,
            self.incidents,
            self.attachments,
            self.feedback,
            settings.criteria,
            settings.recurrence,
            settings.strong,
        )

    @classmethod
    def published(cls, settings: Settings) -> "KnowledgeBase":
        """One that has something to search. Raises IndexMissingError before anything is loaded or written."""
        if not (settings.data / "index.db").exists():
            raise IndexMissingError(f"nothing is indexed in {settings.data}", "Run 'kb index' first")
        return cls(settings)

    def update(
        self,
        progress: Progress = unwatched,
        after_switch: Callable[[], None] = lambda: None,
        content: Content | None = None,
        by: str = LOCAL.id,
    ) -> Report:
        """Bring the index in step with the content, as it is now or as given; see ``indexer.build.update``.

        What is live is in the audit log then, as done ``by`` somebody; where a run was stopped before it could say so,
        by the next one.
        """
        opened = content or open_content(self.settings)
        try:
            report = self._update(opened, progress, after_switch)
        except GitError:
            if not put_aside_if_damaged(self.settings):
                raise
            report = self._update(open_content(self.settings), progress, after_switch)
        revision = self.index.meta("revision") or ""
        live = f"{report.generation} {revision}"
        if report.changed or self.desk.meta("published") not in {None, live}:
            told = {"generation": report.generation, "changed": report.changed, "refused": report.refused}
            with self.desk.writing() as connection:
                note(connection, by, "published", revision, told)
                connection.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('published', ?)", (live,))
        return report

    def _update(self, content: Content, progress: Progress, after_switch: Callable[[], None]) -> Report:
        with (
            closing(content),
            closing(VectorCache(self.settings.cache_folder / "vectors.db", self.encoder.identity)) as cache,
        ):
            used = most_used(self.desk, datetime.now(UTC) - _USED_LATELY, EVERYTHING)[:_MOST_USED]
            return update(content, self.index, self.encoder, cache, progress, after_switch, used)

    def past(self) -> Past:
        """What the articles said before, up to what is live now. Raises IndexMissingError."""
        catalogue = self.searcher.published()
        settings, commit = self.settings, self.index.meta("revision")
        files = None if is_ref(settings) else settings.content / settings.content_folder
        return Past(catalogue, self.attachments, lambda: repository(settings), commit, files)

    def file(self, path: str, commit: str | None = None) -> bytes | None:
        """A file beside the articles, as it is live or as a commit has it; None where there is none."""
        return read_file(self.settings, path, commit, self.index.meta("revision"))

    def text(self, path: str, commit: str | None = None) -> str | None:
        """The text of a file beside the articles; None where there is none."""
        data = self.file(path, commit)
        return None if data is None else data.decode("utf-8", "replace")

    def search(
        self,
        text: str,
        *,
        types: Iterable[str] = (),
        services: Iterable[str] = (),
        tags: Iterable[str] = (),
        tiers: Iterable[str] = (),
        state: State = "published",
        limit: int = 10,
    ) -> Results:
        """Hits for a text, best first."""
        given = {"type": types, "service": services, "tag": tags, "tier": tiers}
        facets = {name: frozenset(values) for name, values in given.items() if values}
        return self.searcher.search(Query(text, facets, state, sight=self.settings.default_sight, limit=limit))
