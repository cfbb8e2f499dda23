"""Processes that search beside the service's own: the same answers, of the same moment, however they end."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.errors import IndexMissingError
from kb_service import KnowledgeBase, Settings
from kb_service.query import Query
from kb_service.results import Results
from kb_service.workers import Workers
from tests.client import client_of
from tests.conftest import eventually

HOLDING = """
import sys
from pathlib import Path
from kb_service import Settings
from kb_service.workers import Workers
data = Path(sys.argv[1])
workers = Workers(Settings(content=data, data=data, encoder="hashing"), 1)
print(*workers.pids, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def base(tmp_path: Path) -> KnowledgeBase:
    content = tmp_path / "content"
    content.mkdir()
    (content / "vpn.md").write_text("---\ntitle: VPN\n---\nRestart the client when the tunnel drops.\n")
    base = KnowledgeBase(Settings(content=content, data=tmp_path / "data", encoder="hashing"))
    base.update()
    return base


@pytest.fixture
def workers(base: KnowledgeBase) -> Iterator[Workers]:
    with closing(Workers(base.settings, 1)) as workers:
        yield workers


def answered(ask: Callable[[Query], Results | None], text: str) -> Results:
    """What a process answers once there is one that is ready."""
    found: list[Results] = []

    def is_ready() -> bool:
        found.extend(filter(None, [ask(Query(text))]))
        return bool(found)

    eventually(is_ready, "a process answers")
    return found[0]


def has_ended(pid: int) -> bool:
    """Nothing stands in the command line of one that has ended and is only not taken note of yet."""
    try:
        return not Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True


def test_they_answer_as_the_service_does_and_follow_each_publish(base: KnowledgeBase, workers: Workers) -> None:
    ask = workers.of("articles")
    here = base.searcher.search(Query("tunnel drops"))
    assert replace(answered(ask, "tunnel drops"), took_ms=0.0) == replace(here, took_ms=0.0)
    (base.settings.content / "mail.md").write_text("---\ntitle: Mail\n---\nThe tunnel drops mail.\n")
    base.update()
    there = ask(Query("tunnel drops"))
    assert there is not None
    assert (there.generation, {hit.id for hit in there.hits}) == (2, {"vpn", "mail"})


def test_the_service_asks_them_and_answers_by_itself_where_none_is_free(base: KnowledgeBase, workers: Workers) -> None:
    answered(workers.of("articles"), "tunnel")
    asked: list[Results | None] = []

    def ask(query: Query) -> Results | None:
        asked.append(workers.of("articles")(query))
        return asked[-1]

    base.searcher.elsewhere = ask
    with client_of(base) as client:
        first = client.get("/api/search?q=client+tunnel").json()
        again = client.get("/api/search?q=client+tunnel").json()
        assert [hit["id"] for hit in first["hits"]] == ["vpn"]
        assert {**again, "took_ms": 0, "search_id": 0} == {**first, "took_ms": 0, "search_id": 0}
        assert len(asked) == 1
        assert asked[0] is not None
        workers.close()
        assert [hit["id"] for hit in client.get("/api/search?q=drops").json()["hits"]] == ["vpn"]
        assert asked[1] is None


def test_one_that_dies_is_replaced(workers: Workers) -> None:
    ask = workers.of("articles")
    answered(ask, "tunnel")
    (pid,) = workers.pids
    os.kill(pid, signal.SIGKILL)
    assert ask(Query("tunnel")) is None
    assert answered(ask, "tunnel").hits
    assert pid not in workers.pids
    assert len(workers.pids) == 1


def test_what_is_wrong_is_said_by_the_service(tmp_path: Path) -> None:
    settings = Settings(content=tmp_path, data=tmp_path / "data", encoder="hashing")
    base = KnowledgeBase(settings)
    with closing(Workers(settings, 1)) as workers:
        base.searcher.elsewhere = workers.of("articles")
        with pytest.raises(IndexMissingError):
            base.searcher.search(Query("tunnel"))


def test_they_end_with_the_service(workers: Workers) -> None:
    answered(workers.of("articles"), "tunnel")
    pids = workers.pids
    workers.close()
    assert all(map(has_ended, pids))


def test_they_end_however_the_service_ends(tmp_path: Path) -> None:
    service = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert service.stdout is not None
    pids = [int(pid) for pid in service.stdout.readline().split()]
    assert pids
    service.kill()
    service.communicate()
    eventually(lambda: all(map(has_ended, pids)), "the processes end")
