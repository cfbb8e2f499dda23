"""Whatever comes from outside, tried with a few hundred inputs; ``make fuzz`` tries as many as one likes."""

import random
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice

import pytest

from tests.fuzz.mutations import MOST_BYTES, mutated
from tests.fuzz.targets import TARGETS
from tests.fuzz.trial import Fault, TooSlowError, Trial, bounded

pytestmark = pytest.mark.breaking

INPUTS = 300


@pytest.fixture(autouse=True, scope="module")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What targets write is kept no longer than the rest of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(tmp_path_factory.mktemp("fuzz")))
        yield


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_breaks_what_must_hold(name: str) -> None:
    target, faults = TARGETS[name], list[Fault]()
    seeds = list(target.seeds())
    some = random.Random(2).sample(seeds, min(len(seeds), INPUTS // 2))  # noqa: S311
    with bounded():
        trial = Trial(target.run, faults.append)
        for data in (*some, *islice(mutated(seeds, target.words, random.Random(1)), INPUTS)):  # noqa: S311
            trial(data)
    assert not faults, "\n".join(map(str, faults))


def test_a_fault_is_told_once_with_the_shortest_input_that_shows_it() -> None:
    def target(data: bytes) -> None:
        if b"a" in data:
            raise KeyError
        if b"bc" in data:
            raise ValueError("said")

    faults: list[Fault] = []
    trial = Trial(target, faults.append)
    for data in (b"xxaxx", b"yayyay", b"zzzbbczzz", b"fine"):
        trial(data)
    assert [(one.data, one.error) for one in faults] == [(b"a", "KeyError: "), (b"bc", "ValueError: said")]
    assert all(one.place.startswith("tests/test_fuzz.py:") for one in faults)
    assert "input: b'bc'" in str(faults[1])


def test_what_takes_long_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fuzz.trial.MOST_SECONDS", 0.05)
    monkeypatch.setattr("tests.fuzz.trial._SHRINK_SECONDS", 0.1)

    def target(data: bytes) -> None:
        while data:
            pass

    faults: list[Fault] = []
    with bounded():
        Trial(target, faults.append)(b"x")
    assert [one.error.partition(":")[0] for one in faults] == [TooSlowError.__name__]


def test_the_same_seed_makes_the_same_inputs_and_another_others() -> None:
    target = TARGETS["records"]

    def made(seed: int) -> list[bytes]:
        return list(islice(mutated(list(target.seeds()), target.words, random.Random(seed)), 200))  # noqa: S311

    assert made(1) == made(1) != made(2)
    assert max(map(len, made(1))) <= MOST_BYTES
    assert len(set(made(1))) > 150


def test_the_program_tells_how_many_it_tried() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "identifiers", "--runs", "50", "--plain"]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("identifiers: 50 executions, ")
    assert "0 faults" in ended.stdout
