"""What is exported comes back the same, and does nothing in a spreadsheet."""

import csv
import io
import json
import string
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb_service.attachments import Attachments
from kb_service.desk import Desk
from kb_service.exports import write_csv, write_jsonl
from kb_service.imports import read_rows
from kb_service.incident import FIELDS
from kb_service.incidents import Incidents
from kb_service.vocabulary import STATES

Write = Callable[[TextIO, Incidents, Attachments], int]

text = st.one_of(
    st.text(max_size=30),
    st.builds(
        "".join, st.lists(st.sampled_from(["'", '"', "=", "+", "-", "@", "\t", "\r", "\n", ",", ";", "x"]), max_size=6)
    ),
)
name = st.none() | st.text(max_size=20)
times = st.datetimes(datetime(1990, 1, 1), datetime(2024, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds have none
unknown = st.dictionaries(
    st.text(string.ascii_lowercase, min_size=1, max_size=8).map("u_{}".format),
    st.none() | st.booleans() | st.integers(-9, 9) | st.text() | st.lists(st.text(max_size=3), max_size=3),
    max_size=3,
)
level = st.sampled_from([None, "high", "medium", "low"])
fields = st.fixed_dictionaries(
    {
        "number": st.from_regex(r"\A[A-Z0-9][A-Z0-9._-]{0,8}\Z"),
        "kind": st.sampled_from(["incident", "case", "problem", "major_incident"]),
        "short_description": text.map("x{}".format) | text.filter(lambda one: one.replace("\0", "").strip() != ""),
        "description": text,
        "service": name,
        "cmdb_ci": text,
        "category": name,
        "impact": level,
        "urgency": level,
        "priority": st.sampled_from([None, "P1", "P5"]),
        "state": st.sampled_from(STATES),
        "assignment_group": name,
        "opened_at": times,
        "resolved_at": st.none() | st.datetimes(datetime(2024, 1, 1), datetime(2025, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
        "close_code": name,
        "close_notes": text,
        "parent_incident": st.sampled_from([None, "above-1"]),
        "problem_id": st.sampled_from([None, "prb-1"]),
        "users_affected": st.none() | st.integers(0, 10**8),
        "known_error": st.booleans(),
        "workaround": text,
    }
)
many = st.lists(fields, max_size=4, unique_by=lambda one: one["number"])


def a_desk(folder: Path, rows: list[dict[str, Any]]) -> tuple[Incidents, Attachments]:
    desk = Desk(folder / "desk.db")
    incidents = Incidents(desk)
    refused = [one for one in incidents.put_many(list(enumerate(rows, 1))) if one.status == "refused"]
    assert not refused
    return incidents, Attachments(desk)


def exported(path: Path, write: Write, incidents: Incidents, attachments: Attachments) -> int:
    with path.open("w", encoding="utf-8", newline="") as file:
        return write(file, incidents, attachments)


def come_back(folder: Path, ending: str, write: Write, rows: list[dict[str, Any]]) -> None:
    incidents, attachments = a_desk(folder / "one", rows)
    path = folder / f"a{ending}"
    assert exported(path, write, incidents, attachments) == len(rows)
    read = read_rows(path)
    assert read.left_out == ()
    other = Incidents(Desk(folder / "other" / "desk.db"))
    assert {one.status for one in other.put_many(read.given)} <= {"created"}
    assert list(other.every()) == list(incidents.every())


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.builds(lambda one, more: {**more, **one}, fields, unknown), max_size=4, unique_by=lambda one: one["number"]
    )
)
def test_jsonl_comes_back_the_same(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]) -> None:
    come_back(tmp_path_factory.mktemp("jsonl"), ".jsonl", write_jsonl, rows)


@settings(max_examples=50, deadline=None)
@given(many)
def test_csv_comes_back_the_same(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]) -> None:
    come_back(tmp_path_factory.mktemp("csv"), ".csv", write_csv, rows)


@pytest.mark.parametrize(
    ("said", "cell"),
    [("=1+1", "'=1+1"), ("+1", "'+1"), ("-x", "'-x"), ("@x", "'@x"), ("'=x", "''=x"), ("''-x", "'''-x"), ("x=1", "x=1"),
     ("'quoted'", "'quoted'"), ("5 - 4", "5 - 4")],
)  # fmt: skip
def test_a_spreadsheet_runs_nothing(tmp_path: Path, said: str, cell: str) -> None:
    file = io.StringIO(newline="")
    assert (
        write_csv(file, *a_desk(tmp_path, [{"number": "A", "short_description": said, "cmdb_ci": said, "u_x": "=1"}]))
        == 1
    )
    header, row = csv.reader(io.StringIO(file.getvalue(), newline=""))
    assert tuple(header) == FIELDS
    values = dict(zip(header, row, strict=True))
    assert (values["short_description"], values["cmdb_ci"]) == (cell, cell)


