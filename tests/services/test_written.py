"""What is written to a desk by who sees only some of its services."""

from pathlib import Path
from typing import Any

import pytest

from kb_service.knowledge_base import KnowledgeBase
from kb_service.settings import Settings
from tests.authors import Service
from tests.client import client_of
from tests.services.sides import ABOUT, Side


def test_writing_to_its_number_is_refused_and_changes_nothing(own: tuple[Side, Side]) -> None:
    side, _ = own
    before = side.base.incidents.existing("N1")
    for fields in ({}, {"service": "mail"}, {"service": "network"}):
        answer = side.ask("PUT", "/api/incidents/n1", {"short_description": "mine", **fields})
        assert answer.status_code == 403
        assert ABOUT not in answer.text
    assert side.base.incidents.existing("N1") == before


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("number", ["M1", "U1"])
def test_a_record_is_not_moved_to_another_service(whole: Side, method: str, number: str) -> None:
    before = whole.base.incidents.existing(number)
    fields = {"short_description": ABOUT, "service": "network"}
    assert whole.ask(method, f"/api/incidents/{number}", fields).status_code == 403
    assert whole.base.incidents.existing(number) == before


def test_a_record_of_another_service_is_not_made(whole: Side) -> None:
    assert whole.ask("PUT", "/api/incidents/NEW1", {"short_description": "x", "service": "network"}).status_code == 403
    assert whole.base.incidents.get("NEW1") is None


def test_what_is_of_no_service_is_seen_and_may_be_taken(own: tuple[Side, Side]) -> None:
    side, _ = own
    assert side.ask("GET", "/api/incidents/U1").json()["service"] is None
    assert side.ask("PATCH", "/api/incidents/U1", {"service": "MAIL"}).json()["service"] == "MAIL"
    assert side.ask("GET", "/api/articles/none").status_code == 200


def test_of_many_those_of_other_services_are_refused(own: tuple[Side, Side]) -> None:
    side, _ = own
    lines = [
        {"number": "N1"}, {"number": "M1", "service": "network"}, {"number": "NEW1", "service": "network"},
        {"number": "NEW2", "service": "mail"}, {"number": "NEW3"},
    ]  # fmt: skip
    told = side.ask("POST", "/api/incidents", [{"short_description": "mine", **one} for one in lines]).json()["lines"]
    assert [one["status"] for one in told] == ["refused"] * 3 + ["created"] * 2
    assert side.base.incidents.existing("N1").incident.short_description == ABOUT
    assert side.base.incidents.existing("M1").incident.service == "Mail"


WRITTEN: list[tuple[str, str, Any]] = [
    *(
        ("PATCH", "/api/incidents/M1", {field: link})
        for field in ("parent_incident", "problem_id") for link in ("NPRB", "N1", "N2", "NMAJ", "X99", "M2", None)
    ),
    ("PUT", "/api/incidents/M9", {"short_description": ABOUT, "parent_incident": "NPRB"}),
    ("PATCH", "/api/incidents/M2", {"description": "again"}),
    ("POST", "/api/incidents", [
        {"number": number, "short_description": "x", field: link}
        for number, field, link in (("M9", "problem_id", "N1"), ("M8", "parent_incident", "N2"))
    ]),
    ("POST", "/api/incidents/M1/articles", {"article": "net"}),
    ("POST", "/api/incidents/M1/articles", {"article": "both"}),
    ("DELETE", "/api/incidents/M1/articles/net", None),
    ("DELETE", "/api/incidents/M1/articles/mail", None),
    ("POST", "/api/feedback", {"article": "net", "verdict": "helped"}),
    ("POST", "/api/feedback", {"article": "both", "verdict": "flag", "comment": "x", "number": "M1"}),
    ("POST", "/api/clicks", {"search_id": 1, "article": "net"}),
    ("POST", "/api/suggest/none/events", {"event": "opened", "article": "net"}),
]  # fmt: skip


def test_what_is_written_is_answered_as_if_the_rest_were_not_there(own: tuple[Side, Side]) -> None:
    whole, less = own
    for method, path, body in WRITTEN:
        assert whole.told(method, path, body) == less.told(method, path, body), f"{method} {path} {body}"
    for number in ("M1", "M2", "M8", "M9"):
        assert whole.told("GET", f"/api/incidents/{number}") == less.told("GET", f"/api/incidents/{number}")


def test_a_loop_over_what_one_does_not_see_harms_nobody(own: tuple[Side, Side]) -> None:
    side, _ = own
    assert side.ask("PATCH", "/api/incidents/M1", {"parent_incident": "N1"}).status_code == 200
    for services in (["network"], ["mail", "network"]):
        _, key = side.base.keys.create("agent", services=services, by="test")
        other = Side(side.base, side.client, key)
        assert other.ask("GET", "/api/incidents/N1/related").status_code == 200
        assert other.ask("POST", "/api/triage", {"number": "N1"}).status_code == 200
    _, key = side.base.keys.create("agent", services=["network"], by="test")
    assert Side(side.base, side.client, key).ask("PATCH", "/api/incidents/N1", {"description": "x"}).status_code == 200


def test_a_key_of_no_service_is_not_made_where_services_were_meant(tmp_path: Path) -> None:
    """As by a script whose variable is not set: it would see everything."""
    service = Service(tmp_path / "data")
    with pytest.raises(AssertionError, match="--services"):
        service.kb("keys", "create", "--role", "agent", "--services", "")
    assert "no key" in service.kb("keys", "list")


def test_what_is_written_while_asking_for_less_is_answered_with_less(tmp_path: Path) -> None:
    (tmp_path / "content").mkdir()
    text = "---\ntitle: Vault\naudience: restricted\ngroups: [net]\n---\nOpen it.\n"
    (tmp_path / "content" / "vault.md").write_text(text, "utf-8")
    base = KnowledgeBase(Settings(content=tmp_path / "content", data=tmp_path / "data", encoder="hashing"))
    base.update()
    side = Side(base, client_of(base), base.keys.create("agent", groups=["net"], by="test")[1])
    side.ask("PUT", "/api/incidents/INC1", {"short_description": "x"})
    side.ask("POST", "/api/incidents/INC1/articles", {"article": "vault"})
    for method in ("GET", "PUT", "PATCH"):
        fields = {"short_description": "x"}
        assert len(side.ask(method, "/api/incidents/INC1", fields).json()["articles"]) == 1
        assert side.ask(method, "/api/incidents/INC1", fields, audience="internal").json()["articles"] == []
