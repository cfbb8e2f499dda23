"""The PassageIndex over the desk's records. It follows the record's changes by their numbers, and can be made anew.

One process at a time writes it (a lock); all read it. A record that is erased is taken out of every file.
"""

import logging
import threading
from collections.abc import Callable

from indexer.database import writing
from indexer.disk import disk_error
from indexer.encoder import Encoder
from indexer.encoding import Encoding
from indexer.errors import IndexDamagedError, KnowledgeBaseError
from indexer.folding import fold, fold_if_due
from indexer.index import PassageIndex
from indexer.language import ENGLISH, Language
from indexer.locks import held
from indexer.passages import Passage, Role, cut_record
from indexer.prepared import Prepared
from indexer.progress import Progress, unwatched
from indexer.retrieval import Owner
from indexer.vectors import VectorCache
from kb_service.confidence import STRONG
from kb_service.incident import Incident
from kb_service.incidents import Incidents
from kb_service.plain_text import plain_text
from kb_service.query_vectors import QueryVectors
from kb_service.search import Searcher

# Raise when a record's passages come out differently: all are then put in anew
FORMAT = "2"
AUDIENCES = frozenset({"internal"})
LOOK_SECONDS = 0.25
_BATCH = 500
# More texts than this are found by their words first
_MOST_AHEAD = 64

_log = logging.getLogger("kb.incidents")


class IncidentIndex:
    """The records of one data folder by words and by meaning. One instance serves all threads."""

    def __init__(
        self,
        incidents: Incidents,
        encoder: Encoder,
        strong: float = STRONG,
        vectors: QueryVectors | None = None,
        language: Language = ENGLISH,
    ) -> None:
        self._incidents, self._desk, self._encoder = incidents, incidents.desk, encoder
        self._folder = incidents.desk.path.parent
        self._lock = self._folder / "incidents.lock"
        self.index = PassageIndex(self._folder / "incidents.db", encoder, language)
        self.searcher = Searcher(self.index, encoder, strong, "incidents", vectors)
        self._turn = threading.Lock()

    def behind(self) -> bool:
        """Whether there is anything that cannot be found yet, by its words or by meaning."""
        return self.index.is_suspected or self._has_changes() or bool(self.index.pending(1))

    def catch_up(self, progress: Progress = unwatched, stop: Callable[[], bool] = lambda: False) -> bool:
        """Take up every change of the record since the last time; False where another process is at it.

        ``stop`` is asked before each batch: what is left then is for the next time.
        """
        with self._turn, held(self._lock, wait=False) as is_ours:
            if not is_ours:
                return False
            cache = self._cache()
            try:
                self._begin()
                encoding = Encoding(self.index, self._encoder, cache, progress)
                done = False
                while not done and not stop():
                    while not stop() and self._take_up(encoding):
                        pass
                    # The vectors of an import of thousands must not keep the next record waiting
                    done = encoding.encode_pending(stop=lambda: stop() or self._has_changes())
                if done:
                    fold_if_due(self.index)
            finally:
                cache.close()
        return True

    def owes_erasing(self) -> bool:
        """Whether the desk has erased something that ``erase`` has not taken out of every file yet."""
        is_same_line = self.index.meta("line") == self._desk.line
        return self._last_erased() > int((is_same_line and self.index.meta("erased")) or 0)

    def erase(self) -> None:
        """Take what the desk has erased out of every file: passages, words, vectors, and their caches."""
        with self._turn, held(self._lock):
            cache = self._cache()
            try:
                last = self._last_erased()
                self._begin()
                while self._take_up(Encoding(self.index, self._encoder, cache, unwatched)):
                    pass
                fold(self.index, keep_previous=False)
                self.index.forget_deleted()
                cache.forget_all_but(self.index.text_hashes())
                with writing(self.index.connection):
                    self.index.set_meta("erased", str(last))
            finally:
                cache.close()

    def _last_erased(self) -> int:
        """The number of the desk's last change that erased something."""
        row = self._desk.connection.execute("SELECT coalesce(max(change), 0) FROM erased").fetchone()
        return int(row[0])

    def _cache(self) -> VectorCache:
        """Vectors of records have a file of their own, so that those of erased ones can be told and deleted."""
        return VectorCache(self._folder / "incident-vectors.db", self._encoder.identity)

    def _has_changes(self) -> bool:
        here = self.index.meta("line"), self.index.meta("change") or "0"
        return here != (self._desk.line, self._desk.meta("change") or "0")

    def _begin(self) -> None:
        """Where the line of changes, the encoder or the format is another one, begin anew, with cached vectors."""
        made_by = f"{self._encoder.identity}:{self._encoder.max_tokens}:{FORMAT}:{self.index.language.code}"
        line = self._desk.line
        self.index.mend()
        fresh = (self.index.meta("line"), self.index.meta("made_by")) != (line, made_by)
        try:
            self.index.check_base()
        except IndexDamagedError as error:
            _log.warning("%s; its vectors are put back", error.problem)
            with writing(self.index.connection):
                self.index.drop_vectors()
        if fresh:
            with self.index.changing() as change:
                change.clear()
                self.index.drop_vectors()
                for name, value in (("line", line), ("made_by", made_by), ("change", "0"), ("erased", "0")):
                    self.index.set_meta(name, value)
                self.index.set_meta("encoder", self._encoder.identity)
                self.index.raise_generation()

    def _take_up(self, encoding: Encoding) -> bool:
        """One batch of changes, searchable when this returns; whether there was any."""
        done = int(self.index.meta("change") or 0)
        with self._desk.reading() as connection:
            rows = connection.execute(
                "SELECT number, change, 0 AS gone FROM incidents WHERE change > :done UNION ALL"
                " SELECT number, change, 1 FROM erased WHERE change > :done ORDER BY change LIMIT :most",
                {"done": done, "most": _BATCH},
            ).fetchall()
            records = self._incidents.several(row["number"] for row in rows if not row["gone"])
        if not rows:
            return False
        cut = {number: passages_of(incident, self._encoder) for number, incident in records.items()}
        texts = (passage.encoded_text for passages in cut.values() for passage in passages)
        encoding.encode_ahead(filter(None, texts), _MOST_AHEAD)
        with self.index.changing() as change:
            for row in rows:
                if row["gone"]:
                    change.delete(row["number"])
            for number, passages in cut.items():
                change.upsert(
                    owner_of(records[number]), [Prepared.of(passage, self.index.language) for passage in passages]
                )
            encoding.link(self.index.pending(_BATCH * 8))
            self.index.set_meta("change", str(rows[-1]["change"]))
            self.index.raise_generation()
        return True


