"""``python -m tests.benchmarks.many``: how long a publish of tens of thousands of articles takes, and of one of them.

Articles of 2.5 KB, made of our own sentences with some words of their own, read by the real model's tokenizer. Nothing
is encoded: their vectors are made. ``--articles`` says how many (50,000 take some five minutes), ``--readme`` writes it
there.
"""

import argparse
import os
import random
import string
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from indexer.build import update
from indexer.database import writing
from indexer.encoder import Encoder, open_encoder
from indexer.folding import fold_if_due
from indexer.index import PassageIndex
from indexer.source import WorkingTree
from indexer.vectors import VectorCache
from tests.benchmarks.made import sentences
from tests.benchmarks.serving import MODEL, machine
from tests.readme import put

FOLDERS = 200
_PARTS, _WORDS, _TOGETHER, _CLUMPS = 4, 30_000, 20_000, 5_000


class _Searchable(Exception):  # noqa: N818 (nothing went wrong)
    """Words are, and what comes then is not measured."""


def write(folder: Path, count: int) -> None:
    """Articles of 2.5 KB, the same ones in every run."""
    chance, lines = random.Random(2), sentences()  # noqa: S311 (the same)
    words = ["".join(chance.choices(string.ascii_lowercase, k=chance.randint(4, 10))) for _ in range(_WORDS)]
    for number in range(count):
        parts = (
            f"## Part {part}\n\n" + "\n\n".join((*chance.sample(lines, 4), " ".join(chance.choices(words, k=12))))
            for part in range(_PARTS)
        )
        title = f"Article {number} {' '.join(chance.choices(words, k=2))}"
        file = folder / str(number % FOLDERS) / f"{number}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"---\ntitle: {title}\n---\n" + "\n\n".join(parts) + "\n", "utf-8")


def give_vectors(index: PassageIndex) -> None:
    """Vectors in clumps to all that waits for one."""
    noise = np.random.default_rng(1)
    clumps = noise.normal(size=(_CLUMPS, index.dimension))
    while pending := index.connection.execute(
        "SELECT key FROM passages WHERE has_vector = 0 AND text_hash IS NOT NULL ORDER BY key LIMIT ?", (_TOGETHER,)
    ).fetchall():
        made = clumps[noise.integers(0, _CLUMPS, len(pending))] + 0.6 * noise.normal(
            size=(len(pending), index.dimension)
        )
        made /= np.linalg.norm(made, axis=1, keepdims=True)
        with writing(index.connection):
            index.add_vectors({key: one for (key,), one in zip(pending, made.astype(np.float16), strict=True)})
        fold_if_due(index)


def measured(folder: Path, encoder: Encoder, count: int) -> Iterator[tuple[str, float]]:
    """What was done, and the seconds it took."""
    content, data = folder / "content", folder / "data"
    write(content, count)
    index = PassageIndex(data / "index.db", encoder)
    cache = VectorCache(data / "vectors.db", encoder.identity)
    live: list[float] = []

    def published(what: str) -> tuple[str, float]:
        live.clear()
        begun = time.perf_counter()

        def now_live() -> None:
            live.append(time.perf_counter() - begun)

        def stop_before_encoding(doing: str, _done: int, _of: int) -> None:
            if live and doing == "encode":
                raise _Searchable

        with suppress(_Searchable):
            update(WorkingTree(content), index, encoder, cache, stop_before_encoding, now_live)
        return what, live[0]

    yield published("The first publish, until words are searched")
    give_vectors(index)
    begun = time.perf_counter()
    with index.snapshot():
        yield "A reader opens it", time.perf_counter() - begun
    # Files that were written a moment ago are looked into
    published("")
    yield published("Nothing changed")
    with (content / "7" / "7.md").open("a", encoding="utf-8") as file:
        file.write("\n\nOne more line of wombats.\n")
    yield published("One article changed, until it is searched")
    begun = time.perf_counter()
    with index.snapshot():
        yield "A reader follows to that", time.perf_counter() - begun
    cache.close()


def main() -> None:
    """Measure, and print a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--articles", type=int, default=5_000)
    options.add_argument("--readme", action="store_true", help="write the table into the README")
    given = options.parse_args()
    encoder = open_encoder("onnx", MODEL, Path(os.environ.get("KB_CACHE") or "data/cache"))
    with tempfile.TemporaryDirectory() as name:
        found = list(measured(Path(name), encoder, given.articles))
    title = f"{given.articles:,} articles; {machine()}"
    table = Table("", "seconds", title=title)
    for what, seconds in found:
        table.add_row(what, f"{seconds:.3g}")
    Console(width=100).print(table)
    if given.readme:
        lines = ["| | Seconds |", "|---|---|", *(f"| {what} | {seconds:.3g} |" for what, seconds in found)]
        put("many", "\n".join([*lines, "", f"{title}."]), "measured")


if __name__ == "__main__":
    main()
