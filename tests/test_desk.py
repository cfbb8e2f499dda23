"""desk.db: made once, refused where it is none, copied and put back while it is in use."""

import random
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from subprocess import PIPE

import pytest

from kb_service.attachments import Attachments
from kb_service.desk import Desk
from kb_service.desk_check import DeskError
from kb_service.desk_schema import migrations
from kb_service.feedback import Feedback
from kb_service.incident_reading import Selection
from kb_service.incidents import Incidents
from kb_service.searches import Searches

CASE = Path(__file__).parent / "cases" / "desk-1.sql"
OPEN = """
import sys
from pathlib import Path
from kb_service.desk import Desk
print("ready", flush=True)
sys.stdin.readline()
print(Desk(Path(sys.argv[1])).line)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "desk.db"


def put(desk: Desk, number: str, said: str) -> None:
    Incidents(desk).put({"number": number, "short_description": said})


def filled(path: Path, records: int = 300) -> Desk:
    desk = Desk(path)
    text = "So it was said at some length. " * 40
    rows = [{"number": f"INC{n:04}", "short_description": "s", "description": text} for n in range(records)]
    Incidents(desk).put_many(list(enumerate(rows, 1)))
    return desk


def closed(desk: Desk) -> None:
    desk.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    desk.connection.close()


def is_whole(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        return bool(connection.execute("PRAGMA integrity_check").fetchone() == ("ok",))


def said(desk: Desk) -> dict[str, str]:
    return {one.number: one.short_description for one in Incidents(desk).every()}


def test_it_is_made_once_and_keeps_its_line(path: Path) -> None:
    first = Desk(path)
    put(first, "INC1", "x")
    again = Desk(path)
    assert again.line == first.line
    assert said(again) == {"INC1": "x"}
    applied = again.connection.execute("SELECT count(*) FROM _sqlite_migrations").fetchone()[0]
    assert applied == len(migrations._migrations)


def test_several_processes_that_open_it_at_once_make_one(path: Path) -> None:
    command = [sys.executable, "-c", OPEN, str(path)]
    runs = [subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True) for _ in range(3)]
    for run in runs:
        assert run.stdout is not None
        assert run.stdout.readline() == "ready\n"
    for run in runs:
        assert run.stdin is not None
        run.stdin.write("go\n")
        run.stdin.flush()
    lines = [run.communicate(timeout=60)[0].strip() for run in runs]
    assert {run.returncode for run in runs} == {0}
    assert set(lines) == {Desk(path).line}


def test_what_is_written_is_on_disk_before_it_is_acknowledged(path: Path) -> None:
    desk = Desk(path)
    wanted = {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "busy_timeout": 30_000}

    def pragmas() -> dict[str, object]:
        return {name: desk.connection.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted}

    assert pragmas() == wanted
    Searches(desk).keep("search", "x", [])
    assert pragmas() == wanted, "what need not wait for the disk leaves it as it was"


def test_a_write_that_fails_leaves_nothing(path: Path) -> None:
    desk = Desk(path)

    def half() -> None:
        with desk.writing() as connection:
            connection.execute("INSERT INTO meta (name, value) VALUES ('half', 1)")
            raise KeyError

    with pytest.raises(KeyError):
        half()
    assert desk.meta("half") is None
    put(desk, "INC1", "and goes on")


def no_database(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("Not a database, but two pages of text. " * 300, "utf-8")


def another_program(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE songs (name)")


def truncated(path: Path) -> None:
    closed(filled(path))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def flipped(path: Path) -> None:
    closed(filled(path))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    for at in range(middle, middle + 9_000):
        data[at] ^= 0xFF
    path.write_bytes(data)


def newer(path: Path) -> None:
    desk = filled(path, 1)
    desk.connection.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('kb_service.desk', 'of_2031', 'x')"
    )
    closed(desk)


SPOILT: list[tuple[Callable[[Path], None], str, str]] = [
    (no_database, "not a database", "kb restore FILE"),
    (another_program, "is not the record of a desk", "kb restore FILE"),
    (truncated, "cannot be read|is damaged", "kb restore FILE"),
    (flipped, "cannot be read|is damaged", "kb restore FILE"),
    (newer, "newer version", "Use that version"),
]


@pytest.mark.parametrize(("spoil", "problem", "remedy"), SPOILT)
def test_what_is_no_desk_of_ours_is_refused_and_left_as_it_is(
    path: Path, spoil: Callable[[Path], None], problem: str, remedy: str
) -> None:
    spoil(path)
    before = path.read_bytes()
    with pytest.raises(DeskError, match=problem) as caught:
        Desk(path)
    assert str(path) in caught.value.problem
    assert remedy in caught.value.remedy
    assert path.read_bytes() == before


@pytest.mark.parametrize("spoil", [spoil for spoil, *_ in SPOILT if spoil is not newer])
def test_its_remedy_works(path: Path, tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    good = filled(tmp_path / "other" / "desk.db", 3)
    good.backup(tmp_path / "backup.db")
    spoil(path)
    for file in path.parent.glob("desk.db*"):
        file.rename(file.with_name(f"away-{file.name}"))
    desk = Desk(path)
    desk.restore(tmp_path / "backup.db")
    assert said(desk) == said(good)


@pytest.mark.parametrize("records", [10, 4_000])
def test_a_backup_while_others_write_is_whole_and_holds_a_prefix(path: Path, tmp_path: Path, records: int) -> None:
    desk = filled(path, records)
    acknowledged: list[int] = []
    end, many = threading.Event(), threading.Event()

    def write() -> None:
        while not end.is_set():
            put(desk, f"W{len(acknowledged):06}", "written")
            acknowledged.append(len(acknowledged))
            if len(acknowledged) == 20:
                many.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert many.wait(20)
        before = len(acknowledged)
        copying = threading.Thread(target=desk.backup, args=(tmp_path / "backup.db",), daemon=True)
        copying.start()
        copying.join(20)
        assert not copying.is_alive(), "it ends, however much is written"
        after = len(acknowledged)
    finally:
        end.set()
        writer.join()
    assert is_whole(tmp_path / "backup.db")
    copied = said(Desk(tmp_path / "backup.db"))
    written = sorted(number for number in copied if number.startswith("W"))
    assert written == [f"W{n:06}" for n in range(len(written))]
    assert before <= len(written) <= after + 1
    assert len(copied) == len(written) + records


def test_a_backup_overwrites_nothing(path: Path, tmp_path: Path) -> None:
    desk = filled(path, 1)
    (tmp_path / "there.db").write_text("mine", "utf-8")
    with pytest.raises(DeskError, match="is there already"):
        desk.backup(tmp_path / "there.db")
    assert (tmp_path / "there.db").read_text("utf-8") == "mine"
    with pytest.raises(DeskError, match="there is no folder"):
        desk.backup(tmp_path / "none" / "backup.db")
    assert not list(tmp_path.glob("*.part"))


def test_a_restore_is_seen_by_all_who_use_it_and_the_former_record_is_kept(path: Path, tmp_path: Path) -> None:
    desk, beside = filled(path, 300), Desk(path)
    line = desk.line
    file = tmp_path / "a backup?%20#1.db"
    desk.backup(file)
    end, going = threading.Event(), threading.Barrier(5)
    written: list[dict[str, int]] = [{}, {}]
    torn: list[object] = []

    def write(own: Desk, mine: dict[str, int]) -> None:
        going.wait()
        count = 0
        while not end.is_set():
            number = f"W{count}-{id(mine)}"
            put(own, number, "written")
            mine[number] = count = count + 1

    def read(own: Desk) -> None:
        going.wait()
        while not end.is_set():
            found, total = Incidents(own).listed(Selection(limit=10_000))
            if len(found) != total or len(found) < 300:
                torn.append((len(found), total))

    threads = [threading.Thread(target=write, args=pair) for pair in zip((desk, beside), written, strict=True)]
    threads += [threading.Thread(target=read, args=(own,)) for own in (desk, beside)]
    for thread in threads:
        thread.start()
    going.wait()
    while not all(len(mine) > 10 for mine in written):
        assert all(thread.is_alive() for thread in threads)
    until = [set(mine) for mine in written]
    kept = desk.restore(file)
    end.set()
    for thread in threads:
        thread.join()
    assert torn == []
    assert desk.line == beside.line != line
    restored, before = said(desk), said(Desk(kept))
    assert said(beside) == restored
    assert len({number for number in restored if number.startswith("INC")}) == 300
    assert until[0] | until[1] <= before.keys()
    # Of what was acknowledged, the one or the other holds everything
    assert before.keys() | restored.keys() == {f"INC{n:04}" for n in range(300)} | written[0].keys() | written[1].keys()
    assert is_whole(path)
    assert is_whole(kept)
    assert not list(path.parent.glob("*restoring*"))


def test_the_record_is_as_in_the_backup(path: Path, tmp_path: Path) -> None:
    desk = filled(path, 2)
    desk.backup(tmp_path / "backup.db")
    put(desk, "INC0001", "changed since")
    put(desk, "INC9", "new since")
    kept = desk.restore(tmp_path / "backup.db")
    assert said(desk) == {"INC0000": "s", "INC0001": "s"}
    assert said(Desk(kept)) == {"INC0000": "s", "INC0001": "changed since", "INC9": "new since"}


def empty(path: Path) -> None:
    path.parent.mkdir()
    path.touch()


def empty_database(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM")


def missing(path: Path) -> None:
    assert not path.exists()


@pytest.mark.parametrize("spoil", [*(spoil for spoil, *_ in SPOILT), empty, empty_database, missing])
def test_a_restore_of_rubbish_changes_nothing(path: Path, tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    desk = filled(path, 3)
    line = desk.line
    rubbish = tmp_path / "rubbish" / "desk.db"
    spoil(rubbish)
    with pytest.raises(DeskError) as caught:
        desk.restore(rubbish)
    assert str(rubbish) in caught.value.problem
    assert (len(said(desk)), desk.line) == (3, line)
    ours = {"desk.db", "desk.db-wal", "desk.db-shm", "desk.lock", "in-use.lock"}
    assert {file.name for file in path.parent.iterdir()} <= ours


def test_a_record_of_this_version_opens(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(CASE.read_text("utf-8"))
    desk = Desk(path)
    record = Incidents(desk).existing("inc0000001")
    assert (record.version, record.incident.priority, record.incident.extra) == (2, "P3", {"u_floor": 3})
    assert Incidents(desk).children("PRB0000001") == ["INC0000001"]
    (attached,) = Attachments(desk).of_incidents(["INC0000001"])["INC0000001"]
    assert (attached.article, attached.relation) == ("runbooks/vpn", "resolved_by")
    assert Feedback(desk).votes(["runbooks/vpn"]).helped == 1
    assert desk.line == "0123456789abcdef0123456789abcdef"
    put(desk, "INC0000009", "goes on")
    assert desk.meta("change") == "6"


def test_what_was_deleted_is_in_no_file(path: Path) -> None:
    """Full pages are split where numbers come in no order: their copies go too."""
    chance = random.Random(5)  # noqa: S311
    desk = Desk(path)
    incidents = Incidents(desk)
    numbers = [f"INC{n:05}" for n in range(1_000)]
    chance.shuffle(numbers)
    words = {number: f"zq{chance.randrange(10**12):012}qz" for number in numbers}
    rows = [
        {
            "number": number,
            "short_description": words[number],
            "description": words[number] + " x" * chance.randrange(300),
        }
        for number in numbers
    ]
    for start in range(0, len(rows), 5):
        incidents.put_many(list(enumerate(rows[start : start + 5], 1)))
    gone = chance.sample(numbers, 40)
    for number in gone:
        incidents.erase(number)
    data = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert [number for number in gone if words[number].encode() in data] == []
    assert all(words[number].encode() in data for number in numbers if number not in gone)
