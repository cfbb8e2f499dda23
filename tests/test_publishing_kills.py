"""A service killed at any moment while authors push: what is live afterwards is a revision that was pushed whole."""

import random
import signal
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from indexer import PassageIndex
from indexer.database import reading
from indexer.encoder import HashingEncoder
from tests.conftest import eventually
from tests.test_publishing import Author, Git, Service, publishing

FILES = 12


class Pushing:
    """An author who pushes one commit after another; each writes its number into every file, and moves one."""

    def __init__(self, author: Author) -> None:
        self.author = author
        self.pushed: dict[str, int] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def push(self) -> str:
        number = len(self.pushed) + 1
        for name in range(FILES):
            self.author.write(f"{name}.md", f"---\ntitle: Article {name}\n---\n## Part\n\nround{number} text {name}\n")
        self.author.git("rm", "-q", "--ignore-unmatch", f"moved{number - 1}.md")
        self.author.write(f"moved{number}.md", f"---\ntitle: The moved one\n---\n## Part\n\nround{number} moved\n")
        self.author.git("add", "-A")
        self.author.git("commit", "-qm", f"round {number}")
        self.pushed[self.author.head] = number
        self.author.git("push", "-q", "origin", "HEAD:main")
        return self.author.head

    def _run(self) -> None:
        while not self._ended.is_set():
            self.push()

    def __enter__(self) -> "Pushing":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


def rounds_live(data: Path) -> tuple[str | None, set[str], int]:
    """The revision in the index, which rounds its passages are of, and how many articles there are."""
    index = PassageIndex(data / "index.db", HashingEncoder())
    with reading(index.connection):
        rows = index.connection.execute("SELECT text FROM passages WHERE text LIKE 'round%'").fetchall()
        revision = index.meta("revision")
        (count,) = index.connection.execute("SELECT count(*) FROM objects").fetchone()
    return revision, {text.split()[0] for (text,) in rows}, count


def kill_and_look(tmp_path: Path, bare: Path, git: Git, kills: int, seed: int, **settings: str) -> None:
    chance = random.Random(seed)  # noqa: S311
    author = Author(tmp_path / "ann", bare, git)
    author.git("checkout", "-qb", "main")
    pushing = Pushing(author)
    pushing.push()
    service = Service(tmp_path / "data", KB_POLL_SECONDS="0.05", **settings)
    with pushing:
        for number in range(kills):
            with suppress(httpx2.TransportError), service.running(how=signal.SIGKILL) as client:
                end = threading.Event()
                # A kill may hit the start, too, where what the last one left is put right
                end.wait(chance.uniform(0.0, 0.8))
                if number % 5 == 0:
                    assert publishing(client)["revision"] in pushing.pushed
            revision, rounds, count = rounds_live(tmp_path / "data")
            assert revision in pushing.pushed, "one that was pushed"
            assert rounds == {f"round{pushing.pushed[revision]}"}, "whole, and nothing of another"
            assert count == FILES + 1
    with service.running() as client:
        newest = pushing.push()
        eventually(lambda: publishing(client)["revision"] == newest, "it follows again")
        found = client.get("/api/search", params={"q": f"round{pushing.pushed[newest]}", "limit": 50}).json()
        assert found["total"] == FILES + 1
    print(f"{kills} kills during {len(pushing.pushed)} pushes")


WAYS: dict[str, Callable[[Path], dict[str, str]]] = {
    "repository": lambda bare: {"KB_CONTENT": str(bare)},
    "remote": lambda bare: {"KB_CONTENT_REMOTE": f"file://{bare}"},
}


@pytest.mark.parametrize("way", WAYS)
def test_a_killed_service_has_a_whole_revision(tmp_path: Path, bare: Path, git: Git, way: str) -> None:
    kill_and_look(tmp_path, bare, git, 2, 7, **WAYS[way](bare))


@pytest.mark.long
@pytest.mark.parametrize("way", WAYS)
def test_a_hundred_kills(tmp_path: Path, bare: Path, git: Git, way: str) -> None:
    kill_and_look(tmp_path, bare, git, 100, 1, **WAYS[way](bare))


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    folder = tmp_path / "bare.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder)], check=True)
    return folder
