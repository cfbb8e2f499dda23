"""An incident comes in: golden cases over our own content and the sample; nonsense; keys that programs rely on."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from indexer import Encoder
from kb_service import Searcher, demo
from kb_service.access import INTERNAL
from kb_service.bodies import triage_json
from kb_service.triage import Ticket, Triage
from tests import forked
from tests.conftest import Desk
from tests.relevance.test_golden import UNANSWERABLE
from tests.test_related import NOISE, PRINTER, Records, row

KEYS = {
    "outcome", "reason", "suggestions", "related_incidents", "major_incident_candidate", "problem_candidate",
    "escalation", "kind", "terms", "took_ms",
}  # fmt: skip


@pytest.fixture(scope="module")
def sample(encoder: Encoder, searcher: Searcher, tmp_path_factory: pytest.TempPathFactory) -> Records:
    """The sample's record, as of now."""
    records = Records(tmp_path_factory.mktemp("sample"), encoder)
    demo.load(records.desk, searcher.catalogue)
    assert records.index.catch_up()
    return records


def of_text(records: Records, searcher: Searcher, text: str, service: str | None = None) -> Triage:
    return records.triager(searcher).triage(Ticket(text, service), INTERNAL)


def suggested(triage: Triage) -> list[str]:
    return [hit.id for hit in triage.suggestions]


@pytest.mark.parametrize(
    ("number", "outcomes", "wanted"),
    [
        # Open ones of the sample, nobody has said yet what resolves them
        ("INC0010138", "likely known", "runbooks/dns-name-not-resolving"),
        ("INC0010137", "known likely", "runbooks/backup-failed"),
        ("INC0010140", "known", "known-errors/print-spooler-0x0000011b"),
        ("INC0010143", "likely known", "runbooks/mfa-device-lost"),
        ("INC0010144", "likely known", "runbooks/shared-drive-unavailable"),
        ("INC0010150", "known", "known-errors/vpn-error-809-after-router-change"),
        ("INC0020089", "likely known", "runbooks/vpn-wont-connect"),
        ("CS0004020", "likely known", "faq/connect-to-vpn-from-home"),
        ("INC0010134", "known", "runbooks/slow-laptop"),
        ("INC0010147", "known", "runbooks/disk-full-windows"),
        ("INC0020086", "known", "runbooks/printer-not-printing"),
        ("INC0010142", "likely known", "runbooks/wifi-drops"),
        ("INC0020085", "known", "runbooks/backup-failed"),
        ("INC0020084", "known", "runbooks/vpn-wont-connect"),
        ("INC0020093", "known", "runbooks/network-outage-triage"),
        ("INC0020114", "known", "runbooks/web-application-5xx"),
        # That says next to nothing by itself
        ("INC0020119", "new likely", "runbooks/web-application-5xx"),
        # Over, and resolved by something that we have nothing on
        ("INC0010062", "new likely known", None),
        ("CS0005005", "new", None),
    ],
)
def test_incidents_of_the_sample(
    sample: Records, searcher: Searcher, number: str, outcomes: str, wanted: str | None
) -> None:
    triage = sample.triage(searcher, number)
    assert triage.outcome in outcomes.split(), triage.reason
    assert wanted is None or wanted in suggested(triage)[:3]
    assert wanted is not None or all(hit.confidence != "strong" for hit in triage.suggestions)
    assert number not in {one.incident.number for one in (*triage.related.open, *triage.related.resolved)}


@pytest.mark.parametrize(
    ("text", "wanted", "group"),
    [
        ("user locked out after password change", "runbooks/account-lockout", "service-desk"),
        ("no space left on device", "runbooks/disk-full-linux", "platform-operations"),
        ("vpn error 809 since the new router", "known-errors/vpn-error-809-after-router-change", "network-operations"),
        ("I lost my phone with the authenticator", "runbooks/mfa-device-lost", "identity-and-access"),
        ("ORA-01017 in the night batch", "known-errors/oracle-ora-01017-after-password-rotation",
         "database-operations"),
        ("0x0000011b when adding the printer", "known-errors/print-spooler-0x0000011b", "workplace-services"),
        ("how do I get access to a folder", "faq/request-access-to-a-folder", "identity-and-access"),
        ("clicked a link in a phishing mail", "runbooks/suspected-phishing", "service-desk"),
        ("the nightly backup of FS02 failed with a VSS error", "runbooks/backup-failed", "platform-operations"),
        ("shop checkout 503", "runbooks/web-application-5xx", "application-support"),
    ],
)  # fmt: skip
def test_free_texts(sample: Records, searcher: Searcher, text: str, wanted: str, group: str) -> None:
    triage = of_text(sample, searcher, text)
    assert triage.outcome == "known"
    assert wanted in suggested(triage)[:2]
    assert triage.escalation.group
    assert triage.escalation.group.name == group


