"""Keeps the index in step with the content while the service runs, in a thread beside the requests."""

import logging
import sqlite3
import threading

from indexer.build import Report
from indexer.errors import KnowledgeBaseError
from indexer.progress import Progress, unwatched
from kb_service.knowledge_base import KnowledgeBase

_log = logging.getLogger("kb.publishing")


class Publisher:
    """One update at a time; remembers how the last one ended."""

    def __init__(self, knowledge_base: KnowledgeBase) -> None:
        self._knowledge_base = knowledge_base
        self._live = threading.Event()
        self._thread: threading.Thread | None = None
        self.last: Report | None = None
        self.failure: KnowledgeBaseError | None = None

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self, progress: Progress = unwatched) -> None:
        """Begin an update in the background."""
        self._live.clear()
        self._thread = threading.Thread(target=self._run, args=(progress,), name="publish", daemon=True)
        self._thread.start()

    def wait_until_live(self) -> None:
        """Return when what changed can be searched, at least by words. Raises what the update raised."""
        self._live.wait()
        if self.failure is not None:
            raise self.failure

    def _run(self, progress: Progress) -> None:
        try:
            self.last = self._knowledge_base.update(progress, self._live.set)
            self.failure = None
            if self.last.note:
                _log.warning(self.last.note)
        except KnowledgeBaseError as failure:
            self.failure = failure
            _log.error("the content was not published: %s", failure)
        except (OSError, sqlite3.Error) as error:
            self.failure = KnowledgeBaseError(f"the content was not published: {error}", "Look at the data folder")
            _log.exception("the content was not published")
        finally:
            self._live.set()
