"""kb doctor: each kind of wrong is made for real and found, what it says to do helps, and nothing is changed by it."""

import gc
import http.server
import json
import os
import re
import shlex
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from indexer.encoder import DEFAULT_MODEL
from kb_service import doctor_files, doctor_index, doctor_machine
from kb_service.cli import app
from kb_service.diagnosis import Case, Diagnosis, ends_in_time, size
from kb_service.doctor import examine
from kb_service.settings import Settings
from tests.authors import Author, Service, ann, bare
from tests.conftest import eventually
from tests.test_build import article

__all__ = ["ann", "bare"]

CASE = Path(__file__).parent / "cases" / "desk-1.sql"
Found = list[dict[str, str]]
# A data folder as months of use leave it: articles, records, vectors in files, a key of each kind, a backup beside it
SETUP = """
import sys
from pathlib import Path
from indexer.folding import fold
from kb_service import KnowledgeBase, Settings
folder = Path(sys.argv[1])
base = KnowledgeBase(Settings(content=folder / "content", data=folder / "data", encoder="hashing"))
base.update()
base.incidents.put_many([(n, {"number": f"INC{n}", "short_description": f"VPN drops {n}"}) for n in range(1, 40)])
base.incident_index.catch_up()
fold(base.index)
fold(base.incident_index.index)
base.keys.create("admin", name="Ann", by="test")
base.desk.backup(folder / "backup.db")
"""


