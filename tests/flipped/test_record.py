"""The desk's record: which bits of it are missed, and what is told to do helps."""

import json
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kb_service import desk_sums
from tests import forked
from tests.conftest import eventually
from tests.flipped.damage import Whole, asked, ready, recorded, refused, service_of, spoil

pytestmark = pytest.mark.breaking


def flip_the_record(dense: Path, whole: Whole, folder: Path, seed: int) -> bool:
    """One bit of it: refused, or nothing has changed."""
    shutil.copytree(dense, folder)
    service = service_of(folder, whole.content)
    spoil(folder / "desk.db", "flipped", random.Random(seed))  # noqa: S311
    done = forked.kb(["incidents", "export"], service.environment)
    if done.returncode:
        refused(service)
        return True
    records = {row["number"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert all(records[one["number"]].items() <= one.items() for one in whole.records[0]), seed
    return False


def test_after_a_kill_no_flipped_bit_of_the_record_is_answered(dense: Path, whole: Whole, tmp_path: Path) -> None:
    found = sum(flip_the_record(dense, whole, tmp_path / str(seed), seed) for seed in range(6))
    assert found > 1


@pytest.mark.long
def test_a_thousand_flipped_bits_of_the_record(dense: Path, whole: Whole, tmp_path: Path) -> None:
    found = 0
    for seed in range(2000, 3000):
        found += flip_the_record(dense, whole, tmp_path / "data", seed)
        shutil.rmtree(tmp_path / "data")
    print(f"{found} of 1000 bits found, the others meant nothing")
    assert found > 300


def test_a_record_that_was_put_there_on_purpose_is_taken_when_that_is_said(whole: Whole, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(whole.folder, folder)
    with closing(sqlite3.connect(folder / "desk.db", isolation_level=None)) as connection:
        desk_sums.know(connection)
        connection.execute("UPDATE incidents SET category = 'by hand'")
    service = service_of(folder, whole.content)
    assert "To go on with what is there all the same, delete" in refused(service)
    (folder / "at-rest").unlink()
    service.kb("keys", "list")


def test_what_is_told_to_do_restores_it(whole: Whole, tmp_path: Path) -> None:
    """The rehearsal: a backup is taken, the record is damaged, what the refusal says is done, all is there."""
    folder = tmp_path / "data"
    shutil.copytree(whole.folder, folder)
    service = service_of(folder, whole.content)
    service.kb("backup", str(tmp_path / "backup.db"))
    spoil(folder / "desk.db", "flipped", random.Random(3))  # noqa: S311
    assert "Move it away, with the files beside it of the same name" in refused(service)
    for file in folder.glob("desk.db*"):
        file.rename(tmp_path / file.name)
    service.kb("restore", str(tmp_path / "backup.db"))
    with service.running() as client:
        eventually(lambda: ready(client))
        assert recorded(client) == whole.records
        assert asked(client) == whole.answers
