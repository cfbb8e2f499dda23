"""The service and an import killed at any moment: what was acknowledged is there, whole, and is found."""

import itertools
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from indexer.encoder import HashingEncoder
from kb_service.desk import Desk as Record
from kb_service.incident import Incident
from kb_service.incident_index import IncidentIndex
from kb_service.incident_rows import fields_of
from kb_service.incidents import Incidents
from kb_service.ndjson import given_in
from kb_service.query import Query
from tests.conftest import Desk

pytestmark = pytest.mark.breaking

KB = [sys.executable, "-m", "kb_service.cli"]
ENVIRONMENT = {**os.environ, "KB_ENCODER": "hashing"}
WRITERS = 4
OPENED = "2026-03-01T08:00:00Z"


def word(token: int) -> str:
    """One that no other token has, in letters alone."""
    return "zq" + "".join(chr(ord("a") + int(digit)) for digit in f"{token:09}")


def record(number: str, token: int) -> dict[str, Any]:
    """Every field tells which write it is of."""
    return {
        "number": number, "short_description": f"Report {word(token)}", "description": f"x{token}" * 50,
        "service": f"s{token}", "category": f"c{token}", "close_notes": f"n{token}", "users_affected": token,
        "opened_at": OPENED, "u_token": token,
    }  # fmt: skip


@dataclass
class Writer:
    """One client: what it was told is kept, and what it sent last without an answer."""

    name: str
    chance: random.Random
    acknowledged: dict[str, int] = field(default_factory=dict)
    unanswered: dict[str, int] = field(default_factory=dict)
    tokens: Iterator[int] = field(default_factory=lambda: iter(range(1, 100_000)))
    base: int = 0

    def token(self) -> int:
        return self.base + next(self.tokens)

    def run(self, address: str) -> None:
        """Write until the service is gone."""
        try:
            with httpx2.Client(base_url=address, timeout=30) as client:
                while True:
                    self._put(client) if self.chance.random() < 0.7 else self._put_many(client)
        except httpx2.TransportError:
            return

    def _put(self, client: httpx2.Client) -> None:
        number, token = f"{self.name}{self.chance.randrange(40)}", self.token()
        self.unanswered = {number: token}
        answer = client.put(f"/api/incidents/{number}", json=record(number, token))
        assert answer.status_code in {200, 201}, answer.text
        self._answered()

    def _put_many(self, client: httpx2.Client) -> None:
        numbers = self.chance.sample([f"{self.name}{n}" for n in range(300)], 25)
        self.unanswered = {number: self.token() for number in numbers}
        lines = "\n".join(json.dumps(record(*pair)) for pair in self.unanswered.items())
        answer = client.post("/api/incidents", content=lines, headers={"content-type": "application/x-ndjson"})
        assert answer.status_code == 200, answer.text
        assert answer.json()["refused"] == 0
        self._answered()

    def _answered(self) -> None:
        self.acknowledged |= self.unanswered
        self.unanswered = {}


@contextmanager
def served(desk: Desk) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    command = [*KB, "serve", "--port", "0", "--content", str(desk.content), "--data", str(desk.data)]
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield next(match[1] for line in server.stdout if (match := re.match(r"API\s+(\S+)/docs", line))), server
        finally:
            server.kill()


def check(record_: Incident, allowed: set[int]) -> int:
    """Gives the write that a record is of, wholly."""
    token = record_.users_affected
    assert token in allowed, f"{record_.number} is of {token}, not of {allowed}"
    assert token is not None
    assert fields_of(record_) | record(record_.number, token) == fields_of(record_)
    return token


