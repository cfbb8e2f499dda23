"""The disk fails under a running service: it answers from what is live, says what it cannot do, and heals by itself."""

import random
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from indexer.encoder import HashingEncoder
from kb_service.desk import Desk
from kb_service.incident_index import IncidentIndex
from kb_service.incidents import Incidents
from kb_service.query import Query
from tests.authors import Service, bare
from tests.conftest import eventually
from tests.faults import WATCHING, Place, faults_of, met_at, places_in, some_of, traced
from tests.posting_lists import check_lists
from tests.test_desk_kills import record, word
from tests.test_publishing_kills import Killed

pytestmark = pytest.mark.breaking

__all__ = ["bare"]

Git = Callable[..., str]


def check_whole(data: Path) -> None:
    for path in data.glob("*.db"):
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",), path
            if path.name in {"index.db", "incidents.db"}:
                check_lists(connection)


def check_answers(client: httpx2.Client, *, may_fail: bool) -> None:
    """What is live can be searched while nothing can be written; where it cannot be read, it is said."""
    searched = client.get("/api/search", params={"q": "the same text"})
    suggested = client.post("/api/suggest", json={"short_description": "the same text"})
    for answer, found in ((searched, "hits"), (suggested, "suggestions")):
        if may_fail and answer.status_code == 503:
            check_refusal(answer)
        else:
            assert answer.status_code == 200, answer.text
            assert found in answer.json()


def check_refusal(answer: httpx2.Response) -> None:
    """It says what to do, and not where the files lie."""
    assert answer.headers["retry-after"], answer.headers
    # Where a page was not given, SQLite may call the file malformed
    said = answer.json()["detail"]
    assert "its log says which" in said or "see the log" in said, answer.text


class Publishing:
    """Commit after commit is pushed to a service that follows their remote, each while another call fails."""

    def __init__(self, folder: Path, bare: Path, git: Git) -> None:
        self.data, self.log = folder / "data", folder / "strace"
        self.pushed = Killed(folder, bare, git)
        self.pushed.pusher.push()
        self.serving = Service(self.data, KB_CONTENT_REMOTE=f"file://{bare}")

    def change(self, client: httpx2.Client, options: list[str], *, may_fail: bool = False) -> None:
        """Push while strace looks on; on return the commit is live."""
        self.pushed.pusher.push()
        head = self.pushed.head

        def is_live() -> bool:
            return bool(client.get("/readyz").json().get("revision") == head)

        def is_over() -> bool:
            check_answers(client, may_fail=may_fail)
            return met_at(self.log) is not None or is_live()

        with traced(self.serving.pid, self.log, options):
            (self.data / "publish" / "requested").write_text(head, "utf-8")
            eventually(is_over, "it is looked at")
        eventually(is_live, f"it heals: {client.get('/readyz').text}")
        eventually(lambda: client.get("/readyz").json()["failure"] is None, "it says so")

    def places(self, client: httpx2.Client) -> list[Place]:
        self.change(client, WATCHING)
        return places_in(self.log, self.data)

    def check_in_the_end(self) -> None:
        """The index holds the last commit, whole."""
        assert self.pushed.check_index() == self.pushed.pusher.number


def fail(made: "Publishing | Putting", count: int | None, seed: int) -> None:
    """A fault at so many of the calls that a service makes, at each without a count; then all is whole."""
    chance = random.Random(seed)  # noqa: S311
    met: Counter[str] = Counter()
    with made.serving.running() as client:
        # By number alone, no thread's call to take a lock can be told from another's to give one back, which is another
        # matter: those are failed by test_lost_locks.py
        places = [place for place in made.places(client) if place.call != "fcntl"]
        for place in places if count is None else some_of(places, count, chance):
            fault = chance.choice(faults_of(place))
            try:
                made.change(client, fault.options, may_fail=place.reads)
            except AssertionError as wrong:
                raise AssertionError(f"{fault}: {wrong}") from wrong
            met.update(filter(None, [met_at(made.log)]))
    print(f"{type(made).__name__}: faults met: {', '.join(f'{n} {call}' for call, n in sorted(met.items()))}")
    assert "Traceback" not in made.serving.log.read_text(), made.serving.log.read_text()
    check_whole(made.data)
    made.check_in_the_end()


