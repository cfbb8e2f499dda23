"""SIGTERM under load: what was begun is answered, what was acknowledged is there, and the service ends in time by 0."""

import os
import re
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path

import httpx2
import pytest

from kb_service.ending import GRACE_SECONDS, end_in_failure
from tests.authors import KB, StandaloneService
from tests.benchmarks.made import content
from tests.conftest import WAIT_SECONDS, eventually
from tests.forked import Run
from tests.written import article

pytestmark = pytest.mark.breaking

# What the machine may take besides when others keep it busy
SLACK_SECONDS = 6.0


class Load:
    """Clients that put records and search until they get no answer any more."""

    def __init__(self, address: str, clients: int = 6) -> None:
        self.address, self.ended = address, threading.Event()
        self.acknowledged: list[str] = []
        self.statuses: Counter[int] = Counter()
        self.broken: list[str] = []
        self.threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(clients)]
        for thread in self.threads:
            thread.start()

    def _ask(self, who: int) -> None:
        with httpx2.Client(base_url=self.address, timeout=WAIT_SECONDS) as client:
            for count in range(100_000):
                if self.ended.is_set():
                    return
                number = f"L{who}-{count}"
                try:
                    if count % 2:
                        answer = client.get("/api/search", params={"q": f"printer {number}"})
                    else:
                        answer = client.put(f"/api/incidents/{number}", json={"short_description": f"Printer {number}"})
                except httpx2.TransportError as error:
                    self.broken.append(type(error).__name__)
                    return
                self.statuses[answer.status_code] += 1
                if answer.status_code == 201:
                    self.acknowledged.append(number)

    def end(self) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join(WAIT_SECONDS)


def few(folder: Path) -> str:
    (folder / "content").mkdir()
    for name in ("vpn", "mail", "printer"):
        (folder / "content" / f"{name}.md").write_text(article(name, f"What to do about the {name}."), "utf-8")
    return str(folder / "content")


