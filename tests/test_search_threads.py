"""More than can be answered is turned away at once, and said so."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from kb_service import KnowledgeBase, Settings
from kb_service.api.search_threads import OverloadedError, SearchThreads
from tests.client import client_of


async def asked_at_once(threads: SearchThreads, work: Callable[[], bool], times: int) -> list[object]:
    return await asyncio.gather(*(threads.run(work) for _ in range(times)), return_exceptions=True)


def test_what_would_come_too_late_is_turned_away_and_the_rest_is_done_in_turn() -> None:
    threads = SearchThreads(1, most_seconds=0.2)
    turn = threading.Event()

    def work() -> bool:
        return turn.wait(0.05)

    # None is known to take long yet
    assert asyncio.run(asked_at_once(threads, work, 40)) == [False] * 40
    answers = asyncio.run(asked_at_once(threads, work, 40))
    turned_away = [one for one in answers if isinstance(one, OverloadedError)]
    assert answers[:2] == [False, False]
    assert 0 < len(turned_away) < 40
    assert {one.seconds for one in turned_away} == {1}
    assert asyncio.run(asked_at_once(threads, work, 1)) == [False]


def test_work_that_fails_does_not_hold_its_place() -> None:
    threads = SearchThreads(1, most_seconds=0.0)

    def failing() -> bool:
        threading.Event().wait(0.01)
        raise ValueError

    for _ in range(3):
        (failed,) = asyncio.run(asked_at_once(threads, failing, 1))
        assert isinstance(failed, ValueError)


def test_a_search_that_is_turned_away_says_when_to_ask_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = KnowledgeBase(Settings(content=tmp_path, data=tmp_path / "data", encoder="hashing"))
    with client_of(base) as client:
        monkeypatch.setattr("kb_service.api.search_threads._THREADS", SearchThreads(1, most_seconds=-1.0))
        for answer in (
            client.get("/api/search?q=port"),
            client.get("/api/complete?q=po"),
            client.post("/api/suggest", json={"short_description": "the port is closed"}),
            client.post("/api/triage", json={"text": "the port is closed"}),
        ):
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
            assert answer.json()["detail"] == (
                "The service has more to answer than it can: 0 wait already. Try again in 1 s"
            )
        assert client.get("/healthz").status_code == 200
        assert client.get("/results?q=port", headers={"Accept": "text/html"}).status_code == 503
