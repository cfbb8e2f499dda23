"""Incidents like one: which come back, which never do, why, and how they ended."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from indexer import Encoder
from indexer.encoder import HashingEncoder
from kb_service import Searcher
from kb_service.access import INTERNAL
from kb_service.attachments import Attachments
from kb_service.confidence import STRONG
from kb_service.desk import Desk as Record
from kb_service.feedback import Feedback
from kb_service.incident_index import IncidentIndex
from kb_service.incidents import Incidents
from kb_service.major import Criteria
from kb_service.recurrence import Recurrence
from kb_service.related import Like, Related, RelatedSearch
from kb_service.triage import Ticket, Triage, Triager
from tests.conftest import Desk

Row = dict[str, Any]


class Records:
    """A desk's record and what is found in it; with a searcher over articles it triages."""

    def __init__(self, folder: Path, encoder: Encoder | None = None) -> None:
        encoder = encoder or HashingEncoder()
        self.desk = Record(folder / "desk.db")
        self.incidents, self.attachments = Incidents(self.desk), Attachments(self.desk)
        self.feedback = Feedback(self.desk)
        self.index = IncidentIndex(self.incidents, encoder)
        self.related = RelatedSearch(self.incidents, self.attachments, self.index, STRONG)

    def put(self, *rows: Mapping[str, Any]) -> None:
        """Each is found when this returns."""
        reports = self.incidents.put_many(list(enumerate(rows, 1)))
        assert not [one.problem for one in reports if one.status == "refused"]
        assert self.index.catch_up()

    def like(self, number: str) -> Like:
        return Like.incident(self.incidents.existing(number).incident, self.incidents)

    def triager(
        self, searcher: Searcher, criteria: Criteria | None = None, recurrence: Recurrence | None = None
    ) -> Triager:
        return Triager(
            searcher, self.related, self.incidents, self.attachments, self.feedback,
            criteria or Criteria(), recurrence or Recurrence(), STRONG,
        )  # fmt: skip

    def triage(
        self, searcher: Searcher, number: str, criteria: Criteria | None = None, recurrence: Recurrence | None = None
    ) -> Triage:
        own = self.incidents.existing(number).incident
        return self.triager(searcher, criteria, recurrence).triage(Ticket.of(own), INTERNAL)


def ago(*, minutes: float = 0, days: float = 0) -> str:
    return (datetime.now(UTC) - timedelta(minutes=minutes, days=days)).isoformat()


def row(number: str, short_description: str, **fields: Any) -> Row:
    """A record of an hour ago, unless told otherwise."""
    return {"number": number, "short_description": short_description, "opened_at": ago(minutes=60), **fields}


def numbers(found: Iterable[Related]) -> list[str]:
    return [one.incident.number for one in found]


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path)


@pytest.fixture
def real(tmp_path: Path, encoder: Encoder) -> Records:
    return Records(tmp_path, encoder)


PRINTER = "printer PRN-7 in the mail room prints strange characters"
NOISE = [
    row("INC900", "badge reader at the gate does not open"),
    row("INC901", "coffee machine wants an address"),
    row("INC902", "calendar shows meetings an hour early"),
    row("INC903", "forklift terminal has a cracked screen"),
    row("INC904", "payslip of march is empty"),
    row("INC905", "headset crackles on the left ear"),
]


def test_neither_itself_nor_what_is_below_it_comes_back(records: Records) -> None:
    records.put(
        row("MI1", PRINTER, kind="major_incident"),
        row("INC1", PRINTER, parent_incident="MI1"),
        row("INC2", PRINTER, parent_incident="INC1"),
        row("INC3", PRINTER),
        *NOISE,
    )
    assert numbers(records.related.find(records.like("MI1")).open) == ["INC3"]
    assert set(numbers(records.related.find(records.like("INC2")).open)) == {"MI1", "INC1", "INC3"}


def test_open_ones_come_apart_from_those_that_are_over(records: Records) -> None:
    over = {"resolved", "closed", "canceled"}
    states = ("new", "in_progress", "on_hold", *sorted(over))
    records.put(*(row(f"INC{place}", PRINTER, state=state) for place, state in enumerate(states)), *NOISE)
    found = records.related.find(Like(PRINTER))
    assert {one.incident.state for one in found.open} == {"new", "in_progress", "on_hold"}
    assert {one.incident.state for one in found.resolved} == over


def test_problems_are_found_by_themselves_and_only_open_ones(records: Records) -> None:
    records.put(
        row("PRB1", PRINTER, kind="problem"), row("PRB2", PRINTER, kind="problem", state="closed"),
        row("INC1", PRINTER), *NOISE,
    )  # fmt: skip
    assert numbers(records.related.problems(Like(PRINTER))) == ["PRB1"]
    assert numbers(records.related.find(Like(PRINTER)).open) == ["INC1"]


