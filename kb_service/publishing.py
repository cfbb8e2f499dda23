"""Keeps the index in step with the content while the service runs, in a thread beside the requests.

It looks when it starts, when files or git's hook say so, when a webhook does, and every now and then by itself. What is
asked for while a publish runs is one more publish after it, however often it is asked.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from indexer.build import Report
from indexer.disk import disk_error
from indexer.errors import IndexBusyError, KnowledgeBaseError, Problem
from indexer.progress import Progress, unwatched
from kb_service.content import open_content, put_aside_if_damaged
from kb_service.knowledge_base import KnowledgeBase
from kb_service.watching import Watch

Why = Literal["start", "watch", "hook", "webhook", "poll", "retry", "damaged", "clone", "end"]
LONGEST_RETRY_SECONDS = 60.0
STOP_SECONDS = 5.0
# Of the poll's interval, so that many services do not ask one remote at once
JITTER = 0.1

_log = logging.getLogger("kb.publishing")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the last look did not come to a publish, and when the next one is. What was live before stays live."""

    problem: str
    remedy: str
    since: datetime
    attempts: int
    next_try: datetime

    def __str__(self) -> str:
        return f"{self.problem}. {self.remedy}"


@dataclass(frozen=True, slots=True)
class Published:
    """A publish: why it was looked, what came of it, and the seconds from then until what changed could be found."""

    why: Why
    at: datetime
    seconds: float
    report: Report


@dataclass(frozen=True, slots=True)
class Status:
    """How it stands. ``seen`` is the newest revision known; ``last`` the last publish that changed something."""

    running: bool = False
    seen: str | None = None
    looked_at: datetime | None = None
    last: Published | None = None
    failure: Failure | None = None
    publishes: int = 0
    failures: int = 0


