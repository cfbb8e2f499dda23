"""It follows every change of the record, whoever makes it and whatever stops it."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kb_service.desk import Desk
from kb_service.incident_index import Follower, IncidentIndex
from kb_service.incidents import Incidents
from tests.incident_index.following import Counting, Killed, found, meant, put, until


def test_a_record_is_found_by_all_that_it_says(incidents: Incidents, index: IncidentIndex) -> None:
    put(
        incidents,
        "INC1",
        "Printer jams",
        description="Tray sticks.",
        close_notes="Roller cleaned.",
        workaround="Fan it.",
    )
    put(incidents, "INC2", "Mail is slow")
    assert index.behind()
    assert found(index, "printer") == []
    assert index.catch_up()
    assert not index.behind()
    assert [found(index, word) for word in ("printer", "tray", "roller", "fan")] == [["INC1"]] * 4
    assert meant(index, "INC1", "INC2") == ["INC1", "INC2"]


def test_what_it_said_before_finds_it_no_more(incidents: Incidents, index: IncidentIndex) -> None:
    put(incidents, "INC1", "Printer jams")
    index.catch_up()
    put(incidents, "INC1", "Scanner jams")
    index.catch_up()
    assert (found(index, "printer"), found(index, "scanner"), found(index, "jams")) == ([], ["INC1"], ["INC1"])


def test_a_change_of_state_encodes_nothing(incidents: Incidents, index: IncidentIndex, encoder: Counting) -> None:
    put(incidents, "INC1", "Printer jams", description="Tray sticks.\n\nLight blinks.", service="print")
    index.catch_up()
    assert len(encoder.encoded) == 2
    incidents.change("INC1", {"state": "resolved", "priority": "P1"})
    index.catch_up()
    assert len(encoder.encoded) == 2
    assert found(index, "printer", open="no") == ["INC1"]
    assert found(index, "printer", open="yes") == []
    incidents.change("INC1", {"close_notes": "Roller cleaned."})
    index.catch_up()
    assert encoder.encoded[2:] == ["Printer jams\nRoller cleaned."]


def test_thousands_are_found_by_words_first_and_then_by_meaning(incidents: Incidents, index: IncidentIndex) -> None:
    rows = [{"number": f"INC{n}", "short_description": f"Printer{n} jams"} for n in range(1_200)]
    incidents.put_many(list(enumerate(rows, 1)))
    seen: list[tuple[list[str], int]] = []

    def watch(what: str, done: int, _of: int) -> None:
        if what == "encode" and not seen:
            seen.append((found(index, "printer1199"), done))

    assert index.catch_up(watch)
    assert seen[0][0] == ["INC1199"]
    assert index.index.counts() == (1_200, 1_200, 1_200)


def test_what_is_put_while_it_catches_up_is_taken_along(incidents: Incidents, index: IncidentIndex) -> None:
    rows = [{"number": f"INC{n}", "short_description": f"Printer{n} jams"} for n in range(400)]
    incidents.put_many(list(enumerate(rows, 1)))
    late: list[str] = []

    def watch(what: str, _done: int, _of: int) -> None:
        if what == "encode" and not late:
            late.append("LATE")
            put(incidents, "LATE", "scanner")

    index.catch_up(watch)
    assert found(index, "scanner") == ["LATE"]
    assert not index.behind()


def test_after_a_restore_it_begins_anew_and_encodes_nothing(
    incidents: Incidents, index: IncidentIndex, encoder: Counting, tmp_path: Path
) -> None:
    put(incidents, "INC1", "Printer jams")
    incidents.desk.backup(tmp_path / "backup.db")
    put(incidents, "INC1", "Scanner jams")
    put(incidents, "INC2", "Mail is slow")
    index.catch_up()
    put(incidents, "INC3", "Not found before the restore")
    encoder.encoded.clear()
    incidents.desk.restore(tmp_path / "backup.db")
    # As many changes as before: told by the line alone
    put(incidents, "INC4", "Disk is full")
    put(incidents, "INC5", "Disk is full")
    assert index.behind()
    index.catch_up()
    assert {text: found(index, text) for text in ("scanner", "mail", "before")} == {
        "scanner": [],
        "mail": [],
        "before": [],
    }
    assert (found(index, "jams"), set(found(index, "disk"))) == (["INC1"], {"INC4", "INC5"})
    assert encoder.encoded == ["Printer jams", "Disk is full"]
    assert not index.behind()


def test_another_encoder_makes_it_anew(incidents: Incidents, index: IncidentIndex) -> None:
    class Other(Counting):
        identity = "hashing-2"
        dimension = 128

    put(incidents, "INC1", "Printer jams")
    index.catch_up()
    encoder = Other()
    other = IncidentIndex(incidents, encoder)
    assert other.catch_up()
    assert encoder.encoded == ["Printer jams"]
    assert (found(other, "printer"), meant(other, "INC1")) == (["INC1"], ["INC1"])
    other.catch_up()
    assert len(encoder.encoded) == 1


def test_a_damaged_file_of_vectors_is_put_right(
    incidents: Incidents, index: IncidentIndex, encoder: Counting, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.folding.FOLD_TAIL", 3)
    for number in range(5):
        put(incidents, f"INC{number}", f"Printer{number}")
    index.catch_up()
    (base,) = data.glob("incidents-*.npy")
    base.write_bytes(b"damaged" + base.read_bytes()[7:])
    encoder.encoded.clear()
    again = IncidentIndex(Incidents(Desk(data / "desk.db")), encoder)
    again.catch_up()
    assert encoder.encoded == []
    assert meant(again, "INC0", "INC4") == ["INC0", "INC4"]


HOLD = """
import fcntl, sys
with open(sys.argv[1], "a") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_one_process_writes_and_the_others_do_not_wait(incidents: Incidents, index: IncidentIndex, data: Path) -> None:
    put(incidents, "INC1", "Printer jams")
    command = [sys.executable, "-c", HOLD, str(data / "incidents.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        assert not index.catch_up()
        assert found(index, "printer") == []
        other.communicate("go on\n", timeout=20)
    assert index.catch_up()
    assert found(index, "printer") == ["INC1"]


def test_two_instances_beside_each_other_index_everything_once(incidents: Incidents, encoder: Counting) -> None:
    indexes = [IncidentIndex(Incidents(Desk(incidents.desk.path)), encoder) for _ in range(2)]
    failures: list[BaseException] = []

    def follow(index: IncidentIndex) -> None:
        try:
            until(lambda: index.catch_up() and not index.behind() and incidents.count() == 60)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=follow, args=(index,)) for index in indexes]
    for thread in threads:
        thread.start()
    for number in range(60):
        put(incidents, f"INC{number}", f"Printer{number} jams")
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(encoder.encoded) == sorted(f"Printer{number} jams" for number in range(60))
    for index in indexes:
        assert index.index.counts() == (60, 60, 60)
        assert found(index, "printer59") == ["INC59"]


