"""Files parsed and cut side by side, on all cores, where there are many of them.

By processes of their own (``helpers``), as many as there are cores.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue

from indexer.catalogue import object_to_json
from indexer.errors import KnowledgeBaseError
from indexer.helpers import GONE, Helper, answer
from indexer.knowledge import parse
from indexer.language import Language
from indexer.passages import CountTokens, cut
from indexer.prepared import Prepared, to_json

# To start processes takes as long as reading so many
MANY = 400
_EACH = 20


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What a file says: its object, of an id and a revision, and its passages, both as JSON."""

    id: str
    revision: str
    object: str
    passages: str


File = tuple[str, bytes]
"""A path and what is there."""
ManyRead = Future[list[ReadFile | None]]


def read(file: File, count_tokens: CountTokens, max_tokens: int, language: Language) -> ReadFile | None:
    """A file that can be read by itself; None where there is something wrong with it, or where it has videos."""
    parsed = parse(*file)
    if isinstance(parsed, list) or any(section.videos for section in parsed.document.sections):
        return None
    passages = (Prepared.of(passage, language) for passage in cut(parsed, count_tokens, max_tokens))
    return ReadFile(parsed.id, parsed.revision, object_to_json(parsed), to_json(passages))


class Readers:
    """Processes that read, each one part of the files at a time."""

    def __init__(self, helpers: Sequence[Helper], threads: ThreadPoolExecutor) -> None:
        self.pids = [helper.pid for helper in helpers]
        self._threads = threads
        self._idle: SimpleQueue[Helper] = SimpleQueue()
        for helper in helpers:
            self._idle.put(helper)

    def start(self, files: Sequence[File]) -> list[ManyRead]:
        """Begin to read files; what they say comes in their order. The results raise KnowledgeBaseError."""
        parts = (files[start : start + _EACH] for start in range(0, len(files), _EACH))
        return [self._threads.submit(self._read, part) for part in parts]

    def _read(self, files: Sequence[File]) -> list[ReadFile | None]:
        helper = self._idle.get()
        try:
            found: list[ReadFile | None] = helper.ask(files)
        except GONE as error:
            raise KnowledgeBaseError(
                "a process that reads files ended before it was done, perhaps for want of memory",
                "Run again: what was read is kept",
            ) from error
        finally:
            self._idle.put(helper)
        return found


@contextmanager
def reading(count_tokens: CountTokens, max_tokens: int, language: Language) -> Iterator[Readers]:
    """As many processes as there are cores; ended with the block."""
    count = os.cpu_count() or 1
    helpers = [Helper("indexer.readers", "serve") for _ in range(count)]
    threads = ThreadPoolExecutor(count, thread_name_prefix="read")
    try:
        for helper in helpers:
            helper.tell((count_tokens, max_tokens, language))
        yield Readers(helpers, threads)
    finally:
        threads.shutdown(cancel_futures=True)
        for helper in helpers:
            helper.end()


def serve() -> None:
    """What each of the processes does: read what it is given until there is no more."""

    def begin(told: tuple[CountTokens, int, Language]) -> Callable[[Sequence[File]], list[ReadFile | None]]:
        return lambda files: [read(file, *told) for file in files]

    answer(begin)
