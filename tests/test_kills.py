"""kill -9 at each step to the disk of a publish, an import and other commands: nothing torn, nothing lost."""

import random
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.authors import Service, bare
from tests.conftest import eventually
from tests.faults import STEPS, WATCHING, Place, has_ended, met_at, places_in, some_of, traced
from tests.test_faults import SCENARIOS, Tried, World
from tests.test_publishing_kills import Killed

pytestmark = pytest.mark.breaking

__all__ = ["bare"]

Git = Callable[..., str]


def steps(places: list[Place]) -> list[Place]:
    return [place for place in places if place.call in STEPS]


def kill_command(world: World, name: str, count: int, seed: int) -> None:
    """Killed at so many of its steps, then looked at, then run once more."""
    tried = Tried(world, next(one for one in SCENARIOS if one.name == name))
    chance, places = random.Random(seed), steps(tried.places)  # noqa: S311
    some = some_of(places, count, chance)
    some += chance.choices(places, k=count - len(some))
    for place in some:
        try:
            assert tried.try_one(place.killing()) in {-signal.SIGKILL, 0}
        except AssertionError as wrong:
            raise AssertionError(f"{place}: {wrong}") from wrong
    met = ", ".join(f"{count} before {call}" for call, count in sorted(tried.met.items()))
    print(f"{name}: {tried.failed} of {count} killed: {met}")


def kill_publishes(folder: Path, bare: Path, git: Git, count: int, seed: int) -> None:
    """A service that follows a remote, killed at so many steps of publishes; each start goes on from there."""
    data, log = folder / "data", folder / "strace"
    chance = random.Random(seed)  # noqa: S311
    made = Killed(folder, bare, git)
    serving = Service(data, KB_CONTENT_REMOTE=f"file://{bare}")
    met: Counter[str] = Counter()

    def publish(client: httpx2.Client, options: list[str]) -> None:
        made.pusher.push()
        head = made.head
        with traced(serving.pid, log, options):
            (data / "publish" / "requested").write_text(head, "utf-8")
            # Where it is git that is killed, the service lives on and would have the next one killed as well
            eventually(
                lambda: has_ended(serving.pid) or met_at(log) is not None or is_live(client, head),
                "published, or killed",
            )

    made.pusher.push()
    with serving.running() as client:
        made.caught_up(client)
        publish(client, WATCHING)
        places = steps(places_in(log, data))
    some = some_of(places, count, chance)
    some += chance.choices(places, k=count - len(some))
    for place in some:
        try:
            with serving.running(how=signal.SIGKILL) as client:
                made.check_served(client)
                made.caught_up(client)
                publish(client, place.killing())
            met.update(filter(None, [met_at(log)]))
            made.behind[made.pusher.number - made.check_index()] += 1
        except AssertionError as wrong:
            raise AssertionError(f"{place}: {wrong}") from wrong
    with serving.running() as client:
        made.caught_up(client)
    assert made.check_index() == made.pusher.number
    told = ", ".join(f"{count} before {call}" for call, count in sorted(met.items()))
    print(f"publish: {met.total()} of {count} killed: {told}; commits behind then: {sorted(made.behind.items())}")


def is_live(client: httpx2.Client, head: str) -> bool:
    try:
        return bool(client.get("/readyz").json().get("revision") == head)
    except httpx2.TransportError:
        return False


def test_an_import_killed_at_a_step_is_completed_by_the_next(tmp_path: Path) -> None:
    kill_command(World(tmp_path), "import", 9, seed=1)


def test_a_publish_killed_at_a_step_goes_on(tmp_path: Path, bare: Path, git: Git) -> None:
    kill_publishes(tmp_path, bare, git, 8, seed=1)


@pytest.mark.parametrize("name", [one.name for one in SCENARIOS if one.name not in {"import", "index of a change"}])
def test_a_command_killed_at_a_step_leaves_all_whole(tmp_path: Path, name: str) -> None:
    kill_command(World(tmp_path), name, 1, seed=1)


@pytest.mark.long
def test_an_import_killed_six_hundred_times_is_completed(tmp_path: Path) -> None:
    kill_command(World(tmp_path), "import", 600, seed=2)


@pytest.mark.long
def test_a_publish_killed_four_hundred_times_goes_on(tmp_path: Path, bare: Path, git: Git) -> None:
    kill_publishes(tmp_path, bare, git, 400, seed=2)