@pytest.mark.parametrize("at", ["before it began", "within a batch", "before the vectors", "between vectors"])
def test_killed_after_a_commit_of_the_desk_it_goes_on(
    incidents: Incidents, index: IncidentIndex, data: Path, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"number": f"INC{n}", "short_description": f"Printer{n} jams"} for n in range(300)]
    incidents.put_many(list(enumerate(rows, 1)))

    def kill(*_: object, **__: object) -> None:
        raise Killed

    def kill_later(what: str, done: int, _of: int) -> None:
        if what == "encode" and done > 100:
            raise Killed

    place = {
        "within a batch": "indexer.index.PassageIndex.set_meta",
        "before the vectors": "indexer.encoding.Encoding.encode_pending",
    }
    if at == "within a batch":
        index.catch_up()
        put(incidents, "INC7", "Scanner")
    if at in place:
        monkeypatch.setattr(place[at], kill)
    if at != "before it began":
        with pytest.raises(Killed):
            index.catch_up(kill_later)
    monkeypatch.undo()
    again = IncidentIndex(Incidents(Desk(data / "desk.db")), Counting())
    assert again.behind(), "so that whoever follows takes it up"
    assert again.catch_up()
    assert not again.behind()
    assert again.index.counts() == (300, 300, 300)
    assert found(again, "printer299") == ["INC299"]


def test_a_follower_takes_up_what_this_and_other_processes_write(incidents: Incidents, index: IncidentIndex) -> None:
    follower = Follower(index)
    incidents.on_change = follower.wake
    follower.start()
    try:
        put(incidents, "INC1", "Printer jams")
        assert until(lambda: found(index, "printer") == ["INC1"]) < 1
        put(Incidents(Desk(incidents.desk.path)), "INC2", "Scanner jams")
        assert until(lambda: found(index, "scanner") == ["INC2"]) < 1
    finally:
        follower.stop()
    assert follower.failure is None
