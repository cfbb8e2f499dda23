"""A bit that flips in a value of desk.db, where SQLite sees nothing: it is noticed, named, and there is a way on."""

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kb_service import desk_sums
from kb_service.desk import Desk
from kb_service.desk_check import DeskError
from kb_service.incidents import Incidents
from kb_service.knowledge_base import KnowledgeBase
from kb_service.settings import Settings
from tests import forked
from tests.client import client_of

CASE = Path(__file__).parent / "cases" / "desk-1.sql"
TEXT, FLIPPED = b"the third floor", b"the thisd floor"
SAID = {"INC1": "Printer on the third floor is offline", "INC2": "VPN drops"}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path / "desk" / "desk.db")
    for number, said in SAID.items():
        Incidents(desk).put({"number": number, "short_description": said})
    return desk


def flip(path: Path) -> None:
    """One bit in the file itself, beneath SQLite."""
    data = path.read_bytes()
    assert data.count(TEXT) == 1
    path.write_bytes(data.replace(TEXT, FLIPPED))


def changed(desk: Desk) -> list[str]:
    return list(desk_sums.changed(desk.connection))


def test_every_table_has_sums_or_a_chain(desk: Desk) -> None:
    there = desk.connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    ours = {name for (name,) in there if not name.startswith(("sqlite_", "_sqlite_"))}
    assert ours == {*desk_sums.TABLES, "audit"}


@pytest.mark.parametrize("table", desk_sums.TABLES)
def test_what_is_written_is_summed_whoever_writes_it(desk: Desk, table: str) -> None:
    described = desk.connection.execute(f"PRAGMA table_info({table})").fetchall()
    of_type: dict[str, Any] = {"TEXT": "Größe\0", "INTEGER": 70_001, "BLOB": b"\xff\0", "": 0.5}
    row = {name: of_type[kind] for _, name, kind, *_ in described if name != "crc"}
    desk.connection.execute(
        f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", list(row.values())
    )
    assert changed(desk) == []
    last = [*row][-1]
    desk.connection.execute(f"UPDATE {table} SET {last} = ? WHERE {last} = ?", ("another", row[last]))
    assert changed(desk) == []
    desk.connection.execute(f"UPDATE {table} SET crc = crc + 1 WHERE {last} = 'another'")
    (named,) = changed(desk)
    assert named.endswith(f" of {table}"), "and by the sum it had"


def test_a_program_that_knows_no_sums_writes_nothing(desk: Desk) -> None:
    with closing(sqlite3.connect(desk.path)) as other, pytest.raises(sqlite3.OperationalError, match="row_crc"):
        other.execute("UPDATE incidents SET category = 'by hand'")


def test_a_flipped_byte_that_leaves_no_text_is_noticed(desk: Desk) -> None:
    desk.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    desk.connection.close()
    data = desk.path.read_bytes()
    desk.path.write_bytes(data.replace(TEXT, b"the th\xe9rd floor"))
    with closing(sqlite3.connect(desk.path)) as connection:
        assert list(desk_sums.changed(connection)) == ["'INC1' of incidents"]