class House:
    """A data folder and its content, in a folder of their own, and what the doctor says of them."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder, self.data, self.content = folder, folder / "data", folder / "content"
        # Whatever else runs on this machine, no service is asked, unless that is what is tried
        self.settings = {
            "KB_CONTENT": str(self.content), "KB_DATA": str(self.data), "KB_ENCODER": "hashing", "KB_PORT": "0",
            **settings,
        }  # fmt: skip

    def run(self, *options: str) -> Result:
        return CliRunner().invoke(app, ["doctor", *options], env=self.settings)

    def doctor(self, *options: str) -> Found:
        result = self.run("--json", *options)
        found: Found = json.loads(result.stdout)
        assert result.exit_code == int(any(one["level"] == "error" for one in found)), result.output
        assert {tuple(one) for one in found} == {("name", "level", "said", "remedy")}
        assert all(bool(one["remedy"]) == (one["level"] != "ok") for one in found), found
        assert "cannot be judged" not in result.stdout
        return found

    def wrong(self, *options: str) -> Found:
        return [one for one in self.doctor(*options) if one["level"] != "ok"]

    def only(self, name: str, level: str, said: str) -> str:
        """The remedy of the one thing that is wrong."""
        (found,) = self.wrong()
        assert (found["name"], found["level"]) == (name, level), found
        assert re.search(said, found["said"]), found
        return found["remedy"]

    def do(self, remedy: str, **named: str) -> None:
        """Run the command of a remedy as a person would; ``kb`` in this process, which is quicker."""
        _, found, command = re.split(r"([Rr]un: )", remedy, maxsplit=1)
        assert found
        for name, value in named.items():
            command = command.replace(name, value)
        for part in command.split(" && "):
            words = shlex.split(part)
            if ours := re.match(r"(KB_CACHE=\S+ )?kb ", part):
                environment = {**self.settings, **dict([words[0].split("=", 1)] if ours[1] else [])}
                result = CliRunner().invoke(app, words[words.index("kb") + 1 :], env=environment)
                assert result.exit_code == 0, (part, result.output, result.exception)
                # Else its files stay open, until chance closes them
                gc.collect()
            else:
                environment = {**os.environ, **self.settings, "HOME": str(self.folder)}
                subprocess.run(["sh", "-c", part], env=environment, check=True, capture_output=True)


@pytest.fixture(scope="module")
def well(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("well")
    (folder / "content").mkdir()
    for name in ("vpn", "mail"):
        (folder / "content" / f"{name}.md").write_text(article(name.upper(), "Restart the wombat client."))
    subprocess.run([sys.executable, "-c", SETUP, str(folder)], check=True)
    return folder


@pytest.fixture
def house(well: Path, tmp_path: Path) -> House:
    shutil.copytree(well / "data", tmp_path / "data")
    shutil.copy(well / "backup.db", tmp_path / "backup.db")
    # Moved or copied, files would count as changed since they were read
    return House(tmp_path, KB_CONTENT=str(well / "content"))


def everything(folder: Path) -> dict[str, tuple[str, int, int]]:
    """Every file of a folder, to the byte, with its permissions and the time of its last change."""
    return {
        str(path.relative_to(folder)): (
            sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
            path.lstat().st_mode,
            path.lstat().st_mtime_ns,
        )
        for path in (folder, *folder.rglob("*"))
    }


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    middle, some = len(data) // 2, min(2_000, len(data) // 4)
    for at in range(middle - some, middle + some):
        data[at] ^= 0xFF
    path.write_bytes(data)


def execute(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


# -- the whole


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
    execute(house.data / "demo" / "desk.db", "INSERT INTO meta VALUES ('demo', 'sample records')")
    said = {one["name"]: one["said"] for one in house.doctor("--demo")}
    assert said["desk.db"].startswith("39 sample records")
    (house.data / "demo" / "index.db").unlink()
    (found,) = house.wrong("--demo")
    assert f"--data {house.data}/demo" in found["remedy"]
    house.do(found["remedy"])
    assert house.wrong("--demo") == []


# -- the record


@pytest.mark.parametrize("spoil", [flip, lambda path: path.write_text("no database " * 900)])
def test_a_damaged_record_is_named_and_restored_by_what_it_says(house: House, spoil: Callable[[Path], object]) -> None:
    spoil(house.data / "desk.db")
    remedy = house.only("desk.db", "error", r"desk\.db (is damaged|cannot be read)")
    house.do(remedy, FILE=str(house.folder / "backup.db"))
    assert house.wrong() == []
    assert [*house.data.glob("desk-damaged-*/desk.db")]


def test_a_record_of_another_version_is_told_from_a_damaged_one(house: House) -> None:
    path = house.data / "desk.db"
    later = (
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('kb_service.desk', 'of_2031', 'x')"
    )
    execute(path, later)
    assert house.only("desk.db", "error", "newer version.*of_2031") == "Use that version"
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(CASE.read_text("utf-8"))
    before = everything(house.data)
    (found,) = [one for one in house.wrong() if one["name"] == "desk.db"]
    assert (found["level"], "older version" in found["said"]) == ("warning", True)
    assert everything(house.data) == before, "it is not migrated by a look"
    house.do("Run: kb keys list")
    assert [one for one in house.wrong() if one["name"] == "desk.db"] == []


def test_a_record_that_is_gone_is_missed_where_an_index_is(house: House) -> None:
    (house.data / "desk.db").unlink()
    (found,) = [one for one in house.wrong() if one["name"] == "desk.db"]
    assert "though an index is" in found["said"]
    assert "kb restore FILE" in found["remedy"]


def test_an_audit_entry_that_was_rewritten_is_found(house: House) -> None:
    execute(house.data / "desk.db", "DROP TRIGGER audit_is_never_changed", "UPDATE audit SET actor = 'x' WHERE id = 1")
    assert "backup" in house.only("desk.db", "error", "not as it was written from entry 1 on")


def test_a_log_that_cannot_be_read_without_writing_is_said_so(house: House) -> None:
    held = sqlite3.connect(house.data / "desk.db", isolation_level=None)
    held.execute("PRAGMA journal_mode=WAL")
    held.execute("INSERT INTO meta VALUES ('x', 1)")
    for name in ("desk.db", "desk.db-wal"):
        shutil.copy(house.data / name, house.folder / name)
    held.close()
    for name in ("desk.db", "desk.db-wal"):
        shutil.copy(house.folder / name, house.data / name)
    before = everything(house.data)
    house.only("desk.db", "error", r"desk\.db-shm is missing")
    assert everything(house.data) == before
    house.do("Run: kb keys list")
    assert house.wrong() == []


# -- keys and doors


def key(house: House, **columns: str) -> None:
    row = {
        "id": "abc", "hash": "x", "name": "Desk tool", "role": "agent", "services": "[]", "groups": "[]",
        "origins": "[]", "created_at": "2020-01-01T00:00:00+00:00", "created_by": "test",
        "last_used_at": time.strftime("%Y-%m-%dT00:00:00+00:00"), **columns,
    }  # fmt: skip
    values = ", ".join(f"'{value}'" for value in row.values())
    execute(house.data / "desk.db", f"INSERT INTO keys ({', '.join(row)}) VALUES ({values})")


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (
            {"expires_at": "2021-01-01T00:00:00+00:00"},
            r"abc \(agent, Desk tool\) expired 2021-01-01 00:00 UTC, was used",
        ),
        (
            {"expires_at": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() + 9 * 86_400))},
            "abc .* expires",
        ),
        ({"last_used_at": "2021-01-01T00:00:00+00:00"}, "is valid, but was used last 2021-01-01"),
    ],
)
def test_a_key_that_ends_or_nobody_uses_is_named_until_it_is_revoked(
    house: House, columns: dict[str, str], said: str
) -> None:
    key(house, **columns)
    house.do(house.only("keys", "warning", said))
    assert house.wrong() == []


def test_who_can_come_in_and_who_cannot(house: House) -> None:
    path = house.data / "desk.db"
    execute(path, "UPDATE keys SET role = 'agent'")
    house.only("keys", "warning", "no valid key is an admin's")
    execute(path, "UPDATE keys SET revoked_at = '2026-01-01T00:00:00+00:00'")
    remedy = house.only("keys", "error", "no key is valid any more")
    house.do(remedy)
    assert house.wrong() == []
    execute(path, "DELETE FROM keys")
    house.settings.update(KB_HOST="0.0.0.0", KB_URL="https://kb.example.org", KB_PROXIES="10.0.0.7")  # noqa: S104
    house.do(house.only("keys", "error", "other machines could use the service"))
    assert house.wrong() == []


# -- what is derived

MADE_BEFORE = "UPDATE meta SET value = 'hashing-1:64:0' WHERE name = 'made_by'"


@pytest.mark.parametrize(
    ("name", "spoil", "said"),
    [
        ("index.db", lambda data: (data / "index.db").write_text("garbage " * 900), "is damaged"),
        ("index.db", lambda data: flip(data / "index.db"), "is damaged"),
        ("index.db", lambda data: execute(data / "index.db", "PRAGMA user_version=1"), "another version"),
        ("index.db", lambda data: flip(next(data.glob("index-*.npy"))), "is not as it was written"),
        ("index.db", lambda data: execute(data / "index.db", MADE_BEFORE), "cut its passages"),
        ("index.db", lambda data: execute(data / "index.db", "UPDATE passages SET has_vector = 0"), "by meaning yet"),
        ("incidents.db", lambda data: (data / "incidents.db").write_bytes(b"\0" * 9_000), "is damaged"),
        ("incidents.db", lambda data: next(data.glob("incidents-*.npy")).unlink(), "cannot be read: No such file"),
        ("vectors", lambda data: flip(data / "cache" / "vectors.db"), "cannot be read"),
        ("vectors", lambda data: (data / "incident-vectors.db").write_text("garbage " * 900), "cannot be read"),
    ],
)  # fmt: skip
def test_what_is_derived_and_damaged_is_named_and_made_anew_by_what_it_says(
    house: House, name: str, spoil: Callable[[Path], object], said: str
) -> None:
    spoil(house.data)
    before = everything(house.data)
    wrong = house.wrong()
    assert everything(house.data) == before
    (found,) = [one for one in wrong if re.search(said, one["said"])]
    assert found["name"] == name
    house.do(found["remedy"])
    assert house.wrong() == []


def test_an_index_of_another_encoder_is_told(house: House) -> None:
    made_by = "UPDATE meta SET value = 'f0a09a93:onnx-int8-1:254:6' WHERE name = 'made_by'"
    execute(house.data / "index.db", made_by)
    assert "KB_ENCODER" in house.only("index.db", "warning", "another encoder made it")


@pytest.mark.usefixtures("encoder")
def test_a_file_of_the_model_that_is_gone_or_flipped_is_named(model_cache: Path, house: House) -> None:
    (export,) = (model_cache / "models").iterdir()
    own = house.data / "cache" / "models" / export.name
    shutil.copytree(export, own)
    case = Case(Settings(data=house.data))
    assert [one.level for one in doctor_index.model(case)] == ["ok"]
    flip(own / "tokenizer.json")
    (found,) = doctor_index.model(case)
    assert (found.level, str(own / "tokenizer.json") in found.said) == ("error", True)
    (own / "model.onnx").unlink()
    (found,) = doctor_index.model(case)
    assert (found.level, found.said) == ("error", f"{own / 'model.onnx'} is missing")
    (own / "encoder.json").write_text("{")
    (found,) = doctor_index.model(case)
    assert (found.level, "encoder.json cannot be read" in found.said) == ("error", True)
    house.do(found.remedy.partition(" && ")[0])
    (found,) = doctor_index.model(case)
    assert (found.level, f"{DEFAULT_MODEL}, not exported yet" in found.said) == ("ok", True)


def test_a_model_that_is_not_here_is_named_and_nothing_is_fetched(house: House) -> None:
    house.settings.update(KB_ENCODER="onnx", KB_MODEL="no/such-model")
    assert house.only("model", "error", "'no/such-model' is no folder") == "Mend KB_MODEL"
    house.settings["KB_MODEL"] = str(house.folder)
    house.only("model", "error", "holds no .safetensors file")


# -- files


def test_files_that_others_can_read_or_own_are_closed_by_what_it_says(house: House) -> None:
    house.data.chmod(0o755)
    (house.data / "desk.db").chmod(0o644)
    house.do(house.only("data folder", "warning", "every user of this machine can read desk.db"))
    assert house.wrong() == []
    if os.geteuid() == 0:
        os.chown(house.data / "index.db", 12345, -1)
        house.do(house.only("data folder", "warning", "index.db of 12345, but the folder is root's"))
        assert house.wrong() == []


def test_what_stopped_runs_left_is_named_once_it_is_old(house: House) -> None:
    house.data.chmod(0o750)
    left = ["desk.db.part", "index-7-9.npy.part", "publish/requested.123", "cache/models/.export-abc/model.onnx"]
    for name in left:
        (house.data / name).parent.mkdir(parents=True, exist_ok=True)
        (house.data / name).write_bytes(b"x" * 1_500_000)
    kept = house.data / "desk-before-restore-20260101T000000.db"
    kept.touch()
    assert house.wrong() == [], "it may be at work"
    for path in (*(house.data / name for name in left), house.data / "cache/models/.export-abc"):
        os.utime(path, (1, 1))
    house.do(house.only("left over", "warning", "temporary files and folders .*: 4, 6.0 MB"))
    assert house.wrong() == []
    assert kept.exists()
    os.utime(kept, (1, 1))
    house.do(house.only("left over", "warning", "records as they were before a restore.*: 1"))
    assert house.wrong() == []


def test_room_is_judged_by_what_a_backup_and_a_rebuild_take(house: House) -> None:
    with (house.data / "index-1-1.npy").open("wb") as file:
        file.truncate(1_000_000_000)
    case = Case(Settings(data=house.data))
    for free, level in ((2_000_000_000, "ok"), (900_000_000, "warning"), (199_000_000, "error")):
        (found,) = doctor_files.room(case, free)
        assert found.level == level
        assert re.match(r"\d+ MB free|2.0 GB free", found.said), found.said
    assert [size(count) for count in (0, 999, 1_000, 52_428, 1_234_567, 12_345_678, 10**10)] == [
        "0 bytes", "999 bytes", "1 KB", "52 KB", "1.2 MB", "12 MB", "10 GB",
    ]  # fmt: skip


def test_a_disk_of_another_machine_is_told_by_its_mount() -> None:
    mounts = (
        "/dev/sda1 / ext4 rw 0 0\nserver:/kb /srv/kb\\040data nfs4 rw 0 0\n"
        "/dev/sdb1 /srv/kb\\040data/fast ext4 rw 0 0\ntmpfs /srv/k tmpfs rw 0 0\nbroken\n"
    )
    for path, kind in (
        ("/srv/kb data/data", "nfs4"), ("/srv/kb data/fast/data", "ext4"), ("/srv/kb", "ext4"), ("/srv/k", "tmpfs"),
    ):  # fmt: skip
        assert doctor_files.file_system(Path(path), mounts) == kind
    assert doctor_files.file_system(Path("/x"), "") == ""


# -- machine and settings


def test_versions_and_limits_that_do_not_do_are_named() -> None:
    there = {"faiss-cpu": "1.10.0", "numpy": "2.1.0"}
    requires = ["faiss-cpu>=1.11", "numpy>=1.26", "onnxruntime>=1.20", "pytest>=8 ; extra == 'dev'"]
    wrong = doctor_machine.unmet(requires, there.get)
    assert wrong == [("faiss-cpu>=1.11", "1.10.0"), ("onnxruntime>=1.20", "not installed")]
    case = Case(Settings())
    assert [one.level for one in doctor_machine.program(case)] == ["ok"]
    assert [one.level for most in (100, 1024) for one in doctor_machine.file_limit(case, most)] == ["warning", "ok"]


def test_git_that_is_missing_or_old_is_named(house: House) -> None:
    empty = house.folder / "empty"
    empty.mkdir()
    path, house.settings["PATH"] = os.environ["PATH"], str(empty)
    assert "Install git" in house.only("git", "warning", "git is not there: articles have no history")
    old = empty / "git"
    old.write_text(f'#!/bin/sh\ncase "$*" in *--version) echo git version 1.8.3.1 ;; *) PATH={path} git "$@" ;; esac\n')
    old.chmod(0o755)
    house.settings["PATH"] = f"{empty}:{path}"
    house.only("git", "error", "1.8.3.1")


@pytest.mark.parametrize(
    ("settings", "level", "said", "remedy"),
    [
        ({"KB_PORT": "many"}, "error", "KB_PORT: .*integer.*'8000' is taken", "mended"),
        ({"KB_ENCODER": "nonsense"}, "error", "KB_ENCODER", "mended"),
        ({"KB_OIDC_ISSUER": "https://login.example.org"}, "error", "KB_OIDC_AUDIENCE or KB_OIDC_CLIENT_ID", "mended"),
        ({"KB_CONTENT_REFF": "main"}, "warning", "KB_CONTENT_REFF is set, but", "Perhaps KB_CONTENT_REF is meant"),
        ({"KB_HOOK_SECRET": "short"}, "warning", "KB_HOOK_SECRET has 5 characters", "openssl rand"),
        ({"KB_OIDC_CLIENT_ID": "kb"}, "warning", "without KB_OIDC_ISSUER", "Set KB_OIDC_ISSUER"),
        ({"KB_URL": "http://kb.example.org"}, "warning", "may be read on their way", "KB_PROXIES"),
        ({"KB_HOST": "192.0.2.1", "KB_URL": "https://kb.example.org"}, "warning", "names no proxy", "KB_PROXIES"),
        ({"KB_WORKERS": "250"}, "warning", "KB_WORKERS is 250", "at most"),
    ],
)
def test_settings_that_are_wrong_or_unsafe_are_named_and_the_rest_is_looked_at(
    house: House, settings: dict[str, str], level: str, said: str, remedy: str
) -> None:
    house.settings.update(settings)
    (found,) = [one for one in house.wrong() if one["name"] == "settings"]
    assert found["level"] == level
    assert re.search(said, found["said"]), found
    assert remedy in found["remedy"]
    assert "desk.db" in {one["name"] for one in house.doctor() if one["level"] == "ok"}


def test_no_secret_is_shown(house: House) -> None:
    house.settings.update(KB_HOOK_SECRET="wombat", KB_CONTENT_REMOTE="https://ann:numbat@127.0.0.1:9/kb.git")  # noqa: S106
    said = house.run().output + house.run("--json").output
    assert "cannot be asked" in said
    assert "wombat" not in said
    assert "numbat" not in said


# -- content


def test_content_that_is_missing_empty_or_not_live_yet_is_named(house: House) -> None:
    content = house.folder / "content"
    shutil.copytree(Path(house.settings["KB_CONTENT"]), content)
    house.settings["KB_CONTENT"] = str(content)
    (content / "new.md").write_text(article("New", "Not published."))
    house.do(house.only("published", "warning", "files that are not as they are live: 1"))
    assert house.wrong() == []
    (content / "bad.md").write_text("---\ntitle: a: b\n---\n")
    house.do("Run: kb index")
    assert "kb check" in house.only("published", "warning", "refused files: 1. bad.md:2: broken YAML")
    for path in content.iterdir():
        path.unlink()
    (found,) = [one for one in house.wrong() if one["name"] == "content"]
    assert (found["level"], "no article in" in found["said"]) == ("error", True)
    content.rmdir()
    assert "KB_CONTENT" in house.only("content", "error", "there is no content folder")


def test_a_repository_that_git_will_not_read_is_told_by_its_history(house: House, git: Callable[..., str]) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a repository away")
    content = house.folder / "content"
    shutil.copytree(Path(house.settings["KB_CONTENT"]), content)
    house.settings.update(KB_CONTENT=str(content), HOME=str(house.folder), GIT_CONFIG_SYSTEM="/dev/null")
    git(content, "init", "-q")
    git(content, "add", "-A")
    git(content, "commit", "-qm", "first")
    house.do("Run: kb index")
    assert house.wrong() == []
    for path in (content, content / ".git"):
        os.chown(path, 12345, -1)
    house.do(house.only("content", "warning", "no history: .*dubious ownership"))
    assert house.wrong() == []


def test_a_branch_that_is_followed_its_hook_and_its_remote(house: House, bare: Path, ann: Author) -> None:
    house.settings.update(KB_CONTENT=str(bare), KB_CONTENT_REF="main")
    house.do("Run: kb index")
    hook = bare / "hooks" / "post-receive"
    remedy = house.only("hooks", "warning", f"there is no {hook}: a push is looked for only every 60 s")
    for spoil, said in (
        (lambda: None, "there is no"),
        (lambda: hook.chmod(0o644), "is not executable"),
        (lambda: hook.write_text(hook.read_text().replace(str(house.data), "/srv/other")), "asks another data folder"),
        (lambda: hook.write_text(hook.read_text().replace("refs/heads/main", "refs/heads/old")), "another branch"),
        (lambda: hook.write_text(f"#!/bin/sh\n# Made by 'kb hook install'.\n{house.data}"), "asks another"),
    ):  # fmt: skip
        spoil()
        house.do(house.only("hooks", "warning", said))
        assert house.wrong() == [] or os.access(hook, os.X_OK) is False
        house.do(remedy)
        hook.chmod(0o755)
        assert house.wrong() == []
    ann.write("new.md", article("New", "Not published."))
    ann.write("runbooks/vpn.md", article("VPN drops", "Restart the numbat client."))
    ann.push("one is new, one is changed")
    house.do(house.only("published", "warning", "not as they are live: 2, new.md for one"))
    assert house.wrong() == []
    house.settings["KB_CONTENT_REF"] = "nowhere"
    (found,) = [one for one in house.wrong() if one["name"] == "content"]
    assert "there is no ref 'nowhere'" in found["said"]
    del house.settings["KB_CONTENT_REF"]
    house.settings["KB_CONTENT_REMOTE"] = str(bare)
    assert "not cloned yet" in next(one["said"] for one in house.doctor() if one["name"] == "content")
    house.do("Run: kb index")
    assert house.wrong() == []
    house.settings["KB_CONTENT_REF"] = "nowhere"
    house.only("remote", "error", "has no branch or tag 'nowhere'")
    shutil.rmtree(bare)
    house.only("remote", "error", "cannot be asked, so nothing new is published")


# -- the service


@contextmanager
def answering(body: bytes | None) -> Iterator[str]:
    """Another program on a port: one that answers so, or one that takes connections and says nothing."""
    if body is None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            yield str(silent.getsockname()[1])
        return
    told = body

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield str(server.server_port)
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("body", "said"),
    [(b"hello", "another program"), (b'{"status": "up"}', "another program"), (None, "does not answer within")],
)
def test_a_port_that_another_holds_and_a_service_that_hangs_are_told(
    house: House, body: bytes | None, said: str
) -> None:
    with answering(body) as port:
        house.settings["KB_PORT"] = port
        house.only("service", "error", said)
