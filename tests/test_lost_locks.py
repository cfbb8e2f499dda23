"""Each lock of a write and of a publish in a running service fails: one that cannot be taken, one not to be given back.

Those cannot be told apart by strace, and what a lock that stays held does is another matter: only its holder's end
gives it back. The service goes on, or ends itself so that it is started again; what was acknowledged is there.
"""

import fcntl
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx2
import pytest

from kb_service.desk import Desk
from kb_service.incidents import Incidents
from tests.authors import StandaloneService
from tests.conftest import eventually
from tests.lost_locks import Locks
from tests.test_desk_kills import record
from tests.test_faults_serving import check_whole
from tests.written import article

pytestmark = pytest.mark.breaking

NUMBERS = 5
# SQLite, "WAL-mode File Format" 2.2: how many bytes, from where, are locked by who reads from one of the five snapshots
READ_LOCKS = (5, 123)


class Serving:
    """A service over some articles, whose records are put and whose articles are written anew."""

    def __init__(self, folder: Path) -> None:
        self.locks, self.data, self._content = Locks(folder), folder / "data", folder / "content"
        self._content.mkdir()
        self.written, self.acknowledged = 0, dict[str, int]()
        self._unsure = dict[str, set[int]]()
        self.failed = self.refused = self.ended = 0
        self.write()
        self.service = StandaloneService(self.data, KB_CONTENT=str(self._content), **self.locks.settings)

    def write(self) -> None:
        self.written += 1
        (self._content / "vpn.md").write_text(article("VPN", f"It is the text number wombat{self.written}."), "utf-8")

    def fail_each(self, step: Callable[[httpx2.Client], bool], places: Sequence[int], *, given_back: bool) -> None:
        """Let one lock after the other fail in a step, which says whether it was done, as the next ones must be."""
        left = list(places)
        while left:
            with self.service.running() as client:
                step(client)
                while left:
                    self.locks.fail(left.pop(0), given_back=given_back)
                    try:
                        self.refused += not step(client)
                        self.failed += self.locks.has_failed(given_back=given_back)
                        self.locks.fail(0, given_back=given_back)
                        eventually(lambda: step(client), "it goes on")
                    except httpx2.TransportError:
                        self.check_end()
                        break
            self.locks.fail(0, given_back=given_back)

    def check_end(self) -> None:
        """It ended itself, with an error, and said why."""
        process = self.service.process
        assert process is not None
        eventually(lambda: process.poll() is not None, "it ends")
        said = self.service.log.read_text()
        assert process.poll() == 3, said
        assert "did not take a lock back" in said
        self.failed += 1
        self.ended += 1

    def put(self, client: httpx2.Client) -> bool:
        self.written += 1
        number = f"INC{self.written % NUMBERS}"
        answer = client.put(f"/api/incidents/{number}", json=record(number, self.written))
        if answer.status_code == 503:
            self._unsure.setdefault(number, set()).add(self.written)
            return False
        assert answer.status_code in {200, 201}, answer.text
        self.acknowledged[number] = self.written
        self._unsure.pop(number, None)
        return True

    def publish(self, client: httpx2.Client) -> bool:
        self.write()
        word = f"wombat{self.written}"
        (self.data / "publish").mkdir(exist_ok=True)
        (self.data / "publish" / "requested").write_text(word, "utf-8")

        def is_over() -> bool:
            return word in client.get("/api/search", params={"q": word}).text or self._has_failed(client)

        eventually(is_over, "it is looked at")
        return not self._has_failed(client)

    def _has_failed(self, client: httpx2.Client) -> bool:
        answer = client.get("/readyz")
        return bool(answer.json().get("failure"))

    def check(self) -> None:
        """Everything acknowledged is there, whole."""
        there = {one.number: one.users_affected for one in Incidents(Desk(self.data / "desk.db")).every()}
        for number, token in self.acknowledged.items():
            assert there[number] in {token, *self._unsure.get(number, ())}
        check_whole(self.data)


STEPS = ("put", "publish")


def fail_some(folder: Path, step: str, places: Sequence[int], *, given_back: bool) -> Serving:
    serving = Serving(folder)
    serving.fail_each(getattr(serving, step), places, given_back=given_back)
    serving.check()
    assert serving.failed > len(places) // 4
    return serving


@pytest.mark.parametrize("step", STEPS)
def test_a_service_that_cannot_take_a_lock_goes_on(tmp_path: Path, step: str) -> None:
    assert fail_some(tmp_path, step, range(1, 30), given_back=False).ended == 0


@pytest.mark.parametrize("step", STEPS)
def test_a_service_that_cannot_give_a_lock_back_goes_on_or_ends_itself(tmp_path: Path, step: str) -> None:
    fail_some(tmp_path, step, range(1, 15), given_back=True)


@pytest.mark.long
@pytest.mark.parametrize("given_back", [False, True])
@pytest.mark.parametrize("step", STEPS)
def test_each_lock_may_fail(tmp_path: Path, step: str, *, given_back: bool) -> None:
    serving = fail_some(tmp_path, step, [*range(1, 40)] * 5, given_back=given_back)
    told = f"{serving.failed} locks failed, {serving.refused} times it refused, {serving.ended} times it ended itself"
    print(f"{step}, given back: {given_back}: {told}")


def test_a_service_ends_where_a_lock_of_its_record_stays_held(tmp_path: Path) -> None:
    serving = Serving(tmp_path)
    with serving.service.running() as client:
        assert serving.put(client)
        with (serving.data / "desk.db-shm").open("r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX, *READ_LOCKS)
            assert not serving.put(client)
        serving.check_end()
    # The lock is nobody's any more
    with serving.service.running() as client:
        assert serving.put(client)
    serving.check()
