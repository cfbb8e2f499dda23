"""Bytes of any file of a data folder flip, at rest or beneath a running service.

What is derived is made anew and answers as a fresh index does, or nothing has changed; the record is refused, with what
to do, and left as it is. Never is something answered that is not so.
"""

import json
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from kb_service import desk_sums
from kb_service.desk_log import Log
from tests import forked
from tests.authors import Service
from tests.benchmarks.made import content
from tests.conftest import eventually

pytestmark = pytest.mark.breaking

ASKED = ("password reset", "vpn drops error 809", "disk is full", "printer offline", "0x80070005", "network")
ARTICLES = 80
RECORDS = 30


@dataclass(frozen=True)
class Whole:
    """A data folder that a service has left, and what it answered."""

    folder: Path
    content: Path
    answers: list[Any]
    records: list[Any]


def asked(client: httpx2.Client) -> list[Any]:
    """What is answered, but for what differs from one index to the next: times and generations."""
    found = []
    for text in ASKED:
        body = client.get("/api/search", params={"q": text, "limit": 20}).raise_for_status().json()
        found.append([{**hit, "parts": None} for hit in body["hits"]])
        if body["hits"]:
            article = client.get(f"/api/articles/{body['hits'][0]['id']}").raise_for_status().json()
            found.append([article["title"], article["html"]])
    return found


def recorded(client: httpx2.Client) -> list[Any]:
    """Every record as it is kept, and what is like the first one."""
    kept = [client.get(f"/api/incidents/INC{number:04}").raise_for_status().json() for number in range(RECORDS)]
    for one in kept:
        one.pop("age_minutes", None)
    like = client.get("/api/incidents/INC0000/related").json()
    return [kept, [hit.get("number") for hit in like.get("hits", [])]]


def ready(client: httpx2.Client) -> bool:
    answer = client.get("/readyz")
    if answer.status_code != 200:
        return False
    body = answer.json()
    return (
        not body["publishing"] and body["encoded"]["share"] == 1 and not body["incidents"]["behind"]
        and body["failure"] is None
    )  # fmt: skip


def service_of(folder: Path, content: Path, **settings: str) -> Service:
    return Service(folder, KB_CONTENT=str(content), **settings)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    made = tmp_path_factory.mktemp("whole")
    articles, folder = content(made, ARTICLES), made / "data"
    service = service_of(folder, articles)
    with service.running() as client:
        for number in range(RECORDS):
            said = {
                "short_description": f"Printer {number} in room {number * 7} is offline",
                "description": f"Users see error {number:04} since monday. " * 12,
            }
            client.put(f"/api/incidents/INC{number:04}", json=said).raise_for_status()
        eventually(lambda: ready(client))
        answers, records = asked(client), recorded(client)
    return Whole(folder, articles, answers, records)


def files_of(folder: Path) -> list[Path]:
    """Those that are read again; what is empty is a lock."""
    return sorted(
        file for file in folder.rglob("*") if file.is_file() and file.stat().st_size and file.suffix != ".lock"
    )


