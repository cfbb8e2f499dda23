"""A build that is killed leaves an index that answers, and the next one goes on."""

import os
import random
import signal
import subprocess
import sys

import pytest

from indexer import PassageIndex, WorkingTree, update
from indexer.language import ENGLISH
from indexer.retrieval import Asked
from indexer.terms import query_terms
from tests.conftest import Desk
from tests.posting_lists import check_lists
from tests.test_index import PUBLIC
from tests.written import EVERYONE, article

ARTICLES = 120


def kill_and_look(desk: Desk, kills: int, seed: int) -> None:
    """Kill index runs at random moments, see each time that the index opens and answers; let the last one finish."""
    chance = random.Random(seed)  # noqa: S311 (the same moments again)
    command = [
        sys.executable,
        "-m",
        "kb_service.cli",
        "index",
        "--content",
        str(desk.content),
        "--data",
        str(desk.data),
    ]
    environment = {**os.environ, "KB_ENCODER": "hashing"}
    killed = 0
    number = 0
    while killed < kills:
        number += 1
        assert number < kills * 10, "runs end before they are killed"
        for name in range(ARTICLES):
            desk.write(
                f"{name % 8}/{name}.md", article(f"Title {name}", *(f"round{number} text {p}" for p in range(6)))
            )
        run = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            run.wait(chance.uniform(0.2, 1.0))
        except subprocess.TimeoutExpired:
            run.send_signal(signal.SIGKILL)
            killed += 1
        run.wait()
        index = PassageIndex(desk.data / "index.db", desk.encoder)
        if index.generation:
            live = index.search(Asked(query_terms("text", ENGLISH)), EVERYONE)
            assert live.visible == ARTICLES
            rounds_live = {text for (text,) in index.connection.execute("SELECT substr(text, 1, 8) FROM passages")}
            assert len({text for text in rounds_live if text.startswith("round")}) == 1, "no torn publish"
    report = desk.update()
    assert (report.objects, report.refused) == (ARTICLES, 0)
    assert desk.index.counts()[1] == desk.index.counts()[2]
    assert desk.index.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    check_lists(desk.index.connection)


def test_killed_runs_leave_an_index_that_answers_and_finishes(desk: Desk) -> None:
    kill_and_look(desk, 3, seed=3)


@pytest.mark.long
def test_fifty_killed_runs(desk: Desk) -> None:
    kill_and_look(desk, 50, seed=1)


def test_a_killed_run_is_not_parsed_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.staging.PARSE_BATCH", 2)
    for number in range(6):
        file = desk.write(f"{number}.md", article(f"T{number}", "text"))
        os.utime(file, (1_700_000_000, 1_700_000_000))
    monkeypatch.setattr("indexer.source._RACY_NS", 0)

    class Stop(Exception):  # noqa: N818 (no error: the run is told to stop)
        pass

    def stop(_what: str, done: int, _of: int) -> None:
        if done == 4:
            raise Stop

    with pytest.raises(Stop):
        update(WorkingTree(desk.content), desk.index, desk.encoder, desk.cache, stop)
    read: list[int] = []
    update(
        WorkingTree(desk.content), desk.index, desk.encoder, desk.cache,
        lambda what, _done, of: read.append(of) if what == "read" else None,
    )  # fmt: skip
    assert read[-1] == 2
    assert PUBLIC.audiences == {"public"}