class Putting:
    """Records are put, each while another call fails."""

    def __init__(self, folder: Path) -> None:
        self.data, self.log = folder / "data", folder / "strace"
        content = folder / "content"
        content.mkdir()
        (content / "vpn.md").write_text("# VPN\n\nIt is the same text.\n", "utf-8")
        self.serving = Service(self.data, KB_CONTENT=str(content))
        self.token = 0
        self.acknowledged: dict[str, int] = {}
        # What was refused last may have been written all the same
        self.unsure: dict[str, set[int]] = {}
        self.refused = 0

    def change(self, client: httpx2.Client, options: list[str], *, may_fail: bool = False) -> None:
        """Put one while strace looks on; on return what was acknowledged is found."""
        self.token += 1
        number = f"INC{self.token % 7}"
        with traced(self.serving.pid, self.log, options):
            answer = client.put(f"/api/incidents/{number}", json=record(number, self.token))
            check_answers(client, may_fail=may_fail)
            if answer.status_code == 503:
                self.refused += 1
                self.unsure.setdefault(number, set()).add(self.token)
                check_refusal(answer)
            else:
                assert answer.status_code in {200, 201}, answer.text
                self.acknowledged[number] = self.token
                self.unsure.pop(number, None)
                eventually(lambda: met_at(self.log) is not None or self.is_found(client, number), "it is followed")
        if answer.status_code != 503:
            eventually(lambda: self.is_found(client, number), "it is found when the disk is there again")

    def is_found(self, client: httpx2.Client, number: str) -> bool:
        answer = client.get("/api/incidents", params={"q": word(self.token)})
        assert answer.status_code in {200, 503}, answer.text
        return answer.status_code == 200 and number in [one["number"] for one in answer.json()["incidents"]]

    def places(self, client: httpx2.Client) -> list[Place]:
        # Which thread puts it is by chance, and each opens the record for itself first
        for _ in range(8):
            self.change(client, WATCHING)
        return places_in(self.log, self.data)

    def check_in_the_end(self) -> None:
        """Everything acknowledged is there, and the index of records finds what one made anew finds."""
        incidents = Incidents(Desk(self.data / "desk.db"))
        there = {one.number: one.users_affected for one in incidents.every()}
        for number, token in self.acknowledged.items():
            assert there[number] in {token, *self.unsure.get(number, ())}
        followed = found_by(incidents)
        for file in self.data.glob("incidents*"):
            file.unlink()
        assert found_by(incidents) == followed
        print(f"{self.refused} of {self.token} writes refused")


def found_by(incidents: Incidents) -> list[list[tuple[str, float]]]:
    index = IncidentIndex(incidents, HashingEncoder())
    index.catch_up()
    ranked = (index.searcher.rank(Query(f"report {word(token)}", state="any")).ranked for token in range(20))
    return [sorted((one.candidate.owner_id, round(one.score, 6)) for one in some) for some in ranked]


def test_a_service_that_meets_a_fault_in_a_publish_heals(tmp_path: Path, bare: Path, git: Git) -> None:
    fail(Publishing(tmp_path, bare, git), 5, seed=1)


def test_a_service_that_meets_a_fault_in_a_write_says_so_and_heals(tmp_path: Path) -> None:
    fail(Putting(tmp_path), 5, seed=1)


def test_a_write_that_fails_at_its_end_is_taken_the_next_time(tmp_path: Path) -> None:
    made = Putting(tmp_path)
    with made.serving.running() as client:
        made.change(client, WATCHING)
        made.change(client, Place("fdatasync", str(made.data / "desk.db-wal"), 1).failing("EIO"))
        assert made.refused == 1
        # By the thread that failed, too
        for _ in range(5):
            made.change(client, WATCHING)
    assert made.refused == 1
    assert "Traceback" not in made.serving.log.read_text()


def test_what_is_derived_is_made_anew_where_it_is_deleted(tmp_path: Path) -> None:
    made = Putting(tmp_path)
    with made.serving.running() as client:
        for _ in range(3):
            made.change(client, WATCHING)
        eventually(lambda: client.get("/readyz").json()["encoded"]["share"] == 1, "all is encoded")
        names = [file.name for file in made.data.iterdir() if file.is_file() and not file.name.startswith("desk.db")]
        assert {"index.db", "incidents.db", "index.db-wal", "incidents.db-wal"} <= set(names)
        for name in sorted(names):
            (made.data / name).unlink(missing_ok=True)
            eventually(lambda: bool(hits(client)), f"articles are found without {name}")
            made.change(client, WATCHING, may_fail=True)
    assert "Traceback" not in made.serving.log.read_text()
    assert not made.refused
    # Of a log that was deleted only this process knew what stood in it
    with made.serving.running() as client:
        eventually(lambda: bool(hits(client)), "articles are found after a restart")
        made.change(client, WATCHING)
    assert "Traceback" not in made.serving.log.read_text()
    check_whole(made.data)
    made.check_in_the_end()


def hits(client: httpx2.Client) -> list[str]:
    answer = client.get("/api/search", params={"q": "the same text"})
    if answer.status_code == 503:
        return []
    return [hit["id"] for hit in answer.json()["hits"]]


@pytest.mark.long
def test_each_call_of_a_publish_may_fail(tmp_path: Path, bare: Path, git: Git) -> None:
    fail(Publishing(tmp_path, bare, git), None, seed=1)


@pytest.mark.long
def test_each_call_of_a_write_may_fail(tmp_path: Path) -> None:
    fail(Putting(tmp_path), None, seed=1)