class Publisher:
    """One publish at a time. ``watch``: look whenever a file of a working tree is saved."""

    def __init__(self, knowledge_base: KnowledgeBase, *, watch: bool = False) -> None:
        self.knowledge_base = knowledge_base
        self._asked: dict[Why, float] = {}
        self._wanted = threading.Condition()
        self._live = threading.Event()
        self._ended = False
        # By the clock that only goes forward; ``Failure.next_try`` is for people
        self._retry_at = 0.0
        self._thread: threading.Thread | None = None
        self._watch = Watch(knowledge_base.settings, self.publish, files=watch)
        self.watches_files = watch
        self.status = Status()
        self._observer: Callable[[Published], None] = lambda _published: None
        self._telling = threading.Lock()
        self._refused: frozenset[Problem] | None = None

    def start(self, progress: Progress = unwatched) -> None:
        """Look now, and go on following the content until ``stop``."""
        self.publish("start")
        self._watch.start()
        self._thread = threading.Thread(target=self._follow, args=(progress,), name="publish", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End following. A publish that runs is given a moment; where it is cut off, the next start goes on."""
        self._watch.stop()
        self._ended = True
        self.publish("end")
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    def publish(self, why: Why) -> None:
        """Ask for a look at the content; returns at once."""
        with self._wanted:
            self._asked.setdefault(why, time.monotonic())
            self._wanted.notify_all()

    def tell(self, observer: Callable[[Published], None]) -> None:
        """Call it after each publish that changes something, and now, if there was one already."""
        with self._telling:
            self._observer = observer
            if self.status.last is not None:
                observer(self.status.last)

    def wait_until_live(self) -> None:
        """Return when the first look is over and what changed can be searched, at least by words.

        Raises what kept it from being published.
        """
        self._live.wait()
        failure = self.status.failure
        if failure is not None:
            raise KnowledgeBaseError(failure.problem, failure.remedy)

    def _follow(self, progress: Progress) -> None:
        while True:
            asked = self._next()
            if self._ended:
                return
            self._look(asked, progress)
            progress = unwatched

    def _next(self) -> dict[Why, float]:
        """Wait until there is something to look for; gives why, and since when, by the clock that only goes forward."""
        poll = self.knowledge_base.settings.poll_seconds * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 (no secret)
        failure = self.status.failure
        retry = max(0.0, self._retry_at - time.monotonic()) if failure else None
        patience = min((one for one in (poll or None, retry) if one is not None), default=None)
        with self._wanted:
            if not self._wanted.wait_for(lambda: self._asked, patience):
                return {"retry" if failure else "poll": time.monotonic()}
            asked, self._asked = self._asked, {}
        return asked

    def _look(self, asked: Mapping[Why, float], progress: Progress) -> None:
        self.status = replace(self.status, running=True)
        # Told of is who asked first; what each asks for is done
        why, since = min(asked.items(), key=lambda one: one[1])
        seen = ""
        live: list[float] = []

        def now_live() -> None:
            live.append(time.monotonic() - since)
            catalogue = self.knowledge_base.searcher.catalogue
            refused = (f"kb: refused {problem}" for problem in catalogue.refusals())
            self._tell(seen, f"kb: live, {catalogue.count()} articles", *refused)
            self._live.set()

        try:
            if "clone" in asked:
                put_aside_if_damaged(self.knowledge_base.settings)
            if "damaged" in asked:
                self.knowledge_base.desk.check()
            content = open_content(self.knowledge_base.settings)
            seen = content.revision() or ""
            self.status = replace(self.status, seen=seen or None, looked_at=datetime.now(UTC))
            report = self.knowledge_base.update(progress, now_live, content, by=f"service:{why}")
        except IndexBusyError:
            # Another process publishes: what it leaves undone is looked for right after
            self._failed("another process publishes", "Wait until it is done", 1.0)
        except KnowledgeBaseError as error:
            self._failed(error.problem, error.remedy)
        except Exception as error:
            # Whatever it was, the service goes on answering and looks again
            failing = disk_error(error)
            if failing is not None:
                self._failed(failing.problem, failing.remedy)
            else:
                _log.exception("the content was not published")
                self._failed(f"{type(error).__name__}: {error}", "Look at the log and at the data folder")
        else:
            self._succeeded(why, live[0], report)
        finally:
            self.status = replace(self.status, running=False)
            if not live:
                self._tell(seen, f"kb: not published yet: {self.status.failure}")
            self._live.set()

    def _tell(self, seen: str, *lines: str) -> None:
        """Leave word for git's hook, which tells the author who waits for it; ``seen`` is the commit it is about."""
        file = self.knowledge_base.settings.outcome_file
        part = file.with_name(f"{file.name}.part")
        with suppress(OSError):
            part.write_text("\n".join((seen, *lines, "")), "utf-8")
            part.replace(file)

    def _succeeded(self, why: Why, seconds: float, report: Report) -> None:
        status = self.status
        if status.failure is not None:
            _log.warning("the content is followed again")
        if report.note:
            _log.warning(report.note)
        # What is refused when the service starts is said by the start
        if self._refused is not None:
            for problem in report.refusals:
                if problem not in self._refused:
                    _log.warning("refused %s", problem)
        self._refused = frozenset(report.refusals)
        if not report.changed:
            self.status = replace(status, failure=None)
            return
        last = Published(why, datetime.now(UTC), round(seconds, 3), report)
        _log.info("published in %.3f s: %d changed, %d refused", seconds, report.changed, report.refused)
        with self._telling:
            self.status = replace(status, last=last, publishes=status.publishes + 1, failure=None)
            self._observer(last)

    def _failed(self, problem: str, remedy: str, seconds: float | None = None) -> None:
        before = self.status.failure
        attempts = before.attempts + 1 if before else 1
        wait = seconds or min(LONGEST_RETRY_SECONDS, 2.0 ** min(attempts - 1, 10))
        now, self._retry_at = datetime.now(UTC), time.monotonic() + wait
        failure = Failure(problem, remedy, before.since if before else now, attempts, now + timedelta(seconds=wait))
        if before is None or before.problem != problem:
            _log.error("the content is not published, what was live stays: %s", failure)
        self.status = replace(self.status, failure=failure, failures=self.status.failures + 1)
