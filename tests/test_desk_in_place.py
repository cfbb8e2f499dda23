"""The record's files are moved, deleted or replaced while it is in use: nothing is taken that would be lost."""

import gc
import shutil
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from indexer.disk import DiskError
from indexer.encoder import HashingEncoder
from kb_service.access import LOCAL
from kb_service.desk import Desk
from kb_service.incident_index import IncidentIndex
from kb_service.incidents import Incidents
from kb_service.knowledge_base import KnowledgeBase
from kb_service.restoring import restore
from kb_service.settings import Settings
from tests.client import client_of


def put(desk: Desk, number: str) -> None:
    Incidents(desk).put({"number": number, "short_description": "x"})


def numbers(desk: Desk) -> list[str]:
    return [one.number for one in Incidents(desk).every()]


def delete(file: Path) -> None:
    file.unlink()


def move(file: Path) -> None:
    file.rename(file.with_name("away"))


def replace(file: Path) -> None:
    """As by a copy that was made beside and put in its place."""
    shutil.copy(file, file.with_name("copy"))
    file.with_name("copy").replace(file)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "desk.db"


@pytest.mark.parametrize("ending", ["", "-wal", "-shm"])
@pytest.mark.parametrize("lose", [delete, move, replace])
def test_nothing_is_written_to_a_record_that_is_not_in_its_place(
    path: Path, lose: Callable[[Path], None], ending: str
) -> None:
    desk = Desk(path)
    put(desk, "INC1")
    lose(path.with_name(path.name + ending))
    there = sorted(path.parent.iterdir())
    with pytest.raises(DiskError, match=r"desk\.db is not the record any more that is in use: .*moved back"):
        put(desk, "INC2")
    # A thread that comes anew would have SQLite make what is missing
    with ThreadPoolExecutor(1) as other, pytest.raises(DiskError, match="is not the record any more"):
        other.submit(put, desk, "INC3").result()
    assert sorted(path.parent.iterdir()) == there


@pytest.mark.parametrize("ending", ["", "-wal", "-shm"])
def test_it_goes_on_when_the_same_file_is_moved_back(path: Path, ending: str) -> None:
    desk = Desk(path)
    put(desk, "INC1")
    file = path.with_name(path.name + ending)
    move(file)
    with pytest.raises(DiskError):
        put(desk, "INC2")
    file.with_name("away").rename(file)
    put(desk, "INC2")
    assert numbers(desk) == numbers(Desk(path)) == ["INC1", "INC2"]


def test_all_that_is_done_to_it_by_rule_leaves_it_in_its_place(path: Path, tmp_path: Path) -> None:
    desk = Desk(path)
    put(desk, "INC1")
    desk.backup(tmp_path / "backup.db")
    put(desk, "INC2")
    restore(desk, tmp_path / "backup.db", LOCAL)
    desk.forget_deleted()
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    put(desk, "INC3")
    assert numbers(desk) == numbers(Desk(path)) == ["INC1", "INC3"]


def test_a_record_that_is_gone_is_not_begun_anew_without_a_word(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    IncidentIndex(Incidents(Desk(path)), HashingEncoder())
    assert not caplog.records
    path.unlink()
    assert numbers(Desk(path)) == []
    (told,) = caplog.records
    assert "moved or deleted, and an empty one is begun" in told.getMessage()


def test_the_thread_that_opened_it_may_end(path: Path) -> None:
    with ThreadPoolExecutor(1) as first:
        desk = first.submit(Desk, path).result()
    gc.collect()
    put(desk, "INC1")
    assert numbers(desk) == ["INC1"]


def test_a_service_whose_data_folder_is_deleted_takes_nothing_until_it_is_back(tmp_path: Path) -> None:
    content, data = tmp_path / "content", tmp_path / "data"
    content.mkdir()
    (content / "vpn.md").write_text("# VPN\n\nIt does not connect.\n", "utf-8")
    base = KnowledgeBase(Settings(content=content, data=data, encoder="hashing"))
    base.update()
    client = client_of(base)
    record = {"short_description": "vpn is down"}
    assert client.put("/api/incidents/INC1", json=record).status_code == 201
    data.rename(tmp_path / "away")
    refused = client.put("/api/incidents/INC2", json=record)
    assert refused.status_code == 503
    assert "its log says which" in refused.json()["detail"]
    assert client.get("/healthz").status_code == 200
    if data.exists():
        shutil.rmtree(data)
    (tmp_path / "away").rename(data)
    assert client.put("/api/incidents/INC2", json=record).status_code == 201
    assert client.get("/api/search", params={"q": "vpn"}).json()["hits"]
    assert numbers(base.desk) == ["INC1", "INC2"]
