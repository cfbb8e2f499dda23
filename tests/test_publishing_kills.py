"""The service killed at any moment while authors push: what is live is one commit, whole, and the newest follows."""

import random
import re
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from indexer.catalogue import Catalogue
from indexer.encoder import HashingEncoder
from indexer.index import PassageIndex
from tests.authors import Author, Service, bare
from tests.conftest import eventually
from tests.posting_lists import check_lists
from tests.test_desk_kills import word
from tests.written import article

pytestmark = pytest.mark.breaking

__all__ = ["bare"]

Git = Callable[..., str]
ARTICLES = 20


def state_of(number: int) -> dict[str, str]:
    """The files of a commit: each tells which commit it is of. One is renamed each time, one broken every third."""
    said = word(number)
    files = {
        f"{n % 4}/{n}.md": article(f"Title {n}", *(f"{said} text {part}" for part in range(4))) for n in range(ARTICLES)
    }
    files[f"only/{number}.md"] = article("Renamed", f"{said} here", *(f"the same text {part}" for part in range(9)))
    files["flaky.md"] = article("Flaky", said) if number % 3 else "---\ntitle: a: b\n---\n" + said
    return files


class Pusher:
    """An author who commits and pushes, one state after the other, from ``start`` to ``stop``."""

    def __init__(self, author: Author) -> None:
        self._author, self.number = author, 0
        self._stop = threading.Event()
        self._thread = threading.Thread()

    def push(self) -> None:
        self.number += 1
        for old in self._author.folder.glob("only/*.md"):
            old.unlink()
        for path, text in state_of(self.number).items():
            self._author.write(path, text)
        self._author.push(str(self.number))

    def start(self) -> None:
        self._stop.clear()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            self.push()

    def stop(self) -> None:
        """Begin no more; the push that runs may wait for the service yet."""
        self._stop.set()

    def join(self) -> None:
        if self._thread.ident is not None:
            self._thread.join()


class Killed:
    """What is served, and what the kills came to."""

    def __init__(self, folder: Path, bare: Path, git: Git, **settings: str) -> None:
        self.service = Service(folder / "data", **settings)
        self.bare, self._data = bare, folder / "data"
        self.pusher = Pusher(Author(folder / "author", bare, git))
        self.behind: Counter[int] = Counter()
        self.staged = 0

    def number_of(self, revision: str) -> int:
        said = subprocess.run(
            ["git", "-C", self.bare, "log", "-1", "--format=%s", revision], check=True, capture_output=True, text=True
        )
        return int(said.stdout)

    def check_index(self) -> int:
        """The index file holds one commit, whole; gives its number."""
        index = PassageIndex(self._data / "index.db", HashingEncoder())
        with closing(index.connection) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            check_lists(connection)
            self.staged += connection.execute("SELECT count(*) FROM staged").fetchone()[0] > 0
            revision = index.meta("revision")
            assert isinstance(revision, str)
            number = self.number_of(revision)
            catalogue = Catalogue(connection)
            there = {one.path: one for one in catalogue.objects()}
            # The last good version of a broken file is of the commit before, or an earlier one that was published
            flaky = there.pop("flaky.md")
            assert number % 3 == 0 or word(number) in flaky.body
            assert {path: one.body.strip() for path, one in there.items()} == {
                path: text.split("---\n", 2)[2].strip() for path, text in state_of(number).items() if path != "flaky.md"
            }
            assert [problem.path for problem in catalogue.refusals()] == ["flaky.md"] * (number % 3 == 0)
            passages = connection.execute(
                "SELECT id, text FROM passages JOIN owners ON owners.key = passages.owner"
            ).fetchall()
            of = {
                found for owner, text in passages if owner != "flaky" for found in re.findall(r"\bzq[a-j]{9}\b", text)
            }
            assert of == {word(number)}
            first = catalogue.get("only/1")
            assert first is not None
            assert first.id == f"only/{number}", "the file that was renamed each time is known by its first name"
            return number

    def check_served(self, client: httpx2.Client) -> None:
        """Search agrees with the revision that is said to be live."""
        while True:
            revision = client.get("/readyz").raise_for_status().json()["revision"]
            number = self.number_of(revision)
            hits = client.get("/api/search", params={"q": word(number), "limit": 50}).raise_for_status().json()["hits"]
            if client.get("/readyz").json()["revision"] == revision:
                break
        ids = {hit["id"] for hit in hits if hit["reasons"] and word(number) in hit["snippet"]}
        expected = {path.removesuffix(".md") for path in state_of(number)} - {"flaky"}
        assert ids - {"flaky"} == expected

    @property
    def head(self) -> str:
        """What was pushed last."""
        return subprocess.check_output(["git", "-C", self.bare, "rev-parse", "main"], text=True).strip()

    def caught_up(self, client: httpx2.Client) -> None:
        """Whatever was pushed when the service was down, or was being published when it died, is live."""
        self.pusher.join()
        head = self.head
        eventually(lambda: client.get("/readyz").json().get("revision") == head, "it catches up")
        self.check_served(client)

    def run(self, kills: int, seed: int) -> None:
        chance, wait = random.Random(seed), threading.Event()  # noqa: S311
        self.pusher.push()
        for _ in range(kills):
            with self.service.running(how=signal.SIGKILL) as client:
                self.check_served(client)
                self.caught_up(client)
                self.pusher.start()
                wait.wait(chance.uniform(0.0, 1.5))
            self.pusher.stop()
            self.behind[self.pusher.number - self.check_index()] += 1
        with self.service.running() as client:
            self.caught_up(client)
        assert self.check_index() == self.pusher.number
        print(f"{kills} kills in {self.pusher.number} pushes; commits behind then: {sorted(self.behind.items())};")
        print(f"{self.staged} left parsed files that were not live yet")


@pytest.fixture(params=["hook", "remote"])
def killed(tmp_path: Path, bare: Path, git: Git, request: pytest.FixtureRequest) -> Killed:
    if request.param == "remote":
        return Killed(tmp_path, bare, git, KB_CONTENT_REMOTE=f"file://{bare}", KB_POLL_SECONDS="0.02")
    made = Killed(tmp_path, bare, git, KB_CONTENT=str(bare))
    made.service.kb("hook", "install")
    return made


def test_what_is_live_after_a_kill_is_one_commit(killed: Killed) -> None:
    killed.run(2, seed=3)


@pytest.mark.long
def test_what_is_live_after_a_hundred_kills_is_one_commit(killed: Killed) -> None:
    killed.run(100, seed=1)