@pytest.mark.parametrize("sign", ["\t", "\r"])
def test_a_sign_that_no_record_begins_with_is_defused_too(tmp_path: Path, sign: str) -> None:
    incidents, attachments = a_desk(tmp_path, [{"number": "A", "short_description": "x"}])
    # The desk strips it; a record written by hand or by another version may hold it
    incidents.desk.connection.execute("UPDATE incidents SET description = ?", (f"{sign}=1",))
    file = io.StringIO(newline="")
    write_csv(file, incidents, attachments)
    (values,) = csv.DictReader(io.StringIO(file.getvalue(), newline=""))
    assert values["description"] == f"'{sign}=1"


def test_jsonl_has_the_articles(tmp_path: Path) -> None:
    incidents, attachments = a_desk(tmp_path, [{"number": n, "short_description": "x"} for n in ("A", "B")])
    at = [attachments.add("A", f"faq/{n}", f"r{n}", "attached").at for n in (1, 2, 3)]
    resolved = attachments.add("A", "faq/2", "r9", "resolved_by").at
    attachments.add("A", "faq/3", "r3", "detached")
    file = io.StringIO()
    assert write_jsonl(file, incidents, attachments) == 2
    first, second = map(json.loads, file.getvalue().splitlines())
    articles = [
        {"article": "faq/1", "revision": "r1", "resolved_by": False, "at": at[0].isoformat()},
        {"article": "faq/2", "revision": "r9", "resolved_by": True, "at": resolved.isoformat()},
    ]
    assert (first["number"], first["articles"]) == ("A", articles)
    assert (second["number"], second["articles"]) == ("B", [])
    (tmp_path / "a.jsonl").write_text(file.getvalue(), "utf-8")
    ((_, given), _) = read_rows(tmp_path / "a.jsonl").given
    assert isinstance(given, Mapping)
    assert given["articles"] == articles


@pytest.mark.parametrize("write", [write_jsonl, write_csv])
def test_many_are_written_once_each_and_articles_asked_for_in_batches(tmp_path: Path, write: Write) -> None:
    incidents, attachments = a_desk(tmp_path, [{"number": f"A{n}", "short_description": "x"} for n in range(1201)])
    statements: list[str] = []
    incidents.desk.connection.set_trace_callback(statements.append)
    assert exported(tmp_path / "a.out", write, incidents, attachments) == 1201
    incidents.desk.connection.set_trace_callback(None)
    assert len([one for one in statements if "FROM attachments" in one]) == (3 if write is write_jsonl else 0)
    assert len((tmp_path / "a.out").read_text("utf-8").splitlines()) == 1201 + (write is write_csv)


@pytest.mark.parametrize(("write", "ending"), [(write_jsonl, ".jsonl"), (write_csv, ".csv")])
def test_a_record_that_is_changed_meanwhile_is_written_once(tmp_path: Path, write: Write, ending: str) -> None:
    incidents, attachments = a_desk(tmp_path, [{"number": f"A{n}", "short_description": "x"} for n in range(501)])

    class Changing(io.StringIO):
        """Changes a record that has been written already, as another process does."""

        changed = False

        def write(self, line: str, /) -> int:
            if "A7" in line and not self.changed:
                self.changed = True
                incidents.change("A7", {"state": "closed"})
            return super().write(line)

    file = Changing(newline="")
    assert write(file, incidents, attachments) == 501
    (tmp_path / f"a{ending}").write_text(file.getvalue(), "utf-8", newline="")
    numbers = [given["number"] for _, given in read_rows(tmp_path / f"a{ending}").given if isinstance(given, Mapping)]
    assert sorted(numbers) == sorted(f"A{n}" for n in range(501))


@pytest.mark.parametrize(("write", "lines"), [(write_jsonl, 0), (write_csv, 1)])
def test_an_empty_desk_is_exported(tmp_path: Path, write: Write, lines: int) -> None:
    file = io.StringIO(newline="")
    assert write(file, *a_desk(tmp_path, [])) == 0
    assert len(file.getvalue().splitlines()) == lines


def test_dates_are_in_utc_and_letters_as_they_are(tmp_path: Path) -> None:
    row = {"number": "A", "short_description": "Überall", "opened_at": "2024-03-01T10:00:00+02:00", "known_error": True}
    incidents, attachments = a_desk(tmp_path, [row])
    exported(tmp_path / "a.csv", write_csv, incidents, attachments)
    exported(tmp_path / "a.jsonl", write_jsonl, incidents, attachments)
    for name in ("a.csv", "a.jsonl"):
        written = (tmp_path / name).read_text("utf-8")
        assert "Überall" in written
        assert "2024-03-01T08:00:00Z" in written
