"""kb doctor as a whole: each kind of wrong is made for real and found, and nothing is changed by it."""

import os
import re
import shutil
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from kb_service import doctor_files
from kb_service.diagnosis import Case, Diagnosis, ends_in_time
from kb_service.doctor import examine
from kb_service.settings import Settings
from tests.authors import Service
from tests.conftest import eventually
from tests.doctor.house import House, everything, execute
from tests.written import article


def test_where_all_is_well_it_says_so_and_changes_nothing(house: House) -> None:
    before = everything(house.data)
    found = house.doctor()
    assert everything(house.data) == before
    assert {one["level"] for one in found} == {"ok"}
    said = {one["name"]: one["said"] for one in found}
    assert re.fullmatch(r"39 records, \d+ KB, 41 audit entries", said["desk.db"])
    assert said["index.db"].startswith("2 articles, ")
    assert said["incidents.db"].startswith("39 records, ")
    result = house.run()
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "Nothing is wrong"


def test_a_service_that_runs_is_asked_and_no_file_of_it_is_changed(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    content = house.folder / "content"
    shutil.copytree(house.settings["KB_CONTENT"], content)
    house.settings.update(KB_PORT=port, KB_CONTENT=str(content))
    assert "the port is free" in house.doctor()[-1]["said"]
    execute(house.data / "desk.db", "DELETE FROM keys")
    with Service(house.data, **house.settings).running() as client:
        client.put("/api/incidents/INC77", json={"short_description": "Printer on fire"}).raise_for_status()
        eventually(lambda: not client.get("/readyz").json()["incidents"]["behind"], "what was put is taken up")
        eventually(lambda: len([*house.data.glob("*-wal")]) == 3, "and its vectors are kept")
        before = everything(house.data)
        found = house.doctor()
        assert everything(house.data) == before
        said = {one["name"]: one["said"] for one in found}
        assert said["service"] == f"it answers on 127.0.0.1:{port} and is ready"
        assert said["desk.db"].startswith("40 records"), "what is in the log only is seen"
        content.rename(house.folder / "away")
        (house.data / "publish" / "requested").write_text("as git's hook does")
        eventually(lambda: client.get("/readyz").json()["failure"] is not None)
        (service,) = [one for one in house.wrong() if one["name"] == "service"]
        assert "does not publish: there is no content folder" in service["said"]


def test_the_worst_stands_last_with_what_to_do(house: House) -> None:
    (house.data / "index.db").write_text("garbage " * 2_000)
    house.data.chmod(0o750)
    old = house.data / "desk.db.part"
    old.touch()
    os.utime(old, (1, 1))
    result = house.run()
    assert result.exit_code == 1
    *_, warning, remedy, error, remade, summary = result.stdout.splitlines()
    assert warning.startswith("! left over")
    assert remedy.strip().startswith("→ Nothing needs them. Run: rm -r -- ")
    assert error.startswith("✗ index.db")
    assert "kb index" in remade
    assert summary == "1 error, 1 warning"


def test_a_folder_that_is_empty_or_missing_or_full_of_garbage_is_looked_at_and_left_as_it_is(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.content.mkdir()
    (house.content / "vpn.md").write_text(article("VPN", "Restart."))
    remedy = house.only("data folder", "error", "there is no folder")
    assert not house.data.exists()
    house.do(remedy)
    assert house.wrong() == [], "what it says to begin a new one"
    shutil.rmtree(house.data)
    house.data.mkdir()
    house.do(house.only("index.db", "warning", "no articles can be found"))
    assert house.wrong() == []
    for garbage in (b"", b"garbage", b"\0" * 9_000, b"SQLite format 3\0" + b"\xff" * 9_000):
        for path in [path for path in house.data.rglob("*") if path.is_file()]:
            path.write_bytes(garbage)
        before = everything(house.data)
        wrong = house.wrong()
        assert everything(house.data) == before
        wanted = {"index.db", "incidents.db"} if not garbage else {"desk.db", "index.db", "incidents.db", "vectors"}
        assert wanted <= {one["name"] for one in wrong}, garbage
    shutil.rmtree(house.data)
    house.data.write_text("a file")
    house.only("data folder", "error", "is no folder")


def test_what_hangs_or_fails_keeps_no_other_look_from_being_done(house: House) -> None:
    hanging = threading.Event()

    def hangs(_: Case) -> Iterator[Diagnosis]:
        yield Diagnosis("hangs", "ok", "so far")
        hanging.wait(20)

    def fails(_: Case) -> Iterator[Diagnosis]:
        yield Diagnosis("fails", "ok", "so far")
        raise ZeroDivisionError("nobody thought of it")

    looks = {"hangs": hangs, "fails": fails, "left over": doctor_files.left_over}
    found = [*examine(Case(Settings(data=house.data)), looks, seconds=0.2)]
    hanging.set()
    assert [(one.name, one.level) for one in found] == [
        ("hangs", "ok"), ("hangs", "warning"), ("fails", "ok"), ("fails", "error"), ("left over", "ok"),
    ]  # fmt: skip
    assert "not looked through" in found[1].said
    assert "ZeroDivisionError: nobody thought of it" in found[3].said
    with closing(sqlite3.connect(":memory:")) as connection:
        endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
        assert not ends_in_time(connection, lambda: connection.execute(endless).fetchone() and None, 0.1)
        assert ends_in_time(connection, lambda: connection.execute("SELECT 1").fetchone() and None)


def test_a_demo_desk_is_told_by_its_own_commands(house: House) -> None:
    shutil.copytree(house.data, house.data / "demo")
    execute(house.data / "demo" / "desk.db", "INSERT INTO meta (name, value) VALUES ('demo', 'sample records')")
    said = {one["name"]: one["said"] for one in house.doctor("--demo")}
    assert said["desk.db"].startswith("39 sample records")
    (house.data / "demo" / "index.db").unlink()
    (found,) = house.wrong("--demo")
    assert f"--data {house.data}/demo" in found["remedy"]
    house.do(found["remedy"])
    assert house.wrong("--demo") == []
