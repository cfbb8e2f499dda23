"""Files parsed and cut side by side, on all cores, where there are many of them.

By processes of their own that are told what to read through a pipe: they end with whoever holds its other end, however
that ends, and know nothing of the program that it is. (Those of ``multiprocessing`` run its script once more.)
"""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import SimpleQueue

from indexer.catalogue import object_to_json
from indexer.errors import KnowledgeBaseError
from indexer.knowledge import parse
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


def read(file: File, count_tokens: CountTokens, max_tokens: int) -> ReadFile | None:
    """A file that can be read by itself; None where there is something wrong with it, or where it has videos."""
    parsed = parse(*file)
    if isinstance(parsed, list) or any(section.videos for section in parsed.document.sections):
        return None
    passages = map(Prepared.of, cut(parsed, count_tokens, max_tokens))
    return ReadFile(parsed.id, parsed.revision, object_to_json(parsed), to_json(passages))


class Readers:
    """Processes that read, each one part of the files at a time."""

    def __init__(self, processes: Sequence["subprocess.Popen[bytes]"], threads: ThreadPoolExecutor) -> None:
        self.pids = [process.pid for process in processes]
        self._threads = threads
        self._idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        for process in processes:
            self._idle.put(process)

    def start(self, files: Sequence[File]) -> list[ManyRead]:
        """Begin to read files; what they say comes in their order. The results raise KnowledgeBaseError."""
        parts = (files[start : start + _EACH] for start in range(0, len(files), _EACH))
        return [self._threads.submit(self._read, part) for part in parts]

    def _read(self, files: Sequence[File]) -> list[ReadFile | None]:
        process = self._idle.get()
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 (they are pipes)
        try:
            pickle.dump(files, process.stdin)
            process.stdin.flush()
            found: list[ReadFile | None] = pickle.load(process.stdout)  # noqa: S301 (of a process of ours)
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            raise KnowledgeBaseError(
                "a process that reads files ended before it was done, perhaps for want of memory",
                "Run again: what was read is kept",
            ) from error
        finally:
            self._idle.put(process)
        return found


@contextmanager
def reading(count_tokens: CountTokens, max_tokens: int) -> Iterator[Readers]:
    """As many processes as there are cores; ended with the block."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", "from indexer.readers import serve; serve()"]
    count = os.cpu_count() or 1
    processes = [
        subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(count)
    ]
    threads = ThreadPoolExecutor(count, thread_name_prefix="read")
    try:
        for process in processes:
            assert process.stdin is not None  # noqa: S101 (it is a pipe)
            pickle.dump((count_tokens, max_tokens), process.stdin)
        yield Readers(processes, threads)
    finally:
        threads.shutdown(cancel_futures=True)
        for process in processes:
            with suppress(OSError):
                process.communicate()


def serve() -> None:
    """What each of the processes does: read what it is given until there is no more."""
    # Ctrl+C is for the one that is asked; what anything prints is not an answer
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    asked = sys.stdin.buffer
    with suppress(EOFError, BrokenPipeError):
        count_tokens, max_tokens = pickle.load(asked)  # noqa: S301 (of the process that began this one)
        while True:
            files: Sequence[File] = pickle.load(asked)  # noqa: S301 (the same)
            pickle.dump([read(file, count_tokens, max_tokens) for file in files], answers)
            answers.flush()
