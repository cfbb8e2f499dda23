"""``python -m tests.benchmarks.large``: how finding, memory and following grow with the number of passages.

Records made of our own sentences, with real vectors and noise, from a thousand passages to a million records
(``--records``, some twenty minutes). Each size is asked in a process of its own, by both lanes and without encoding,
which is measured beside it. ``--readme`` writes the tables there.
"""

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from indexer.encoder import Encoder, Vectors, open_encoder
from indexer.identifiers import identifiers
from indexer.index import PassageIndex
from indexer.language import ENGLISH
from indexer.retrieval import Asked, Filter
from indexer.snapshot import DEPTH
from indexer.terms import query_terms
from indexer.vector_files import Base, BaseFile, read_base
from kb_service.cli_serve import SWITCH_SECONDS
from tests.benchmarks.asking import memory
from tests.benchmarks.records import Records, filters
from tests.benchmarks.serving import MODEL, machine
from tests.readme import put

# Passages, at 2.4 of a record
SIZES = (1_000, 10_000, 100_000, 300_000)
PASSAGES = 2.4
QUESTIONS = 200
RECALL_OF = 200
NEAREST = 10
INSERTS, SECONDS = 500, 10
_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class Took:
    """Of searches by both lanes, in milliseconds; ``recall`` of the ten nearest, None where all are compared."""

    median: float
    p99: float
    recall: float | None


@dataclass(frozen=True, slots=True)
class Grown:
    """One size: mebibytes and seconds of a process that opens it, searches by filter, encoding one question (ms)."""

    records: int
    passages: int
    memory: int
    open: float
    encoding: float
    by_filter: dict[str, Took]


@dataclass(frozen=True, slots=True)
class Written:
    """Searches (ms) while records are put in, a second, taken out again exactly, and changed."""

    inserted: float
    median: float
    p99: float
    exact: bool


def questions(encoder: Encoder, records: Records) -> list[tuple[Asked, float]]:
    """What is asked, and how long its encoding took, in milliseconds."""
    asked = []
    for text in records.questions[:QUESTIONS]:
        started = time.perf_counter()
        (vector,) = encoder.encode([text], "query")
        took = (time.perf_counter() - started) * 1000
        asked.append((Asked(query_terms(text, ENGLISH), sorted(identifiers(text)), vector), took))
    return asked


def times(index: PassageIndex, asked: Sequence[Asked], wanted: Filter) -> list[float]:
    """How long each search takes, in milliseconds, in rising order; after one that nobody waits for."""
    found = []
    index.search(asked[0], wanted)
    for one in asked:
        started = time.perf_counter()
        index.search(one, wanted)
        found.append((time.perf_counter() - started) * 1000)
    return sorted(found)


def recall(index: PassageIndex, asked: Sequence[Asked], wanted: Filter) -> float | None:
    """Which share of the nearest passages of all is among the nearest that are found."""
    described = index.meta("base")
    with index.snapshot() as snapshot:
        lane, chosen = snapshot.meaning, snapshot.view(wanted).passages
        if lane.is_plain or not described:
            return None
        base = read_base(index.path.parent, BaseFile(**json.loads(described)))
        queries = np.stack([one.vector for one in asked[:RECALL_OF] if one.vector is not None])
        every = _nearest(base, np.flatnonzero(chosen.has(base.keys)), queries)
        hits = 0
        for query, exact in zip(queries, every, strict=True):
            near = lane.nearest(query, chosen, 3 * DEPTH)
            near = near[np.isin(near, base.keys)]
            scores = lane.scores(query, lane.rows(near))
            hits += len(np.intersect1d(near[np.argsort(-scores)[:NEAREST]], exact))
        return hits / sum(map(len, every))


def _nearest(base: Base, rows: NDArray[np.int64], queries: Vectors) -> list[NDArray[np.int64]]:
    """The keys of the nearest of all at some rows, for each query."""
    best = [(np.zeros(0, np.float32), np.zeros(0, np.int64)) for _ in queries]
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        scores = queries @ base.vectors(some).astype(np.float32).T
        for number, (held, those) in enumerate(best):
            every, ids = np.append(held, scores[number]), np.append(those, base.keys[some])
            top = np.argsort(-every)[:NEAREST]
            best[number] = every[top], ids[top]
    return [ids for _, ids in best]


def ask(folder: Path, cache: Path) -> Grown:
    """Measure one size, in a process that does nothing else."""
    encoder = open_encoder("onnx", MODEL, cache)
    records = Records(encoder, texts=0)
    asked = questions(encoder, records)
    started = time.perf_counter()
    index = PassageIndex(folder / "incidents.db", encoder)
    with index.snapshot() as snapshot:
        count, passages = len(snapshot.columns.owners), len(snapshot.columns.passages)
    opened = time.perf_counter() - started
    every = [one for one, _ in asked]
    took = {name: times(index, every, wanted) for name, wanted in filters().items()}
    gc.collect()
    held = memory([os.getpid()])
    by_filter = {
        name: Took(float(np.median(one)), float(np.quantile(one, 0.99)), recall(index, every, filters()[name]))
        for name, one in took.items()
    }
    return Grown(count, passages, held, opened, float(np.median([ms for _, ms in asked])), by_filter)