def beside(process: Run | subprocess.Popen[bytes]) -> list[int]:
    """The processes that it has begun."""
    return [int(one) for one in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def takes(pid: int, number: int, what: str) -> bool:
    """Whether a process has a signal among those that it ignores (``SigIgn``) or has a handler for (``SigCgt``)."""
    found = re.search(rf"{what}:\s*(\w+)", Path(f"/proc/{pid}/status").read_text())
    return found is not None and bool(int(found[1], 16) & (1 << (number - 1)))


def ended(process: Run | subprocess.Popen[bytes]) -> int:
    return process.wait(GRACE_SECONDS + SLACK_SECONDS)


@pytest.mark.parametrize("workers", ["1", pytest.param("0", marks=pytest.mark.long)])
def test_under_load_it_answers_what_was_begun_and_ends_by_0(tmp_path: Path, workers: str) -> None:
    service = StandaloneService(tmp_path / "data", KB_CONTENT=few(tmp_path), KB_WORKERS=workers)
    with service.running() as client:
        load = Load(str(client.base_url))
        eventually(lambda: len(load.acknowledged) > 30)
        process = service.process
        assert process is not None
        eventually(lambda: all(takes(pid, signal.SIGTERM, "SigIgn") for pid in beside(process)))
        # To all, as systemd does: the one that is asked says when the others are to end
        for pid in (process.pid, *beside(process)):
            os.kill(pid, signal.SIGTERM)
        assert ended(process) == 0
        load.end()
    assert set(load.statuses) <= {200, 201, 503}
    # Only where the door was shut already: an answer that was begun came whole
    assert len(load.broken) == len(load.threads)
    assert "Traceback" not in service.log.read_text()
    assert "takes its place" not in service.log.read_text()
    with service.running() as client:
        for number in load.acknowledged:
            assert client.get(f"/api/incidents/{number}").status_code == 200
    assert (tmp_path / "data" / "at-rest").exists(), "it ended in order"


def test_a_request_that_never_comes_whole_does_not_hold_it(tmp_path: Path) -> None:
    service = StandaloneService(tmp_path / "data", KB_CONTENT=few(tmp_path))
    with service.running() as client:
        host, port = client.base_url.host, client.base_url.port
        with socket.create_connection((host, port or 80)) as waiting:
            waiting.sendall(
                b"PUT /api/incidents/SLOW HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                b"Content-Length: 100\r\n\r\n{"
            )
            eventually(lambda: client.get("/healthz").status_code == 200)
            assert service.process is not None
            started = time.monotonic()
            service.process.send_signal(signal.SIGTERM)
            assert ended(service.process) == 0
            assert time.monotonic() - started < GRACE_SECONDS + SLACK_SECONDS


@pytest.mark.long
def test_a_publish_that_is_cut_off_is_gone_on_with(tmp_path: Path) -> None:
    articles = content(tmp_path, 250)
    service = StandaloneService(tmp_path / "data", KB_CONTENT=str(articles))
    with service.log.open("w") as log:
        process = subprocess.Popen([*KB, "serve"], env=service.environment, stdout=subprocess.DEVNULL, stderr=log)
    staged = tmp_path / "data" / "index.db"
    eventually(lambda: staged.exists() and staged.stat().st_size > 0)
    process.send_signal(signal.SIGTERM)
    ended(process)
    with service.running() as client:
        eventually(lambda: client.get("/readyz").json().get("objects") == 250)


def test_vectors_of_an_import_do_not_hold_it(tmp_path: Path) -> None:
    """They would take minutes; the words of all are there, and the next start goes on."""
    service = StandaloneService(tmp_path / "data", KB_CONTENT=few(tmp_path))
    lines = "\n".join(
        f'{{"number": "INC{n:05}", "short_description": "Printer {n}", "description": "{"word " * 300}{n}"}}'
        for n in range(1_500)
    )
    with service.running() as client:
        bulk = client.post(
            "/api/incidents", content=lines, headers={"Content-Type": "application/x-ndjson"}, timeout=120
        )
        assert bulk.status_code == 200, bulk.text
        assert service.process is not None
        service.process.send_signal(signal.SIGTERM)
        assert ended(service.process) == 0
    assert "cut off" not in service.log.read_text()
    with service.running() as client:
        assert client.get("/readyz").json()["incidents"]["count"] == 1_500


def test_what_is_not_done_in_time_is_told_so(tmp_path: Path) -> None:
    service = StandaloneService(tmp_path / "data", KB_CONTENT=few(tmp_path))
    body = '{"short_description": "VPN is down"}'
    heads = ("Host: 127.0.0.1", f"Content-Length: {len(body)}", "Content-Type: application/json", "", body)
    with ExitStack() as held:
        client = held.enter_context(service.running())
        other = held.enter_context(closing(sqlite3.connect(tmp_path / "data" / "desk.db", isolation_level=None)))
        other.execute("BEGIN IMMEDIATE")
        waiting = held.enter_context(socket.create_connection((client.base_url.host, client.base_url.port or 80)))
        waiting.settimeout(WAIT_SECONDS)
        waiting.sendall("\r\n".join(("PUT /api/incidents/S HTTP/1.1", *heads)).encode())
        client.get("/healthz")
        assert service.process is not None
        service.process.send_signal(signal.SIGTERM)
        answer = b"".join(iter(lambda: waiting.recv(65536), b"")).decode()
        assert answer.startswith("HTTP/1.1 503 "), answer
        assert "retry-after: " in answer
        assert "look when the service is there again" in answer
        assert ended(service.process) == 0
    assert "Traceback" not in service.log.read_text()


def test_what_ends_already_is_not_ended_once_more() -> None:
    """As here, where no signal is waited for: this process would be gone."""
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    end_in_failure()


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once(tmp_path: Path, second: signal.Signals) -> None:
    service = StandaloneService(tmp_path / "data", KB_CONTENT=few(tmp_path))
    with ExitStack() as held:
        client = held.enter_context(service.running())
        waiting = held.enter_context(socket.create_connection((client.base_url.host, client.base_url.port or 80)))
        waiting.sendall(b"PUT /api/incidents/S HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{")
        client.get("/healthz")
        process = service.process
        assert process is not None
        process.send_signal(signal.SIGTERM)
        # As soon as the first one was taken the system deals with the next
        eventually(lambda: not takes(process.pid, signal.SIGTERM, "SigCgt"))
        process.send_signal(second)
        assert process.wait(3) == -second
