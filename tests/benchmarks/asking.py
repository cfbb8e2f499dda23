"""A light client that asks one after the other, or several side by side, and keeps how long each answer took."""

import http.client
import statistics
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Asked:
    """How long answers took, in milliseconds in rising order, and how many came each second."""

    times: tuple[float, ...]
    per_second: float

    @property
    def median(self) -> float:
        return statistics.median(self.times)

    @property
    def p99(self) -> float:
        return self.times[int(len(self.times) * 0.99)]


def ask(port: int, path: str, texts: Sequence[str], clients: int = 1) -> Asked:
    """Ask for the path with each text at its end.

    Raises OSError where nothing answers, RuntimeError for an answer that is none.
    """
    waiting = iter(texts)
    times: list[float] = []
    failures: list[Exception] = []
    lock = threading.Lock()

    def next_text() -> str | None:
        with lock:
            return None if failures else next(waiting, None)

    def one() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            while (text := next_text()) is not None:
                started = time.perf_counter()
                connection.request("GET", path + quote(text))
                answer = connection.getresponse()
                body = answer.read()
                times.append((time.perf_counter() - started) * 1000)
                if answer.status != 200:
                    raise RuntimeError(f"{answer.status} {body[:200]!r}")
        except (OSError, RuntimeError) as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(clients)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - started
    if failures:
        raise failures[0]
    return Asked(tuple(sorted(times)), len(times) / took)


def memory(pids: Iterable[int]) -> int:
    """Mebibytes that processes hold, shared pages shared out among those who have them (PSS)."""
    total = 0
    for pid in pids:
        with Path(f"/proc/{pid}/smaps_rollup").open(encoding="ascii") as rollup:
            total += next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
    return total // 1024
