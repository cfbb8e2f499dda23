"""What the service does about a failure of its own: it is logged and counted, and what is damaged is made anew."""

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from indexer.database import is_of_the_file
from indexer.disk import DiskError, LockKeptError, disk_error
from indexer.errors import IndexDamagedError, IndexMissingError
from indexer.git_command import GitError
from kb_service.incident_reading import DamagedIncidentError
from kb_service.knowledge_base import KnowledgeBase
from kb_service.metrics import Metrics
from kb_service.publishing import Publisher

NOTHING_YET = "Nothing is published yet. The first index is being built, or failed: see the log."
_DAMAGED = "A database of the service is damaged. What is derived is made anew by itself; see the log."
_DISK = "The service cannot read or write one of its files now; its log says which, and why. Try again in a moment."
_REPOSITORY = (
    "The service cannot read this in the repository of the articles now; its log says why. A clone that is damaged is"
    " made anew by itself: try again in a moment."
)
UNFORESEEN = "The service failed at this; its log says where. Trying again may help."

_log = logging.getLogger("kb.service")


@dataclass(frozen=True, slots=True)
class Failures:
    """Those of one app."""

    knowledge_base: KnowledgeBase
    publisher: Publisher
    metrics: Metrics
    end: Callable[[], None]
    """Ends the service, where only another process can go on."""

    def attend(self, error: Exception) -> str | None:
        """Do what a failure asks for.

        Gives what whoever waits is told, who may ask again in a moment: which file it was concerns who runs the
        service, and is in the log only. None for a failure that nobody foresaw, which is the caller's to log.
        """
        if isinstance(error, IndexMissingError):
            self.publisher.publish("damaged")
            return NOTHING_YET
        if isinstance(error, IndexDamagedError) or (isinstance(error, sqlite3.DatabaseError) and is_of_the_file(error)):
            notes = getattr(error, "__notes__", ())
            _log.error("a database is damaged: %s", " ".join((str(error), *(f"({note})" for note in notes))))
            for index in (self.knowledge_base.index, self.knowledge_base.incident_index.index):
                index.suspect()
            self.publisher.publish("damaged")
            return _DAMAGED
        if isinstance(error, GitError):
            self.metrics.storage_errors.inc()
            _log.error("%s", error)
            if self.knowledge_base.settings.content_remote:
                self.publisher.publish("clone")
            return _REPOSITORY
        if isinstance(error, DamagedIncidentError):
            self.metrics.storage_errors.inc()
            _log.error("%s", error)
            return None
        failing = error if isinstance(error, DiskError) else disk_error(error)
        if failing is not None or isinstance(error, sqlite3.Error | OSError):
            self.metrics.storage_errors.inc()
        if failing is not None:
            _log.error("%s", failing)
            if isinstance(failing, LockKeptError):
                self.end()
            return _DISK
        return None