def test_the_sample_s_flood_is_proposed_by_each_of_its_reports(sample: Records, searcher: Searcher) -> None:
    flood = [f"INC00201{n:02}" for n in (2, 3, 4, 5, 6, 8, 9, 10, 12, 14, 15, 17, 18, 19)]
    for number in (*flood[:2], *flood[-2:]):
        major = sample.triage(searcher, number).major
        assert major
        assert {"count", "service_count"} <= {one.name for one in major.criteria}
        assert len({one.number for one in major.incidents}.intersection(flood)) >= 12
        assert major.service == "web"
        assert major.parent is None


@pytest.mark.parametrize(
    "text", ["printer", "test", "help", "please call me", "it does not work", "problem", "new laptop"]
)
def test_of_what_says_next_to_nothing_nothing_is_known(sample: Records, searcher: Searcher, text: str) -> None:
    triage = sample.triager(searcher).triage(Ticket(text), INTERNAL)
    assert triage.outcome != "known"
    assert triage.major is None


def test_what_explains_a_term_or_gives_a_text_to_send_answers_no_ticket(sample: Records, searcher: Searcher) -> None:
    triage = sample.triager(searcher).triage(Ticket("payroll portal is down, escalation to the vendor"), INTERNAL)
    assert not any(
        f"'{hit.title}'" in triage.reason for hit in triage.suggestions if hit.type in {"glossary", "template"}
    )


def test_one_that_is_alike_leads_nobody_to_its_major_incident(sample: Records, searcher: Searcher) -> None:
    triage = sample.triager(searcher).triage(Ticket("printers in the whole building are offline"), INTERNAL)
    assert triage.related.open[0].incident.parent_incident == "MI0000012"
    assert triage.major is None or triage.major.parent is None


def test_a_code_is_known_however_little_is_said(sample: Records, searcher: Searcher) -> None:
    assert sample.triager(searcher).triage(Ticket("0x80070005"), INTERNAL).outcome == "known"


@pytest.mark.parametrize("number", ["INC0020092", "INC0020095", "INC0020099", "INC0020101"])
def test_reports_of_an_open_major_incident_are_led_to_it(sample: Records, searcher: Searcher, number: str) -> None:
    triage = sample.triage(searcher, number)
    assert triage.major
    assert triage.major.parent
    linked = number != "INC0020101"
    assert (triage.major.parent.number, triage.major.linked, triage.outcome) == ("MI0000012", linked, "known")


@pytest.mark.parametrize(
    ("number", "problem"),
    [("INC0020084", "PRB0000101"), ("INC0020085", "PRB0000103"), ("INC0020086", None), ("INC0010117", None)],
)
def test_problems_of_the_sample(sample: Records, searcher: Searcher, number: str, problem: str | None) -> None:
    found = sample.triage(searcher, number).problem
    assert (found.problem.number if found and found.problem else None) == problem
    if number == "INC0020086":
        assert found
        assert "no problem record" in found.reason
    if number == "INC0010117":
        assert found is None


@pytest.mark.parametrize("text", UNANSWERABLE)
def test_what_nobody_knows_anything_of_is_new(sample: Records, searcher: Searcher, text: str) -> None:
    triage = of_text(sample, searcher, text)
    assert (triage.outcome, triage.major, triage.problem) == ("new", None, None)
    assert triage.reason == "no article and no resolved incident is likely the same"
    assert all(hit.confidence == "weak" for hit in triage.suggestions)


def test_the_keys_are_always_there(
    sample: Records, searcher: Searcher, desk: Desk, tmp_path: Path, encoder: Encoder
) -> None:
    desk.update()
    nothing = Searcher(desk.index, desk.encoder)
    empty = Records(tmp_path / "empty")
    bodies = [
        triage_json(sample.triage(searcher, "INC0020119"), searcher.catalogue, INTERNAL),
        triage_json(of_text(sample, searcher, "asdf qwer"), searcher.catalogue, INTERNAL),
        triage_json(of_text(empty, nothing, "asdf qwer"), nothing.catalogue, INTERNAL),
    ]
    assert encoder.identity != desk.encoder.identity
    assert [body.keys() for body in bodies] == [KEYS] * 3
    full, *_, none = bodies
    assert (none["outcome"], none["suggestions"], none["related_incidents"]) == ("new", [], [])
    assert (none["major_incident_candidate"], none["problem_candidate"], none["terms"]) == (None, None, [])
    assert none["escalation"].keys() == full["escalation"].keys()
    suggestion = full["suggestions"][0]
    assert {
        "id",
        "title",
        "url",
        "anchor",
        "snippet",
        "score",
        "confidence",
        "reasons",
        "resolved",
    } <= suggestion.keys()