class Follower:
    """Keeps the index in step with the record while the service runs, in a thread beside the requests."""

    def __init__(self, index: IncidentIndex) -> None:
        self._index = index
        self._changed, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="incidents", daemon=True)
        self.failure: KnowledgeBaseError | None = None

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There is a change to take up."""
        self._changed.set()

    def stop(self) -> None:
        """End after the batch at hand."""
        self._ended.set()
        self._changed.set()
        self._thread.join()

    def _run(self) -> None:
        # Once in any case: what was damaged while nobody looked is put right
        due = True
        while not self._ended.is_set():
            try:
                # To ask a damaged one whether it is behind comes to nothing
                if due or self.failure or self._index.behind():
                    due = not self._index.catch_up(stop=self._ended.is_set)
                self.failure = None
            except KnowledgeBaseError as failure:
                self._failed(failure)
            except Exception as error:
                # Whatever it was, the service goes on answering and tries again
                failing = disk_error(error)
                if failing is None and self.failure is None:
                    _log.exception("records cannot be indexed")
                said = f"records cannot be indexed: {type(error).__name__}: {error}"
                self._failed(failing or KnowledgeBaseError(said, "Look at the log and at the data folder"))
            # Other processes write too, so look even where nobody calls
            self._changed.wait(LOOK_SECONDS)
            self._changed.clear()

    def _failed(self, failure: KnowledgeBaseError) -> None:
        if str(failure) != str(self.failure):
            _log.error("%s", failure)
            # Once for each failure: to look through a file of a million records takes a while
            self._index.index.suspect()
        self.failure = failure


def owner_of(incident: Incident) -> Owner:
    """A record as the index filters it."""
    facets = {
        "kind": (incident.kind,),
        "state": (incident.state,),
        "open": ("yes" if incident.is_open else "no",),
        "service": (incident.service,) if incident.service else (),
        "ci": (incident.cmdb_ci,) if incident.cmdb_ci else (),
        "group": (incident.assignment_group,) if incident.assignment_group else (),
    }
    return Owner(incident.number, AUDIENCES, facets)


def passages_of(incident: Incident, encoder: Encoder) -> tuple[Passage, ...]:
    """A record cut into passages: what it is about, what was seen, how it was resolved or can be worked round."""
    texts: list[tuple[Role, str]] = [("symptom", plain_text(incident.description))]
    texts += [("resolution", plain_text(text)) for text in (incident.workaround, incident.close_notes)]
    return cut_record(
        incident.number,
        " ".join(incident.short_description.split()),
        [(role, text) for role, text in texts if text],
        encoder.count_tokens,
        encoder.max_tokens,
    )