def spoil(file: Path, how: str, chance: random.Random) -> None:
    data = bytearray(file.read_bytes())
    if how == "truncated":
        data = data[: len(data) // 2]
    elif how == "emptied":
        data = bytearray()
    elif how == "garbage":
        data = bytearray(chance.randbytes(len(data)))
    else:
        first, last = {"head": (0, 100), "tail": (len(data) - 64, len(data)), "flipped": (0, len(data))}[how]
        at = chance.randrange(max(0, first), max(1, min(last, len(data))))
        data[at] ^= 1 << chance.randrange(8)
    file.write_bytes(data)


HOW = ("flipped", "flipped", "flipped", "head", "tail", "truncated", "emptied", "garbage")


def refused(service: Service) -> str:
    """What is said of a record that is refused, by any command, and left as it is."""
    record = Path(service.environment["KB_DATA"]) / "desk.db"
    before = record.read_bytes()
    for _again in range(2):
        done = forked.kb(["keys", "list"], service.environment)
        said = " ".join(done.stderr.split())
        assert done.returncode == 3, said
        assert "desk.db" in said
        assert "kb restore FILE" in said
        assert "Traceback" not in said
        assert record.read_bytes() == before
    return said


def flip_at_rest(whole: Whole, folder: Path, seed: int) -> None:
    """Some files of those that are derived, at once; all is made anew that has to be, and answers as it did."""
    chance = random.Random(seed)  # noqa: S311
    shutil.copytree(whole.folder, folder)
    files = [file for file in files_of(folder) if file.name not in {"desk.db", "session.key"}]
    flipped = {str(file.relative_to(folder)): chance.choice(HOW) for file in chance.sample(files, 4)}
    for name, how in flipped.items():
        spoil(folder / name, how, chance)
    if any("vectors.db" in name for name in flipped):
        # They are asked for where an index is made anew
        for index in ("index.db", "incidents.db"):
            (folder / index).unlink()
    service = service_of(folder, whole.content)
    try:
        with service.running() as client:
            eventually(lambda: ready(client), service.log.read_text())
            assert asked(client) == whole.answers
            assert recorded(client) == whole.records
        assert "Traceback" not in service.log.read_text()
    except BaseException as error:
        error.add_note(f"{flipped}, seed {seed}")
        raise


@pytest.mark.parametrize("seed", [4, 5])
def test_at_rest_what_is_derived_is_made_anew(whole: Whole, tmp_path: Path, seed: int) -> None:
    flip_at_rest(whole, tmp_path / "data", seed)


@pytest.mark.parametrize("how", ["flipped", "garbage", "truncated"])
def test_at_rest_the_record_is_refused(whole: Whole, tmp_path: Path, how: str) -> None:
    shutil.copytree(whole.folder, tmp_path / "data")
    spoil(tmp_path / "data" / "desk.db", how, random.Random(how))  # noqa: S311
    refused(service_of(tmp_path / "data", whole.content))


@pytest.mark.long
def test_five_hundred_times(whole: Whole, tmp_path: Path) -> None:
    chance, folder = random.Random(7), tmp_path / "data"  # noqa: S311
    for seed in range(1000, 1110):
        flip_at_rest(whole, folder, seed)
        shutil.rmtree(folder)
        shutil.copytree(whole.folder, folder)
        spoil(folder / "desk.db", chance.choice(HOW), chance)
        refused(service_of(folder, whole.content))
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def dense(killed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with next to no byte of the record that means nothing, and with nobody's word for what it was."""
    folder = tmp_path_factory.mktemp("dense") / "data"
    shutil.copytree(killed, folder)
    with closing(sqlite3.connect(folder / "desk.db", isolation_level=None)) as connection:
        for statement in ("PRAGMA journal_mode=DELETE", "PRAGMA page_size=512", "VACUUM", "PRAGMA journal_mode=WAL"):
            connection.execute(statement)
    assert not (folder / "at-rest").exists()
    return folder


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


@pytest.mark.parametrize("clean", [True, False])
def test_a_command_that_looks_at_nothing_vouches_for_nothing(
    killed: Path, whole: Whole, tmp_path: Path, clean: bool
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(whole.folder if clean else killed, folder)
    words_piece(folder)
    service = service_of(folder, whole.content)
    service.kb("keys", "list")
    with service.running() as client:
        eventually(lambda: ready(client), service.log.read_text())
        assert asked(client) == whole.answers
    assert "it is made anew" in service.log.read_text()


def test_a_secret_that_is_cut_off_is_said(whole: Whole, tmp_path: Path) -> None:
    shutil.copytree(whole.folder, tmp_path / "data")
    spoil(tmp_path / "data" / "session.key", "truncated", random.Random(1))  # noqa: S311
    service = service_of(tmp_path / "data", whole.content)
    done = forked.kb(["serve"], service.environment)
    assert done.returncode == 3
    assert "Delete it: all have to sign in again then" in " ".join(done.stderr.split())


@pytest.fixture(scope="module")
def killed(whole: Whole, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a service left that was killed after it acknowledged some more records, its log among it."""
    folder = tmp_path_factory.mktemp("killed") / "data"
    shutil.copytree(whole.folder, folder)
    service = service_of(folder, whole.content)
    with service.running() as client:
        for number in range(5):
            client.put(f"/api/incidents/LAST{number}", json={"short_description": "The last"}).raise_for_status()
        assert service.process is not None
        service.process.send_signal(signal.SIGKILL)
    return folder


def test_after_a_kill_the_log_that_was_left_is_taken_up(killed: Path, whole: Whole, tmp_path: Path) -> None:
    shutil.copytree(killed, tmp_path / "data")
    exported = service_of(tmp_path / "data", whole.content).kb("incidents", "export")
    assert exported.count("The last") == 5


@pytest.mark.parametrize(
    ("how", "with_index"),
    [
        ("begin", True),
        ("early", False),
        ("emptied", True),
        *(
            pytest.param(*case, marks=pytest.mark.long)
            for case in (("begin", False), ("early", True), ("truncated", True))
        ),
    ],
)
def test_after_a_kill_a_damaged_log_is_no_silent_loss(
    killed: Path, whole: Whole, tmp_path: Path, how: str, with_index: bool
) -> None:
    """SQLite would drop the rest of it, acknowledged as it is. Of pages that are gone only its index can tell."""
    folder = tmp_path / "data"
    shutil.copytree(killed, folder)
    service, log = service_of(folder, whole.content), folder / "desk.db-wal"
    data = bytearray(log.read_bytes())
    assert len(data) > 5 * 4096
    if how == "begin":
        data[20] ^= 1
    elif how == "early":
        data[32 + 24 + 100] ^= 1
    else:
        data = data[: 32 + 4120] if how == "truncated" else bytearray()
    log.write_bytes(data)
    if not with_index:
        (folder / "desk.db-shm").unlink()
    assert "does not hold all that was acknowledged" in refused(service)
    # The other way that is told works too
    for name in ("desk.db-wal", "desk.db-shm", "at-rest"):
        (folder / name).unlink(missing_ok=True)
    service.kb("keys", "list")


OTHER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("CREATE TABLE t (x)")
for number in range(50):
    connection.execute("INSERT INTO t VALUES (?)", (number,))
print("written", flush=True)
for _ in sys.stdin:
    connection.execute("PRAGMA wal_checkpoint(RESTART)")
    connection.execute("INSERT INTO t VALUES (0)")
    print("begun anew", flush=True)
"""


def test_a_log_that_others_begin_anew_while_it_is_looked_at_is_no_loss(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    command = [sys.executable, "-c", OTHER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "written\n"
        log = Log(path)
        other.stdin.write("\n")
        other.stdin.flush()
        assert other.stdout.readline() == "begun anew\n"
        assert log.lost() == ""
        other.stdin.close()


def words_piece(folder: Path) -> None:
    """One bit of the list of a word that is searched, where SQLite sees nothing."""
    with closing(sqlite3.connect(folder / "index.db", isolation_level=None)) as connection:
        for (piece,) in connection.execute(
            "SELECT p.id FROM terms t JOIN pieces p ON p.id BETWEEN t.number << 20 AND (t.number << 20) + 1048575"
            " WHERE t.term = 'password'"
        ).fetchall():
            (said,) = connection.execute("SELECT list FROM pieces WHERE id = ?", (piece,)).fetchone()
            changed = bytearray(said)
            changed[-1] ^= 1
            connection.execute("UPDATE pieces SET list = ? WHERE id = ?", (bytes(changed), piece))


def passage(folder: Path) -> None:
    """One bit of a text that is found, as it is shown in a list."""
    flip_text(folder, "SELECT rowid, text FROM passages WHERE text LIKE '%password%'", "passages SET text")


def article(folder: Path) -> None:
    """One bit of an article as it is read."""
    flip_text(folder, "SELECT rowid, object FROM objects WHERE object LIKE '%password%'", "objects SET object")


def flip_text(folder: Path, which: str, what: str) -> None:
    with closing(sqlite3.connect(folder / "index.db", isolation_level=None)) as connection:
        rows = connection.execute(which).fetchall()
        assert rows
        for key, said in rows:
            changed = said.replace("password", "qassword")
            connection.execute(f"UPDATE {what} = ? WHERE rowid = ?", (changed, key))


def tail_vector(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "incidents.db", isolation_level=None)) as connection:
        key, said = connection.execute("SELECT seq, vector FROM tail ORDER BY seq LIMIT 1").fetchone()
        changed = bytearray(said)
        changed[1] ^= 128
        connection.execute("UPDATE tail SET vector = ? WHERE seq = ?", (bytes(changed), key))


def page(folder: Path) -> None:
    """The middle of the file, a page of SQLite's own structure among them."""
    file = folder / "index.db"
    data = bytearray(file.read_bytes())
    for at in range(4096, len(data), 4096):
        data[at : at + 8] = b"\xff" * 8
    file.write_bytes(data)


@pytest.mark.parametrize("damage", [words_piece, page, passage, article])
def test_beneath_a_running_service_the_index_is_made_anew(whole: Whole, tmp_path: Path, damage: Any) -> None:
    folder = tmp_path / "data"
    shutil.copytree(whole.folder, folder)
    service = service_of(folder, whole.content)
    with service.running() as client:
        # Nothing is held of what is asked first now
        damage(folder)

        def answers() -> bool:
            found = [client.get("/api/search", params={"q": text, "limit": 20}) for text in ASKED]
            found += [client.get(f"/api/articles/{one['id']}") for one in whole.answers[0]]
            assert {one.status_code for one in found} <= {200, 503}, service.log.read_text()
            assert not any("qassword" in one.text for one in found)
            return all(one.status_code == 200 for one in found) and ready(client)

        eventually(answers, service.log.read_text())
        assert asked(client) == whole.answers
    assert "index.db is damaged" in service.log.read_text()
    assert "it is made anew" in service.log.read_text()


def test_beneath_a_running_service_it_is_made_anew_where_pages_alone_are_asked(whole: Whole, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(whole.folder, folder)
    service = service_of(folder, whole.content)
    with service.running() as client:
        passage(folder)
        assert "A database of the service is damaged" in client.get("/?q=password+reset").text
        eventually(lambda: "<mark>password</mark>" in client.get("/?q=password+reset").text.lower())
    assert "it is made anew" in service.log.read_text()


def test_a_flipped_bit_of_a_vector_is_noticed_by_the_next_start(killed: Path, whole: Whole, tmp_path: Path) -> None:
    """After a kill, so that nobody has noted what the file was."""
    folder = tmp_path / "data"
    shutil.copytree(killed, folder)
    tail_vector(folder)
    service = service_of(folder, whole.content)
    with service.running() as client:
        eventually(lambda: ready(client))
        assert recorded(client) == whole.records
    assert "a vector is not as it was written" in service.log.read_text()


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


def test_a_large_index_is_looked_through_by_who_writes_it_and_served_meanwhile(whole: Whole, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(whole.folder, folder)
    service, suspected = service_of(folder, whole.content), folder / "index.db.suspected"

    def kb(*command: str) -> str:
        large = "from indexer import at_rest; at_rest.MOST_READ_BYTES = 1000; from kb_service.cli import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", large, *command], env=service.environment, capture_output=True, text=True, check=True
        )
        return done.stdout + done.stderr

    kb("index")
    assert "as of" in (folder / "at-rest").read_text()
    kb("search", "password reset")
    assert not suspected.exists()
    (folder / "index.db").touch()
    assert "password" in kb("search", "password reset").casefold()
    assert suspected.exists()
    assert "made anew" not in kb("index")
    assert not suspected.exists()
    words_piece(folder)
    assert "made anew" in kb("index")
    assert json.loads(kb("search", "password reset", "--json"))["hits"]
