"""What is erased is found no more, and leaves no trace."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from kb_service.incident_index import IncidentIndex, passages_of
from kb_service.incidents import Incidents
from tests import forked
from tests.incident_index.following import Counting, found, meant, put
from tests.traces import secrets, traces


def test_an_erased_record_is_found_no_more(incidents: Incidents, index: IncidentIndex) -> None:
    put(incidents, "INC1", "Printer jams")
    put(incidents, "INC2", "Printer smokes")
    index.catch_up()
    incidents.erase("INC1")
    index.catch_up()
    assert found(index, "printer") == ["INC2"]
    assert meant(index, "INC1", "INC2") == ["INC2"]
    put(incidents, "INC1", "Printer again")
    index.catch_up()
    assert set(found(index, "printer")) == {"INC1", "INC2"}


def test_an_erased_number_that_comes_back_in_another_case_brings_nothing_back(
    incidents: Incidents, index: IncidentIndex
) -> None:
    put(incidents, "INC1", "Printer jams")
    index.catch_up()
    incidents.erase("INC1")
    put(incidents, "inc1", "Scanner jams")
    index.catch_up()
    assert (found(index, "printer"), found(index, "jams")) == ([], ["inc1"])


@pytest.mark.parametrize("folded", [False, True])
def test_what_is_erased_leaves_no_trace_in_any_file(
    incidents: Incidents, index: IncidentIndex, encoder: Counting, data: Path, folded: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    if folded:
        monkeypatch.setattr("indexer.folding.FOLD_TAIL", 20)
    kept = secrets(1, 400)
    for start in range(0, 400, 100):
        rows = [
            {"number": f"INC{n * 7919 % 1000:04}", "short_description": kept[n], "description": f"{kept[n]} " * 20}
            for n in range(start, start + 100)
        ]
        incidents.put_many(list(enumerate(rows, 1)))
        index.catch_up()
    words = secrets(2, 12)
    versions: list[dict[str, Any]] = [
        {"short_description": words[0], "description": f"{words[1]} " * 150 + f"\n\n{words[2]}", "service": words[3]},
        {"short_description": words[4], "description": words[5], "u_floor": words[6]},
        {"short_description": f"{words[7]} ERR-{words[8]}", "description": words[9], "state": "closed",
         "close_notes": words[10], "workaround": words[11]},
    ]  # fmt: skip
    vectors: list[bytes] = []
    for version in versions:
        put(incidents, "GONE1", version.pop("short_description"), **version)
        index.catch_up()
        texts = [one.encoded_text for one in passages_of(incidents.existing("GONE1").incident, encoder)]
        vectors += [vector.tobytes() for vector in encoder.encode(texts).astype("float16")]
    assert found(index, words[9]) == ["GONE1"]
    assert {needle for _, needle in traces(data, [word.encode() for word in words[7:]])} == {
        word.encode() for word in words[7:]
    }
    assert traces(data, vectors)
    incidents.erase("GONE1")
    index.erase()
    assert traces(data, [word.encode() for word in words]) == []
    # A vector's last bytes may be zeros, and so may be a vector of others
    assert traces(data, vectors) == []
    assert [found(index, kept[n]) for n in (0, 137, 399)] == [["INC0000"], ["INC0903"], ["INC0681"]]
    assert meant(index, "INC0681", "GONE1") == ["INC0681"]
    assert index.index.counts()[1] == index.index.counts()[2]
    put(incidents, "INC0000", "still follows")
    index.catch_up()
    assert found(index, "follows") == ["INC0000"]


def test_erasing_keeps_what_others_say_too(incidents: Incidents, index: IncidentIndex, encoder: Counting) -> None:
    for number in ("INC1", "INC2"):
        put(incidents, number, "Printer jams", description="The same.")
    index.catch_up()
    encoder.encoded.clear()
    incidents.erase("INC1")
    index.erase()
    assert (found(index, "printer"), meant(index, "INC1", "INC2"), encoder.encoded) == (["INC2"], ["INC2"], [])


def test_erasing_everything_leaves_an_empty_index(incidents: Incidents, index: IncidentIndex, data: Path) -> None:
    put(incidents, "INC1", "Printer jams")
    index.catch_up()
    incidents.erase("INC1")
    index.erase()
    assert (found(index, "printer"), index.index.counts()) == ([], (0, 0, 0))
    assert not list(data.glob("*.npy"))


def erase(number: str, data: Path) -> subprocess.CompletedProcess[str]:
    done = forked.kb(["incidents", "erase", number, "--data", str(data)], {**os.environ, "KB_ENCODER": "hashing"})
    assert done.returncode == 0, done.stderr
    return done


def test_the_erasing_command_leaves_no_trace_beside_a_reader(
    incidents: Incidents, index: IncidentIndex, data: Path
) -> None:
    (word,) = secrets(3, 1)
    put(incidents, "INC1", word)
    put(incidents, "INC2", "Printer jams")
    index.catch_up()
    assert found(index, word) == ["INC1"]
    done = erase("inc1", data)
    assert done.stdout.startswith("INC1 is erased")
    assert traces(data, [word.encode()]) == []
    assert (found(index, word), found(index, "printer")) == ([], ["INC2"])


def test_an_erasing_that_was_stopped_half_way_is_brought_to_its_end_by_the_same_command(
    incidents: Incidents, index: IncidentIndex, data: Path
) -> None:
    (word,) = secrets(3, 1)
    put(incidents, "INC1", word)
    index.catch_up()
    incidents.erase("INC1")
    assert traces(data, [word.encode()]) != [], "the index has it still"
    erase("INC1", data)
    assert traces(data, [word.encode()]) == []