def asked_apart(folder: Path, cache: Path) -> Grown:
    """The same, in such a process."""
    command = [sys.executable, "-m", "tests.benchmarks.large", "--ask", str(folder), str(cache)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    values = json.loads(said)
    by_filter = {name: Took(**took) for name, took in values.pop("by_filter").items()}
    return Grown(**values, by_filter=by_filter)


def written(index: PassageIndex, encoder: Encoder, records: Records, asked: Sequence[Asked], first: int) -> Written:
    """Search while records come at a fixed pace, as another process of the service would write them."""
    ended = threading.Event()
    taken: list[float] = []

    def write() -> None:
        mine = PassageIndex(index.path, encoder)
        begun = time.perf_counter()
        try:
            for there in records.put(mine, first, INSERTS * SECONDS, together=INSERTS // 5):
                due = begun + (there - first) / INSERTS
                ended.wait(max(0.0, due - time.perf_counter()))
            taken.append(time.perf_counter() - begun)
        finally:
            ended.set()

    wanted = filters()["all"]
    index.search(asked[0], wanted)
    # As the service has it
    sys.setswitchinterval(SWITCH_SECONDS)
    writer = threading.Thread(target=write)
    writer.start()
    searches: list[float] = []
    while not ended.is_set():
        begun = time.perf_counter()
        index.search(asked[len(searches) % len(asked)], wanted)
        searches.append((time.perf_counter() - begun) * 1000)
    writer.join()
    names = [f"INC{number:07}" for number in range(first, first + INSERTS * SECONDS)]
    with index.changing() as change:
        for name in names:
            change.delete(name)
        index.raise_generation()
    with index.snapshot() as snapshot:
        left = snapshot.columns.places(index.connection, names)
        visible = snapshot.view(wanted).count
    exact = not left and visible == first
    inserted = INSERTS * SECONDS / taken[0]
    return Written(inserted, float(np.median(searches)), float(np.quantile(searches, 0.99)), exact)


def rows(sizes: Sequence[Grown]) -> Iterator[tuple[str, ...]]:
    """By size: both lanes, all and by filter."""
    least = sizes[0]
    for one in sizes:
        every = one.by_filter["all"]
        yield (
            f"{one.passages:,}",
            f"{one.records:,}",
            f"{one.memory} MiB",
            f"{one.open:.1f} s",
            f"{every.median:.1f} ms",
            f"{every.p99:.1f} ms",
            f"{every.p99 / least.by_filter['all'].p99:.1f}",
            f"{every.median / one.encoding:.1f}",
        )


HEADS = (
    "Passages", "Records", "Memory (PSS)", "Opened in", "Median", "p99", "p99 to the first", "Median to encoding"
)  # fmt: skip


def by_filter(largest: Grown) -> Iterator[tuple[str, ...]]:
    """Of the largest size."""
    for name, took in largest.by_filter.items():
        found = "all are compared" if took.recall is None else f"{took.recall:.3f}"
        yield name, f"{took.median:.1f} ms", f"{took.p99:.1f} ms", found


FILTER_HEADS = ("Who may be found", "Median", "p99", "Recall of the ten nearest")


def main() -> None:
    """Measure, and print two tables."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--records", type=int, default=0, help="a last size of so many records")
    options.add_argument("--ask", nargs=2, metavar=("FOLDER", "CACHE"), help=argparse.SUPPRESS)
    options.add_argument("--readme", action="store_true", help="write the tables into the README")
    given = options.parse_args()
    if given.ask:
        print(json.dumps(asdict(ask(*map(Path, given.ask)))))
        return
    cache = Path(os.environ.get("KB_CACHE") or "data/cache")
    encoder = open_encoder("onnx", MODEL, cache)
    records = Records(encoder)
    sizes = []
    with tempfile.TemporaryDirectory() as name:
        index = PassageIndex(Path(name) / "incidents.db", encoder)
        with index.changing():
            index.set_meta("encoder", encoder.identity)
        there, started = 0, time.perf_counter()
        for size in (*(round(passages / PASSAGES) for passages in SIZES), given.records):
            if size > there:
                for _ in records.put(index, there, size - there):
                    pass
                there = size
                sizes.append(asked_apart(Path(name), cache))
        pace = there / (time.perf_counter() - started)
        load = written(index, encoder, records, [one for one, _ in questions(encoder, records)], there)
    tables = ((HEADS, list(rows(sizes))), (FILTER_HEADS, list(by_filter(sizes[-1]))))
    for heads, found in tables:
        table = Table(*heads, title=machine())
        for row in found:
            table.add_row(*row)
        Console(width=140).print(table)
    told = (
        f"Put in at {pace:.0f} records a second with all that was measured between. While {load.inserted:.0f} records a"
        f" second came to the largest, a search took {load.median:.1f} ms in the median and {load.p99:.1f} at p99;"
        f" taken out again {'nothing' if load.exact else 'SOMETHING'} of them is found."
    )
    Console(width=140).print(told)
    if given.readme:
        parts = [_markdown(heads, found) for heads, found in tables]
        put("large", "\n\n".join([*parts, f"{told} {machine()}."]), "measured")


def _markdown(heads: Sequence[str], found: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}", *(f"| {' | '.join(row)} |" for row in found)]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