@pytest.mark.parametrize("text", ["", " ", "23", "\x00", "a" * 100_000, "word " * 20_000, "'; DROP TABLE"])
def test_any_text_is_triaged_with_nothing_known_at_all(desk: Desk, tmp_path: Path, text: str) -> None:
    """No articles and no records; then ten records."""
    desk.update()
    searcher, records = Searcher(desk.index, desk.encoder), Records(tmp_path)
    assert of_text(records, searcher, text).outcome == "new"
    records.put(*NOISE, *(row(f"INC{n}", PRINTER) for n in range(4)))
    of_text(records, searcher, text)


def test_ten_records_are_enough(searcher: Searcher, tmp_path: Path, encoder: Encoder) -> None:
    records = Records(tmp_path, encoder)
    records.put(
        row("INC1", "Printer on the second floor prints strange characters", state="resolved",
            close_notes="Driver was the wrong one, reinstalled.", assignment_group="workplace-services"),
        row("INC2", "Printer of accounting prints pages of strange characters", service="printing"),
        *NOISE, row("INC3", "CAD drawing opens with missing fonts"), row("INC4", "wrong VAT rate on orders to Ireland"),
    )  # fmt: skip
    assert records.incidents.count() == 10
    triage = records.triage(searcher, "INC2")
    assert triage.related.resolved[0].incident.number == "INC1"
    assert triage.escalation.group
    assert triage.escalation.group.name == "workplace-services"
    assert triage.outcome == "known"


def test_a_resolved_one_without_notes_is_no_answer(desk: Desk, records: Records) -> None:
    desk.update()
    searcher = Searcher(desk.index, desk.encoder)
    records.put(row("INC1", PRINTER, state="closed"), *NOISE)
    assert of_text(records, searcher, PRINTER).outcome == "new"
    records.put(row("INC1", PRINTER, state="closed", close_notes="Driver reinstalled."))
    triage = of_text(records, searcher, PRINTER)
    assert (triage.outcome, triage.reason.startswith("INC1, resolved, is the same")) == ("known", True)


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Which SLA applies, and what is its MTTR?", ["SLA", "MTTR"]),
        ("The underpinning contract of the provider says nothing", ["Underpinning contract"]),
        ("Post-incident review of last night", ["PIR"]),
        ("please change the request, it is an incident and no problem for support", []),
        ("the desk is on, the case is off, the release is out", []),
        ("my car is at the gate, ask me any time", []),
        ("printer does not print", []),
    ],
)
def test_terms_are_explained_and_everyday_words_are_not(
    sample: Records, searcher: Searcher, text: str, terms: list[str]
) -> None:
    assert [term.term for term in of_text(sample, searcher, text).terms] == terms


# -- kb triage


def kb(desk: Desk, *arguments: str | bytes) -> "subprocess.CompletedProcess[str]":
    where = ["--content", str(desk.content), "--data", str(desk.data)]
    return forked.kb([*map(os.fsdecode, arguments), *where], {**os.environ, "KB_ENCODER": "hashing"})


def test_the_command_prints_it_for_people_and_for_programs(desk: Desk) -> None:
    desk.write("printer.md", f"---\ntitle: {PRINTER}\ntier: L1\n---\nReinstall the [driver].\n")
    desk.update()
    records = Records(desk.data)
    records.put(row("INC1", PRINTER + " [bold]", priority="P1"), row("INC2", PRINTER, state="closed"), *NOISE)
    # What a shell could not decode is no reason to fail
    for said, number in (("inc1", "INC1"), (PRINTER.encode() + b" \xff", None)):
        body: dict[str, Any] = json.loads(kb(desk, "triage", said, "--json").stdout)
        assert body.keys() == KEYS | {"number", "demo"}
        assert (body["number"], body["demo"]) == (number, False)
        assert body["suggestions"][0]["id"] == "printer"
    printed = kb(desk, "triage", "INC1").stdout
    assert "INC1 printer PRN-7 in the mail room prints strange characters [bold]" in printed
    assert "Major-incident candidate" in printed
    assert "INC2" in printed
