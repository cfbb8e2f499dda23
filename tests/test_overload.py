"""Twice as much as can be answered: what is too much is turned away at once, all else is as ever, nothing is lost."""

import itertools
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from kb_service.desk import Desk
from kb_service.incidents import Incidents
from tests.authors import StandaloneService
from tests.benchmarks.asking import memory
from tests.conftest import eventually

pytestmark = pytest.mark.breaking

SAID = ("VPN drops every hour", "account locked out", "printer jams in tray two", "checkout shows 502", "disk full")
PUBLISH_SECONDS = 5.0
PROBE_SECONDS = 0.1
MOST_CLIENTS = 150


@dataclass
class Mix:
    """What is asked for, by turns, and what came of it."""

    address: str
    taken: dict[str, str] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    odd: list[str] = field(default_factory=list)
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)
    lock: threading.Lock = field(default_factory=threading.Lock)
    mine: threading.local = field(default_factory=threading.local)
    clients: ExitStack = field(default_factory=ExitStack)

    def ask(self) -> None:
        """One request, on a connection of this thread's."""
        number = next(self.numbers)
        chance = random.Random(number)  # noqa: S311 (the same in every run)
        text, what = f"{chance.choice(SAID)} {number}", number % 5
        if not hasattr(self.mine, "http"):
            self.mine.http = httpx2.Client(base_url=self.address, timeout=60)
            with self.lock:
                self.clients.enter_context(self.mine.http)
        http = self.mine.http
        if what == 0:
            answer = http.put(f"/api/incidents/L{number}", json={"short_description": text})
        elif what == 1:
            answer = http.post("/api/triage", json={"text": text})
        elif what == 2:
            answer = http.get("/api/complete", params={"q": text[: 3 + number % 20]})
        else:
            answer = http.get("/api/search", params={"q": text})
        with self.lock:
            self.statuses[answer.status_code] += 1
            if answer.status_code in {200, 201}:
                if what == 0:
                    self.taken[f"L{number}"] = text
            elif answer.status_code != 503 or "Retry-After" not in answer.headers:
                self.odd.append(f"{answer.status_code} {answer.text[:200]}")


def capacity(mix: Mix, seconds: float) -> float:
    """Requests a second that eight clients get answered, each asking again at once."""
    end = time.monotonic() + seconds

    def client() -> int:
        asked = 0
        while time.monotonic() < end:
            mix.ask()
            asked += 1
        return asked

    with ThreadPoolExecutor(8) as clients:
        return sum(one.result() for one in [clients.submit(client) for _ in range(8)]) / seconds


def overload(folder: Path, seconds: float) -> None:
    content = folder / "content"
    content.mkdir()
    for number, text in enumerate(SAID):
        (content / f"{number}.md").write_text(f"---\ntitle: {text}\n---\nWhat to do when {text}: restart it.\n")
    service = StandaloneService(folder / "data", KB_CONTENT=str(content), KB_RATE_ADDRESS="none", KB_POLL_SECONDS="1")
    with service.running() as http:
        assert service.process is not None
        mix = Mix(str(http.base_url))
        pace = 2 * capacity(mix, 2.0)
        assert mix.statuses.keys() <= {200, 201}
        before = memory([service.process.pid])
        slowest = 0.0
        ended = threading.Event()

        def probe() -> None:
            nonlocal slowest
            with httpx2.Client(base_url=str(http.base_url), timeout=60) as own:
                while not ended.wait(PROBE_SECONDS):
                    started = time.monotonic()
                    own.get("/healthz").raise_for_status()
                    slowest = max(slowest, time.monotonic() - started)

        def publish() -> None:
            for number in itertools.count():
                (content / "new.md").write_text(f"---\ntitle: Publish {number}\n---\nThe wombat of publish {number}.\n")
                if ended.wait(PUBLISH_SECONDS):
                    return

        beside = [threading.Thread(target=one) for one in (probe, publish)]
        for thread in beside:
            thread.start()
        begun, due = time.monotonic(), 0.0
        turn = threading.Event()
        with ThreadPoolExecutor(MOST_CLIENTS) as clients:
            asked = []
            while due < seconds:
                turn.wait(max(0.0, begun + due - time.monotonic()))
                asked.append(clients.submit(mix.ask))
                due += 1 / pace
            for one in asked:
                one.result()
        mix.clients.close()
        ended.set()
        for thread in beside:
            thread.join()
        took = time.monotonic() - begun
        print(f"\n{pace:.0f}/s for {took:.0f} s: {dict(mix.statuses)}, slowest health {slowest:.2f} s")
        assert mix.odd == []
        assert slowest < 5
        latest = (content / "new.md").read_text().split("\n")[1].removeprefix("title: ")

        def is_live() -> bool:
            found = http.get("/api/search", params={"q": "wombat"}).json()
            return any(hit["title"] == latest for hit in found.get("hits", []))

        eventually(is_live, f"{latest} is found")
        after = memory([service.process.pid])
        print(f"{before} MiB before, {after} after")
        assert after < before * 1.5 + 50
    there = {one.number: one.short_description for one in Incidents(Desk(folder / "data" / "desk.db")).every()}
    assert there == mix.taken


def test_twice_as_much_as_can_be_answered(tmp_path: Path) -> None:
    overload(tmp_path, 4.0)


@pytest.mark.long
def test_a_minute_of_twice_as_much(tmp_path: Path) -> None:
    overload(tmp_path, 60.0)
