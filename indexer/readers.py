"""Files parsed and cut side by side, on all cores, where there are many of them.

By processes of their own (``helpers``), as many as there are cores. A long file is read by one, too, however few there
are: what hangs can be ended there.
"""

import gc
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue

from indexer.catalogue import object_to_json
from indexer.errors import KnowledgeBaseError, Problem
from indexer.knowledge import parse
from indexer.language import Language
from indexer.passages import CountTokens, cut
from indexer.prepared import Prepared, to_json
from indexer.processes import GONE, Helper, answer

# To start processes takes as long as reading so many
MANY = 400
_EACH = 20
# A shorter file takes a tenth of a second at worst, for which no process is started
LONG_BYTES = 100_000
# A file of the most bytes takes one second, on a machine that does nothing else
MOST_SECONDS = 60.0
_AGAIN_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What a file says: its object, of an id and a revision, and its passages, both as JSON."""

    id: str
    revision: str
    object: str
    passages: str


File = tuple[str, bytes]
"""A path and what is there."""
Found = ReadFile | Problem | None
"""What a file says; why no process could read it; or None, where it is to be read by itself."""
ManyRead = Future[list[Found]]


def read(file: File, count_tokens: CountTokens, max_tokens: int, language: Language) -> ReadFile | None:
    """A file that can be read by itself; None where there is something wrong with it, or where it has videos."""
    parsed = parse(*file)
    if isinstance(parsed, list) or any(section.videos for section in parsed.document.sections):
        return None
    passages = (Prepared.of(passage, language) for passage in cut(parsed, count_tokens, max_tokens))
    return ReadFile(parsed.id, parsed.revision, object_to_json(parsed), to_json(passages))


# What took too long in this process, by path and bytes, and when that was
_given_up: dict[bytes, float] = {}


def given_up(file: File) -> Problem | None:
    """What is said of a file that took too long not long ago, so that it does not hold up every publish."""
    at = _given_up.get(_name(file))
    if at is None or time.monotonic() - at > _AGAIN_SECONDS:
        return None
    what = f"reading it took over {MOST_SECONDS:.0f} s, so it was given up"
    return Problem(file[0], 1, what, "Make it shorter and plainer, or split it into articles")


def _name(file: File) -> bytes:
    return hashlib.sha256(file[0].encode("utf-8", "surrogatepass") + b"\0" + file[1]).digest()


class Readers:
    """Processes that read, each one part of the files at a time; in the place of one that hangs another reads on."""

    def __init__(self, count: int, told: tuple[CountTokens, int, Language]) -> None:
        self._told = told
        self._helpers: list[Helper] = []
        self._idle: SimpleQueue[Helper] = SimpleQueue()
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="read")
        try:
            for _ in range(count):
                self._idle.put(self._begin())
        except BaseException:
            self.end()
            raise

    @property
    def pids(self) -> list[int]:
        return [helper.pid for helper in self._helpers]

    def start(self, files: Sequence[File]) -> list[ManyRead]:
        """Begin to read files; what they say comes in their order. The results raise KnowledgeBaseError."""
        parts = (files[start : start + _EACH] for start in range(0, len(files), _EACH))
        return [self._threads.submit(self._read, part) for part in parts]

    def end(self) -> None:
        """When each is done with what it is at."""
        self._threads.shutdown(cancel_futures=True)
        for helper in self._helpers:
            helper.end()

    def _begin(self) -> Helper:
        helper = Helper("indexer.readers", "serve")
        self._helpers.append(helper)
        helper.tell(self._told)
        return helper

    def _read(self, files: Sequence[File]) -> list[Found]:
        known = {file[0]: problem for file in files if (problem := given_up(file))}
        if known:
            rest = iter(self._read([file for file in files if file[0] not in known]) if len(known) < len(files) else [])
            return [known[file[0]] if file[0] in known else next(rest) for file in files]
        found = self._answer(files)
        if found is not None:
            return found
        if len(files) == 1:
            _given_up[_name(files[0])] = time.monotonic()
        # One of several hangs: which one shows when each is read by itself
        return [one for file in files for one in self._read([file])]

    def _answer(self, files: Sequence[File]) -> list[Found] | None:
        """What the files say; None where that took too long."""
        helper = self._idle.get()
        try:
            found: list[Found] = helper.do(files, MOST_SECONDS)
        except TimeoutError:
            self._helpers.remove(helper)
            helper.end()
            helper = self._begin()
            return None
        except GONE as error:
            raise KnowledgeBaseError(
                "a process that reads files ended before it was done, perhaps for want of memory",
                "Run again: what was read is kept",
            ) from error
        finally:
            self._idle.put(helper)
        return found


@contextmanager
def reading(count_tokens: CountTokens, max_tokens: int, language: Language, count: int = 0) -> Iterator[Readers]:
    """So many processes, else as many as there are cores; ended with the block."""
    readers = Readers(count or os.cpu_count() or 1, (count_tokens, max_tokens, language))
    try:
        yield readers
    finally:
        readers.end()


def serve() -> None:
    """What each of the processes does: read what it is given until there is no more."""

    # Texts make garbage by the thousand and none that refers to itself: to look for that took a tenth of the time
    gc.set_threshold(100_000)

    def begin(told: tuple[CountTokens, int, Language]) -> Callable[[Sequence[File]], list[Found]]:
        return lambda files: [read(file, *told) for file in files]

    answer(begin)
