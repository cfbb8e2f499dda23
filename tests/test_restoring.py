"""A backup put back: the records as they were then, but nobody who was shut out since gets in again."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from httpx2 import URL, Client

from kb_service.access import LOCAL, Caller
from kb_service.audit import Audit, AuditBrokenError, Entry, note
from kb_service.desk import Desk
from kb_service.desk_check import DeskError
from kb_service.incidents import Incidents
from kb_service.kept import forget, kept_about
from kb_service.keys import KeyRefusedError, Keys
from kb_service.page_sessions import PageSessions, Person
from kb_service.restoring import restore
from kb_service.searches import Searches
from tests.authors import Service
from tests.conftest import WAIT_SECONDS, eventually
from tests.forged import rewrite

ADMIN = LOCAL


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "data" / "desk.db")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "backup.db"


def put(desk: Desk, number: str) -> None:
    Incidents(desk).put({"number": number, "short_description": "x"})


def told(desk: Desk) -> list[str]:
    """The audit log, oldest first, as what was done to what."""
    return [f"{entry.action} {entry.subject}" for entry in _entries(desk)]


def _entries(desk: Desk) -> list[Entry]:
    return Audit(desk).entries()[::-1]


def test_a_key_that_was_revoked_since_stays_revoked(desk: Desk, file: Path) -> None:
    made, secret = Keys(desk).create("agent", by="test")
    desk.backup(file)
    Keys(desk).revoke(made.id, "test")
    restore(desk, file, ADMIN)
    with pytest.raises(KeyRefusedError, match="was revoked"):
        Keys(desk).verify(secret)


def test_a_key_that_was_revoked_then_and_is_not_known_here_stays_revoked(
    desk: Desk, file: Path, tmp_path: Path
) -> None:
    made, secret = Keys(desk).create("agent", by="test")
    Keys(desk).revoke(made.id, "test")
    desk.backup(file)
    new = Desk(tmp_path / "new" / "desk.db")
    restore(new, file, ADMIN)
    with pytest.raises(KeyRefusedError, match="was revoked"):
        Keys(new).verify(secret)


def test_a_key_that_was_made_since_stays_as_it_was_made(desk: Desk, file: Path) -> None:
    desk.backup(file)
    later = datetime.now(UTC) + timedelta(days=1)
    made, secret = Keys(desk).create("agent", services=["vpn"], groups=["net"], expires_at=later, by="test")
    restore(desk, file, ADMIN)
    assert Keys(desk).verify(secret) == made


def test_a_key_that_was_used_since_is_known_to_have_been(desk: Desk, file: Path) -> None:
    made, _ = Keys(desk).create("agent", by="test")
    desk.backup(file)
    Keys(desk).used(made)
    used = Keys(desk).existing(made.id).last_used_at
    restore(desk, file, ADMIN)
    assert Keys(desk).existing(made.id).last_used_at == used is not None


def test_a_key_of_a_backup_opens_a_desk_that_had_none(desk: Desk, file: Path, tmp_path: Path) -> None:
    _, secret = Keys(desk).create("agent", by="test")
    desk.backup(file)
    new = Desk(tmp_path / "new" / "desk.db")
    restore(new, file, ADMIN)
    assert Keys(new).verify(secret).role == "agent"


@pytest.mark.parametrize("signed_in_before", [True, False])
def test_whoever_was_signed_in_is_so_no_more(desk: Desk, file: Path, signed_in_before: bool) -> None:
    sessions = PageSessions(desk, 12, 12)
    made, _ = Keys(desk).create("agent", by="test")
    if not signed_in_before:
        desk.backup(file)
    both = [sessions.sign_in(key=made.id), sessions.sign_in(person=Person("oidc:ann", "Ann", "agent", ()))]
    if signed_in_before:
        desk.backup(file)
    restore(desk, file, ADMIN)
    opened = [sessions.open(sessions.seal(one)) for one in both]
    assert [(one.key, one.person) for one in opened if one] == [(None, None)] * 2


def test_the_audit_log_goes_on_from_where_it_was(desk: Desk, file: Path) -> None:
    put(desk, "INC1")
    desk.backup(file)
    put(desk, "INC2")
    before = _entries(desk)
    restore(desk, file, ADMIN)
    after = _entries(desk)
    assert after[:-1] == before
    assert Audit(desk).verify() == 3
    put(desk, "INC3")
    assert Audit(desk).verify() == 4


def test_who_restored_what_is_the_last_entry(desk: Desk, file: Path) -> None:
    desk.backup(file)
    restore(desk, file, Caller("key:ann", "Ann", ADMIN.role, ADMIN.sight))
    last = _entries(desk)[-1]
    assert (last.actor, last.action, last.subject) == ("key:ann", "record restored", "backup.db")


def test_of_a_new_desk_the_longer_log_of_the_backup_is_taken(desk: Desk, file: Path, tmp_path: Path) -> None:
    for number in range(5):
        put(desk, f"INC{number}")
    desk.backup(file)
    new = Desk(tmp_path / "new" / "desk.db")
    put(new, "NEW1")
    restore(new, file, ADMIN)
    assert told(new) == [*told(desk), "record created NEW1", "record restored backup.db"]
    assert Audit(new).verify() == 7


def test_where_two_logs_parted_both_are_told_once(desk: Desk, file: Path, tmp_path: Path) -> None:
    put(desk, "SHARED")
    desk.backup(file)
    other = Desk(tmp_path / "other" / "desk.db")
    restore(other, file, ADMIN)
    put(other, "THERE")
    other.backup(tmp_path / "other.db")
    put(desk, "HERE")
    restore(desk, tmp_path / "other.db", ADMIN)
    assert sorted(told(desk)) == sorted(
        ["record created SHARED", "record restored backup.db", "record created THERE", "record created HERE",
         "record restored other.db"]
    )  # fmt: skip
    assert Audit(desk).verify() == 5


def test_however_often_backups_are_put_back_nothing_is_told_twice(desk: Desk, file: Path, tmp_path: Path) -> None:
    """Also where an entry stands behind others than those it was written behind."""
    put(desk, "SHARED")
    desk.backup(file)
    other = Desk(tmp_path / "other" / "desk.db")
    restore(other, file, ADMIN)
    put(other, "THERE")
    other.backup(tmp_path / "there.db")
    put(desk, "HERE")
    desk.backup(tmp_path / "here.db")
    for name in ("there.db", "here.db", "backup.db", "there.db", "here.db"):
        restore(desk, tmp_path / name, ADMIN)
    made = sorted(one for one in told(desk) if one.startswith("record created"))
    assert made == ["record created HERE", "record created SHARED", "record created THERE"]
    assert Audit(desk).verify() == 3 + 1 + 5


def test_a_log_that_was_altered_in_the_backup_is_noticed(desk: Desk, file: Path) -> None:
    put(desk, "INC1")
    put(desk, "INC2")
    desk.backup(file)
    with closing(sqlite3.connect(file)) as connection, connection:
        rewrite(connection)
    restore(desk, file, ADMIN)
    with pytest.raises(AuditBrokenError):
        Audit(desk).verify()


def test_nobody_writes_between_what_is_carried_over_and_what_takes_its_place(desk: Desk, file: Path) -> None:
    """Else a key that is revoked at that moment would be good again."""
    desk.backup(file)
    refused: list[str] = []

    def carry_over(_now: sqlite3.Connection, _then: sqlite3.Connection) -> None:
        with closing(sqlite3.connect(desk.path, timeout=0)) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                refused.append(str(error))

    desk.restore(file, carry_over)
    assert refused == ["database is locked"]


def test_what_cannot_be_carried_over_leaves_the_record_as_it_is(desk: Desk, file: Path) -> None:
    desk.backup(file)
    put(desk, "INC1")
    line = desk.line

    def carry_over(_now: sqlite3.Connection, _then: sqlite3.Connection) -> None:
        raise sqlite3.DatabaseError("full")

    with pytest.raises(DeskError, match="full"):
        desk.restore(file, carry_over)
    assert (told(desk), desk.line) == (["record created INC1"], line)
    assert list(desk.path.parent.glob("*restor*")) == []
    put(desk, "INC2")
    assert Audit(desk).verify() == 2


def test_thousands_of_entries_and_keys_are_carried_over(desk: Desk, file: Path) -> None:
    """More than the pages that are copied first."""
    desk.backup(file)
    with desk.writing() as connection:
        for number in range(3_000):
            note(connection, "key:ann", "record changed", f"INC{number}", {"fields": ["state"] * 10})
    secrets = [Keys(desk).create("agent", by="test")[1] for _ in range(20)]
    restore(desk, file, ADMIN)
    assert Audit(desk).verify() == 3_021
    assert all(Keys(desk).verify(secret).is_live for secret in secrets)
    assert desk.connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_what_was_erased_since_stays_erased(desk: Desk, file: Path) -> None:
    incidents = Incidents(desk)
    for number in ("INC1", "INC2", "INC3"):
        put(desk, number)
    desk.backup(file)
    for number in ("inc1", "INC3"):
        incidents.erase(number)
    put(desk, "INC3")
    restored = restore(desk, file, ADMIN)
    assert restored.erased == ["INC1"]
    assert {one.number for one in incidents.every()} == {"INC2", "INC3"}
    assert incidents.was_erased("INC1")
    assert not desk.has_deleted
    assert told(desk)[-2:] == ["record erased INC1", "record restored backup.db"]
    # ... however often it is restored
    assert restore(desk, file, ADMIN).erased == ["INC1"]


def test_who_was_forgotten_since_stays_forgotten(desk: Desk, file: Path) -> None:
    for caller in ("oidc:ann", "oidc:ben"):
        Searches(desk).keep("search", "jane doe payroll", [], caller=caller)
    desk.backup(file)
    forget(desk, "oidc:ann", ADMIN)
    assert restore(desk, file, ADMIN).forgotten == ["oidc:ann"]
    assert [len(kept_about(desk, caller)["searches"]) for caller in ("oidc:ann", "oidc:ben")] == [0, 1]
    # ... but what was forgotten before the backup was made is none of its doing
    desk.backup(file.with_name("later.db"))
    assert restore(desk, file.with_name("later.db"), ADMIN).forgotten == []


def test_in_an_empty_folder_a_backup_is_as_it_was(desk: Desk, file: Path, tmp_path: Path) -> None:
    put(desk, "INC1")
    desk.backup(file)
    Incidents(desk).erase("INC1")
    other = Desk(tmp_path / "other" / "desk.db")
    assert restore(other, file, ADMIN).erased == []
    assert [one.number for one in Incidents(other).every()] == ["INC1"]


def test_the_command_does_the_same_beside_a_service_that_runs(desk: Desk, file: Path, tmp_path: Path) -> None:
    (tmp_path / "content").mkdir()
    service = Service(tmp_path / "data", KB_CONTENT=str(tmp_path / "content"))
    ended, given = Keys(desk).create("agent", by="test")
    _, kept = Keys(desk).create("agent", by="test")
    desk.backup(file)
    with service.running() as client:
        Keys(desk).revoke(ended.id, "test")
        put(desk, "INC1")
        service.kb("restore", str(file))
        answers = [client.get("/api/incidents/INC1", headers={"X-API-Key": key}).status_code for key in (given, kept)]
    assert answers == [401, 404]
    assert told(desk)[-3:] == [f"key revoked {ended.id}", "record created INC1", "record restored backup.db"]
    assert "5 entries" in service.kb("audit", "--verify")


def test_a_backup_taken_under_load_restores_to_a_consistent_whole(tmp_path: Path) -> None:
    """Clients write to a service all the while: what was acknowledged before it began is in it, and nothing is half."""
    (tmp_path / "content").mkdir()
    service, file, end = Service(tmp_path / "data", KB_CONTENT=str(tmp_path / "content")), tmp_path / "b.db", Event()
    acknowledged: list[list[str]] = [[], [], []]

    def write(address: URL, who: int) -> None:
        with Client(base_url=address, timeout=WAIT_SECONDS) as client:
            while not end.is_set():
                number = f"W{who}-{len(acknowledged[who]):05}"
                said = {"short_description": number, "description": f"{number} " * 200}
                client.put(f"/api/incidents/{number}", json=said).raise_for_status()
                acknowledged[who].append(number)

    with service.running() as client:
        writers = [Thread(target=write, args=(client.base_url, who)) for who in range(3)]
        for writer in writers:
            writer.start()
        eventually(lambda: all(len(own) > 10 for own in acknowledged))
        before = [len(own) for own in acknowledged]
        service.kb("backup", str(file))
        after = [len(own) for own in acknowledged]
        end.set()
        for writer in writers:
            writer.join()
    other = Service(tmp_path / "other" / "data", KB_CONTENT=str(tmp_path / "content"))
    (tmp_path / "other").mkdir()
    other.kb("restore", str(file))
    with other.running() as client:
        total = client.get("/api/incidents").json()["total"]
        for who, (least, most) in enumerate(zip(before, after, strict=True)):
            there = 0
            while (answer := client.get(f"/api/incidents/W{who}-{there:05}")).status_code == 200:
                number = answer.json()["number"]
                assert answer.json()["description"] == (f"{number} " * 200).strip()
                there += 1
            # Each client waits for its answer, so that at most one of its writes is in it unanswered
            assert least <= there <= most + 1
            total -= there
        assert total == 0
    assert "entries" in other.kb("audit", "--verify")