def test_an_exact_error_code_goes_first(real: Records) -> None:
    real.put(
        row("INC1", "Database of the warehouse refuses the logon", description="The user name or password is wrong."),
        row("INC2", "Night batch stopped", description="The log of the scheduler ends with ORA-28000."),
        *NOISE,
    )
    first, *_ = real.related.find(Like("database refuses the logon of the batch user, ORA-28000")).open
    assert (first.incident.number, first.reasons[0].text) == ("INC2", "exact: ora-28000")
    assert first.confidence == "strong"


def test_the_same_service_and_item_go_first_and_are_named(records: Records) -> None:
    records.put(
        row("INC1", PRINTER, service="workplace", cmdb_ci="PC-1"),
        row("INC2", PRINTER, service="Printing", cmdb_ci="prn-7"),
        *NOISE,
    )
    first, second = records.related.find(Like(PRINTER, service="printing", cmdb_ci="PRN-7")).open
    assert (first.incident.number, second.incident.number) == ("INC2", "INC1")
    assert {"same service: Printing", "same item: prn-7"} <= {reason.text for reason in first.reasons}
    assert "record" not in {reason.lane for reason in second.reasons}
    assert first.probability > second.probability


def test_of_two_as_much_alike_the_later_goes_first(records: Records) -> None:
    records.put(row("INC1", PRINTER, opened_at=ago(days=200)), row("INC2", PRINTER, opened_at=ago(days=1)), *NOISE)
    first, second = records.related.find(Like(PRINTER)).open
    assert (first.incident.number, first.probability) == ("INC2", second.probability)


def test_it_says_how_it_was_resolved_how_long_that_took_and_with_which_articles(records: Records) -> None:
    notes = "Driver reinstalled, test page is fine."
    records.put(
        row("INC1", PRINTER, state="closed", close_notes=notes, opened_at=ago(days=3, minutes=95),
            resolved_at=ago(days=3)),
        row("INC2", PRINTER, state="closed", close_notes=""),
        *NOISE,
    )  # fmt: skip
    records.attachments.add("INC1", "runbooks/printer", "r1", "resolved_by")
    found = {one.incident.number: one for one in records.related.find(Like(PRINTER)).resolved}
    assert (found["INC1"].incident.close_notes, found["INC1"].incident.minutes_to_resolve) == (notes, 95)
    assert [(one.article, one.relation) for one in found["INC1"].articles] == [("runbooks/printer", "resolved_by")]
    assert (found["INC2"].incident.minutes_to_resolve, found["INC2"].articles) == (None, ())


@pytest.mark.parametrize("many", [1, 2, 10])
def test_few_records_are_enough(records: Records, many: int) -> None:
    records.put(*(row(f"INC{place}", PRINTER) for place in range(many)))
    assert len(records.related.find(Like(PRINTER)).open) == many
    assert len(records.related.find(records.like("INC0")).open) == many - 1


@pytest.mark.parametrize("text", ["", "  \n", "23", "4711 0815 12345", "?!", "a" * 100_000, "word " * 20_000])
def test_any_text_may_be_asked(records: Records, text: str) -> None:
    assert records.related.find(Like(text)) == records.related.find(Like(text))
    records.put(row("INC1", PRINTER), row("INC2", "23", description="4711 " * 20_000), *NOISE)
    found = records.related.find(Like(text))
    assert {one.confidence for one in found.open if one.incident.number != "INC2"} <= {"weak"}
    assert found.resolved == ()


def test_what_is_not_alike_does_not_come_back(real: Records) -> None:
    real.put(*NOISE)
    assert numbers(real.related.find(Like("the database server has no disk space left")).open) == []


def test_an_article_lists_what_it_resolved_latest_first_and_open_ones_like_it(desk: Desk, records: Records) -> None:
    desk.write("printer.md", f"---\ntitle: {PRINTER}\nservices: [printing]\n---\nReinstall the driver.\n")
    desk.update()
    searcher = Searcher(desk.index, desk.encoder)
    knowledge = searcher.article("printer", INTERNAL)
    assert knowledge
    records.put(*(row(f"INC{n}", "it is broken", state="closed") for n in range(3)), row("INC9", PRINTER), *NOISE)
    records.attachments.add("INC0", "printer", "r", "resolved_by")
    records.attachments.add("INC2", "printer", "r", "resolved_by")
    records.attachments.add("INC1", "printer", "r", "attached")
    links = records.related.of_article(knowledge, searcher.catalogue)
    assert [one.number for one in links.resolved] == ["INC2", "INC0"]
    assert [one.number for one in links.open] == ["INC9"]