def kill_and_look(desk: Desk, kills: int, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    desk.write("runbooks/vpn.md", "# VPN drops\n\nRenew the lease.\n")
    writers = [
        Writer(f"W{n}-", random.Random(seed + n), base=n * 10_000_000)  # noqa: S311
        for n in range(1, WRITERS + 1)
    ]
    writes = 0
    for _ in range(kills):
        with served(desk) as (address, server):
            look(address, writers, chance)
            threads = [threading.Thread(target=writer.run, args=(address,)) for writer in writers]
            for thread in threads:
                thread.start()
            before = sum(len(writer.acknowledged) for writer in writers)
            deadline = time.monotonic() + 20
            while sum(len(writer.acknowledged) for writer in writers) == before == 0:
                assert time.monotonic() < deadline
            threads[0].join(chance.uniform(0.0, 0.6))
            server.send_signal(signal.SIGKILL)
            for thread in threads:
                thread.join()
        writes += settle(desk, writers)
    with served(desk) as (address, _):
        look(address, writers, chance)
    print(f"{kills} kills, {writes} records looked at, {sum(len(one.acknowledged) for one in writers)} in the end")


def settle(desk: Desk, writers: list[Writer]) -> int:
    """After a kill: whole, everything acknowledged, nothing half; gives how many records there are."""
    opened = Record(desk.data / "desk.db")
    try:
        assert opened.connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        there = {one.number: one for one in Incidents(opened).every()}
    finally:
        opened.connection.close()
    for writer in writers:
        for number, token in writer.acknowledged.items():
            assert number in there, f"{number} was acknowledged and is gone"
            check(there[number], {token, writer.unanswered.get(number, token)})
        for number, token in writer.unanswered.items():
            # Without an answer it may have been written, then wholly
            if number in there:
                writer.acknowledged[number] = check(there[number], {token, writer.acknowledged.get(number, token)})
        writer.unanswered = {}
    assert there.keys() == {number for writer in writers for number in writer.acknowledged}
    return len(there)


def look(address: str, writers: list[Writer], chance: random.Random) -> None:
    """The service gives and finds what was acknowledged before it was killed."""
    with httpx2.Client(base_url=address, timeout=30) as client:
        for writer in writers:
            numbers = sorted(writer.acknowledged)
            for number in chance.sample(numbers, min(3, len(numbers))):
                token = writer.acknowledged[number]
                body = client.get(f"/api/incidents/{number}").json()
                assert (body["u_token"], body["users_affected"], body["service"]) == (token, token, f"s{token}")
                deadline = time.monotonic() + 30
                while number not in found(client, word(token)):
                    assert time.monotonic() < deadline, f"{number} is not found by '{word(token)}'"


def found(client: httpx2.Client, q: str) -> list[str]:
    answer = client.get("/api/incidents", params={"q": q})
    assert answer.status_code == 200, answer.text
    return [one["number"] for one in answer.json()["incidents"]]


def test_a_killed_service_loses_nothing_that_it_acknowledged(desk: Desk) -> None:
    kill_and_look(desk, 3, seed=3)


@pytest.mark.long
def test_a_service_killed_fifty_times_loses_nothing(desk: Desk) -> None:
    kill_and_look(desk, 50, seed=1)


def lines_of(count: int) -> str:
    rows = (
        {"number": f"INC{n:07}", "short_description": f"Report {word(n)}",
         "state": ("new", "resolved")[n % 2], "resolved_at": (None, OPENED)[n % 2], "opened_at": OPENED,
         "impact": n % 3 + 1, "urgency": 2, "parent_incident": f"INC{n - 1:07}" if n % 10 else None}
        for n in range(count)
    )  # fmt: skip
    return "".join(json.dumps(row) + "\n" for row in rows)


def imported(file: Path, data: Path, until: int | None = None, seconds: float = 0) -> bool:
    """Import; kill it so long after it has written so many records. Gives whether it was done before that."""
    command = [*KB, "incidents", "import", str(file), "--data", str(data)]
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        if until is not None:
            while run.poll() is None and written(data) < until:
                pass
            try:
                run.wait(seconds)
            except subprocess.TimeoutExpired:
                run.send_signal(signal.SIGKILL)
                return False
    assert run.returncode == 0
    return True


def written(data: Path) -> int:
    try:
        with closing(sqlite3.connect(f"file:{data / 'desk.db'}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM incidents").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


State = tuple[list[dict[str, Any]], tuple[int, int, int], list[str]]


def state_of(data: Path, words: list[str]) -> State:
    """All records, the counts of the index, and what some words find."""
    opened = Record(data / "desk.db")
    assert opened.connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    incidents = Incidents(opened)
    index = IncidentIndex(incidents, HashingEncoder())
    assert not index.behind()
    best = [index.searcher.rank(Query(one, state="any")).ranked[0].candidate.owner_id for one in words]
    records = sorted((fields_of(one) for one in incidents.every()), key=lambda one: str(one["number"]))
    return records, index.index.counts(), best


def kill_imports(folder: Path, count: int, kills: int, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    file = folder / "records.jsonl"
    file.write_text(lines_of(count), "utf-8")
    numbers = [chance.randrange(count) for _ in range(5)]
    incidents = Incidents(Record(folder / "whole" / "desk.db"))
    incidents.put_many(given_in(file.read_bytes()))
    records = [fields_of(one) for one in incidents.every()]
    assert len(records) == count
    parts: list[int] = []
    for attempt in itertools.count():
        if len(parts) == kills:
            break
        data = folder / f"killed-{attempt}"
        # Half of them among the records, half while these are indexed
        until = min(count, chance.randrange(2 * count))
        if imported(file, data, until, chance.uniform(0, count / 2_000) if until == count else 0):
            continue
        there = [fields_of(one) for one in Incidents(Record(data / "desk.db")).every()]
        assert there == records[: len(there)], "a beginning of the file, each record whole"
        parts.append(len(there))
        assert imported(file, data)
        found_by_words = [f"INC{number:07}" for number in numbers]
        assert state_of(data, [word(number) for number in numbers]) == (records, (count, count, count), found_by_words)
    print(f"{kills} imports of {count} records killed after {sorted(parts)}")


def test_a_killed_import_is_completed_by_the_next(tmp_path: Path) -> None:
    kill_imports(tmp_path, 3_000, 1, seed=2)


@pytest.mark.long
def test_twenty_killed_imports_are_completed(tmp_path: Path) -> None:
    kill_imports(tmp_path, 20_000, 20, seed=1)
