"""Files parsed and cut side by side, on all cores, where there are many of them."""

import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from indexer.catalogue import object_to_json
from indexer.knowledge import parse
from indexer.passages import CountTokens, cut
from indexer.prepared import Prepared, to_json

# To start processes takes as long as reading so many
MANY = 400
_EACH = 20


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What a file says: its object, of a revision, and its passages, both as JSON."""

    revision: str
    object: str
    passages: str


File = tuple[str, bytes]
"""A path and what is there."""
ManyRead = Future[list[ReadFile | None]]


def read(file: File, count_tokens: CountTokens, max_tokens: int) -> ReadFile | None:
    """A file that can be read by itself; None where there is something wrong with it, or where it has videos."""
    parsed = parse(*file)
    if isinstance(parsed, list) or any(section.videos for section in parsed.document.sections):
        return None
    passages = map(Prepared.of, cut(parsed, count_tokens, max_tokens))
    return ReadFile(parsed.revision, object_to_json(parsed), to_json(passages))


class Readers:
    """Processes that read."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def start(self, files: Sequence[File]) -> list[ManyRead]:
        """Begin to read files; what they say comes in their order."""
        parts = (files[start : start + _EACH] for start in range(0, len(files), _EACH))
        return [self._pool.submit(_read_all, part) for part in parts]


@contextmanager
def reading(count_tokens: CountTokens, max_tokens: int) -> Iterator[Readers]:
    """As many processes as there are cores; ended with the block, or with this process, however that ends."""
    # Not a copy of this process, whose threads may hold locks just then
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        os.cpu_count() or 1, context, initializer=_begin, initargs=(count_tokens, max_tokens)
    ) as pool:
        try:
            yield Readers(pool)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


# Of one of the processes: how it counts, which is kept from file to file
_own: dict[str, Any] = {}


def _read_all(files: Sequence[File]) -> list[ReadFile | None]:
    return [read(file, _own["count_tokens"], _own["max_tokens"]) for file in files]


def _begin(count_tokens: CountTokens, max_tokens: int) -> None:
    _own.update(count_tokens=count_tokens, max_tokens=max_tokens)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