def test_what_an_older_version_wrote_is_summed_once_it_is_migrated(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(CASE.read_text("utf-8"))
        assert list(desk_sums.changed(connection)) == []
    desk = Desk(path)
    assert changed(desk) == []
    desk.connection.execute("UPDATE feedback SET crc = 1 WHERE id = 1")
    assert changed(desk) == ["1 of feedback"]


class Data:
    """A data folder, used by processes of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.desk = folder / "data" / "desk.db"
        self._environment = {
            **os.environ, "KB_DATA": str(folder / "data"), "KB_CONTENT": str(folder), "KB_ENCODER": "hashing"
        }  # fmt: skip

    def kb(self, *command: str | Path) -> tuple[int, str]:
        done = forked.kb([str(one) for one in command], self._environment)
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    def said(self) -> dict[str, str]:
        exported = forked.kb(["incidents", "export"], self._environment)
        rows = map(json.loads, exported.stdout.splitlines())
        return {row["number"]: row["short_description"] for row in rows}


@pytest.fixture
def data(tmp_path: Path) -> Data:
    """As those who have used it leave it."""
    data, given = Data(tmp_path), tmp_path / "given.jsonl"
    rows = ({"number": number, "short_description": said} for number, said in SAID.items())
    given.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    assert data.kb("incidents", "import", given)[0] == 0
    return data


@pytest.mark.parametrize("killed", [True, False])
def test_it_is_refused_by_name_and_taken_as_it_is_where_that_is_said(data: Data, tmp_path: Path, killed: bool) -> None:
    if killed:
        # Nobody has left word of what the file was
        (tmp_path / "data" / "at-rest").unlink()
    flip(data.desk)
    for _again in range(2):
        code, said = data.kb("keys", "list")
        assert code == 3, said
        assert "not as they were written are 'INC1' of incidents" in said
        assert "kb restore --as-it-is" in said
    aside = tmp_path / "aside.db"
    data.desk.rename(aside)
    code, said = data.kb("restore", aside)
    assert (code, "'INC1' of incidents" in said) == (3, True), said
    assert data.said() == {}
    code, said = data.kb("restore", "--as-it-is", aside)
    assert code == 0, said
    assert data.said() == {**SAID, "INC1": SAID["INC1"].replace(TEXT.decode(), FLIPPED.decode())}
    (tmp_path / "data" / "at-rest").unlink()
    assert data.kb("keys", "list")[0] == 0


def test_a_record_that_is_damaged_is_not_answered_until_it_is_written_anew(tmp_path: Path) -> None:
    base = KnowledgeBase(Settings(content=tmp_path / "content", data=tmp_path / "data", encoder="hashing"))
    client = client_of(base)
    for number, said in SAID.items():
        client.put(f"/api/incidents/{number}", json={"short_description": said}).raise_for_status()
    base.desk.connection.execute("UPDATE incidents SET crc = crc + 1 WHERE number = 'INC1'")
    for path in ("/api/incidents/inc1", "/api/incidents/INC1/related"):
        answer = client.get(path)
        assert answer.status_code == 500
        assert "'inc1' is not as it was written" in answer.json()["detail"].casefold()
    assert client.get("/api/incidents/INC2").status_code == 200
    page = client.get("/incidents/INC1", headers={"Accept": "text/html"})
    assert (page.status_code, "is not as it was written" in page.text) == (500, True)
    client.put("/api/incidents/INC1", json={"short_description": "Printer is offline"}).raise_for_status()
    assert client.get("/api/incidents/INC1").json()["short_description"] == "Printer is offline"
    base.desk.connection.execute("UPDATE incidents SET crc = crc + 1 WHERE number = 'INC1'")
    base.incidents.erase("INC1")
    assert client.get("/api/incidents/INC1").status_code == 404


@pytest.mark.parametrize(
    "damage",
    [
        "extra = replace(extra, '}', 'y')",
        "opened_at = replace(opened_at, '-', 'm')",
        "updated_at = 'm' || updated_at",
        "description = CAST(x'61ff62' AS TEXT)",
    ],
)
def test_a_record_that_cannot_even_be_read_keeps_no_other_from_anything(tmp_path: Path, damage: str) -> None:
    base = KnowledgeBase(Settings(content=tmp_path / "content", data=tmp_path / "data", encoder="hashing"))
    client = client_of(base)

    def spoil() -> None:
        for number, said in SAID.items():
            client.put(f"/api/incidents/{number}", json={"short_description": said}).raise_for_status()
        triggers = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'incidents'"
        kept = base.desk.connection.execute(triggers).fetchall()
        for name, _ in kept:
            base.desk.connection.execute(f"DROP TRIGGER {name}")
        base.desk.connection.execute(f"UPDATE incidents SET {damage} WHERE number = 'INC1'")
        for _, sql in kept:
            base.desk.connection.execute(sql)

    spoil()
    base.incident_index.catch_up()
    listed = client.get("/api/incidents").raise_for_status().json()
    assert {one["number"] for one in listed["incidents"]} == set(SAID)
    assert "INC2" in client.get("/incidents").raise_for_status().text
    assert client.get("/api/incidents/INC1").status_code == 500
    assert client.get("/api/incidents/INC2/related").status_code == 200
    client.put("/api/incidents/INC1", json={"short_description": "Printer is offline"}).raise_for_status()
    assert client.get("/api/incidents/INC1").json()["short_description"] == "Printer is offline"
    spoil()
    base.incidents.erase("INC1")
    assert client.get("/api/incidents/INC1").status_code == 404
    assert client.get("/api/incidents/INC2").status_code == 200


def test_a_text_that_is_none_is_taken_as_it_is_where_that_is_said(desk: Desk, tmp_path: Path) -> None:
    desk.backup(tmp_path / "backup.db")
    with closing(sqlite3.connect(tmp_path / "backup.db")) as connection:
        connection.execute("DROP TRIGGER incidents_summed_on_update")
        connection.execute("UPDATE incidents SET description = CAST(x'61ff62' AS TEXT) WHERE number = 'INC1'")
        connection.commit()
    desk.restore(tmp_path / "backup.db", as_it_is=True)
    assert changed(desk) == []
    assert {one.number: one.description for one in Incidents(desk).every()}["INC1"] == "a\\xffb"


def test_a_backup_says_what_is_damaged_and_is_not_counted(desk: Desk, tmp_path: Path) -> None:
    desk.connection.execute("UPDATE incidents SET crc = crc + 1 WHERE number = 'INC2'")
    with pytest.raises(DeskError) as caught:
        desk.backup(tmp_path / "backup.db")
    assert f"{desk.path} is copied to {tmp_path / 'backup.db'}, but" in caught.value.problem
    assert "'INC2' of incidents" in caught.value.problem
    assert desk.meta("backup") is None
    with pytest.raises(DeskError, match="'INC2' of incidents"):
        desk.restore(tmp_path / "backup.db")
    desk.restore(tmp_path / "backup.db", as_it_is=True)
    assert changed(desk) == []
    assert {one.number: one.short_description for one in Incidents(desk).every()} == SAID
