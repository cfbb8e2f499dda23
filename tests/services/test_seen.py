"""What is read of a desk by who sees only some of its services."""

import re
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import pytest

from kb_service.knowledge_base import KnowledgeBase
from kb_service.settings import Settings
from tests.client import client_of
from tests.services.sides import ABOUT, ARTICLES, Side, lasting

NUMBERS = ("M1", "m2", "M3", "M4", "MOLD1", "U1", "N1", "NOLD1", "NMAJ", "NPRB", "X99")
READ: list[tuple[str, str, Any, dict[str, Any]]] = [
    *(("GET", f"/api/incidents/{number}", None, {}) for number in NUMBERS),
    *(("GET", f"/api/incidents/{number}/related", None, {"limit": 50}) for number in NUMBERS),
    *(("POST", "/api/triage", {"number": number}, {}) for number in NUMBERS),
    ("POST", "/api/triage", {"text": ABOUT, "service": "mail"}, {}),
    ("POST", "/api/triage", {"text": ABOUT, "service": "network"}, {}),
    ("POST", "/api/triage", {"text": f"{ABOUT} MQ", "impact": "high", "urgency": "high"}, {}),
    *(
        ("GET", "/api/incidents", None, params)
        for params in (
            {}, {"state": "open"}, {"service": "network"}, {"service": "mail"}, {"group": "Network team"},
            {"kind": "problem"}, {"limit": 1, "offset": 3}, {"q": ABOUT}, {"q": "N1"}, {"q": "NPRB"}, {"q": "X99"},
            {"q": "switch"}, {"q": "0x80070005"}, {"q": "switchbord"}, {"q": "swit"},
            {"q": ABOUT, "service": "network"}, {"q": ABOUT, "limit": 2, "offset": 1},
        )
    ),
    ("GET", "/api/related", None, {"q": ABOUT, "limit": 50}),
    ("GET", "/api/related", None, {"q": ABOUT, "service": "network", "ci": "relay"}),
    *(
        ("GET", "/api/search", None, params)
        for params in (
            {"q": ABOUT}, {"q": "relay switch"}, {"q": "switchbord"}, {"q": "0x80070005"}, {"q": "MQ"},
            {"q": ABOUT, "service": "network"}, {"q": "relay", "type": "glossary"}, {"q": "relay", "state": "any"},
            {"q": "relay", "shown": ["net", "both"]}, {"q": "relay", "limit": 1, "offset": 1},
            {"q": "relay", "audience": "public"},
        )
    ),
    *(("GET", "/api/complete", None, {"q": text}) for text in ("rel", "relay", "relay sw", "swit", "mq", "term")),
    ("GET", "/api/glossary", None, {}),
    ("GET", "/api/glossary/MQ", None, {}),
    *(
        ("GET", f"/api/{what}/{name}", None, {})
        for what in ("articles", "history", "diff") for name in (*ARTICLES, "x")
    ),
    ("GET", "/api/articles/net", None, {"at": "2030-01-01"}),
    *(("POST", "/api/suggest", {"short_description": text, "service": name}, {})
      for text in (ABOUT, "relay switch") for name in ("mail", "network")),
    ("GET", "/api/flags", None, {}),
    ("GET", "/api/flags", None, {"article": "both"}),
    ("GET", "/api/flags", None, {"article": "net"}),
    ("GET", "/api/deflection", None, {}),
    ("GET", "/", None, {"q": "relay switch"}),
    *(("GET", f"/a/{name}", None, {}) for name in (*ARTICLES, "x")),
    *(("GET", "/incidents", None, params) for params in ({}, {"q": ABOUT}, {"q": "N1"}, {"state": "open"})),
    *(("GET", f"/incidents/{number}", None, {}) for number in NUMBERS),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "params"), READ)
def test_what_is_of_other_services_changes_no_answer(
    whole: Side, less: Side, method: str, path: str, body: Any, params: dict[str, Any]
) -> None:
    assert whole.told(method, path, body, **params) == less.told(method, path, body, **params)


def test_the_other_desk_differs_for_who_sees_everything(whole: Side, less: Side) -> None:
    """Else the comparison would say nothing."""
    seen = [Side(one.base, one.client, one.base.keys.create("admin", by="test")[1]) for one in (whole, less)]
    for path in (
        "/api/incidents/M1", "/api/incidents/M1/related", "/api/incidents", "/api/triage", "/api/related", "/api/flags",
        "/api/search", "/api/complete", "/api/glossary", "/api/articles/net", "/api/suggest", "/", "/a/net",
        "/incidents", "/incidents/M1",
    ):  # fmt: skip
        asked = [(method, path, body, params) for method, other, body, params in READ if other == path]
        told = ([one.told(*of[:3], **of[3]) for one in seen] for of in asked)
        assert any(one != other for one, other in told), path


@pytest.mark.parametrize("number", ["N1", "NPRB", "NMAJ", "n1"])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/incidents/{}", None),
        ("PATCH", "/api/incidents/{}", {"description": "mine now"}),
        ("GET", "/api/incidents/{}/related", None),
        ("POST", "/api/incidents/{}/articles", {"article": "both"}),
        ("DELETE", "/api/incidents/{}/articles/both", None),
        ("POST", "/api/triage", {"number": "{}"}),
        ("POST", "/api/feedback", {"article": "both", "verdict": "helped", "number": "{}"}),
    ],
)
def test_a_record_of_another_service_answers_as_one_that_never_was(
    whole: Side, number: str, method: str, path: str, body: dict[str, str] | None
) -> None:
    def told(asked: str) -> Any:
        sent = {name: value.format(asked) for name, value in body.items()} if body else None
        status, answer, location = whole.told(method, path.format(asked), sent)
        return status, str(answer).replace(asked, "NUMBER"), location

    assert told(number) == told("X99")
    assert told(number)[0] == 404


def test_words_of_other_services_keep_none_of_ones_own_from_being_completed(tmp_path: Path) -> None:
    """However many begin the same."""
    many = " ".join(f"swit{first}{second}" for first in ascii_lowercase for second in ascii_lowercase)
    told = []
    for name in ("whole", "less"):
        content = tmp_path / name / "content"
        content.mkdir(parents=True)
        (content / "own.md").write_text("---\ntitle: Racks\nservices: [mail]\n---\nThe switchgear hums.\n", "utf-8")
        if name == "whole":
            (content / "net.md").write_text(f"---\ntitle: Net\nservices: [network]\n---\n{many}\n", "utf-8")
        base = KnowledgeBase(Settings(content=content, data=tmp_path / name / "data", encoder="hashing"))
        base.update()
        key = base.keys.create("agent", services=["mail"], by="test")[1]
        told.append(Side(base, client_of(base), key).told("GET", "/api/search", q="swit"))
    assert told[0] == told[1]
    assert told[1][1]["understood"]["changes"][0]["meant"] == "switchgear"


NARROWED: list[tuple[str, str, Any, dict[str, Any]]] = [
    (method, path, body, params)
    for method, path, body, params in READ
    if not path.startswith(("/api/incidents", "/incidents")) and "audience" not in params
]


@pytest.mark.parametrize("role", ["agent", "admin"])
def test_who_asks_for_what_is_public_gets_what_a_requester_gets(whole: Side, role: str) -> None:
    asking = Side(whole.base, whole.client, whole.base.keys.create(role, by="test")[1])  # type: ignore[arg-type]
    requester = Side(whole.base, whole.client, whole.base.keys.create("requester", by="test")[1])
    for method, path, body, params in NARROWED:
        told = asking.told(method, path, body, audience="public", **params)
        expected = requester.told(method, path, body, **params)
        assert told[0] == expected[0], path
        if told[0] != 403:
            assert _without_nav(told) == _without_nav(expected), path


def _without_nav(told: tuple[Any, ...]) -> Any:
    """The head of a page says who one is, and leads to what that one may use; each search has a number."""
    own = r'(?s)<nav aria-label="Pages">.*?</nav>| data-search="\d+"'
    return [re.sub(own, "", one) if isinstance(one, str) else one for one in told]


@pytest.mark.parametrize("role", ["requester", "agent", "author"])
def test_nobody_asks_for_more_than_one_may_see(whole: Side, role: str) -> None:
    asking = Side(whole.base, whole.client, whole.base.keys.create(role, by="test")[1])  # type: ignore[arg-type]
    for wider in {"requester": ["internal", "restricted"]}.get(role, ["restricted"]):
        for path in ("/api/search", "/api/articles/none", "/api/glossary", "/api/me", "/", "/a/none"):
            assert asking.ask("GET", path, audience=wider).status_code == 403


def test_records_are_not_for_who_asks_for_what_is_public(whole: Side) -> None:
    for method, path in (("GET", "/api/incidents"), ("GET", "/api/incidents/M1"), ("PATCH", "/api/incidents/M1"),
                         ("PUT", "/api/incidents/M1"), ("GET", "/api/flags"), ("GET", "/incidents/M1")):  # fmt: skip
        assert whole.ask(method, path, {}, audience="public").status_code == 403


def test_why_a_newer_text_was_refused_is_for_authors_and_not_for_who_asks_for_what_is_public(tmp_path: Path) -> None:
    file = tmp_path / "content" / "vpn.md"
    file.parent.mkdir()
    file.write_text("---\ntitle: VPN\naudience: public\n---\nRenew.\n", "utf-8")
    base = KnowledgeBase(Settings(content=file.parent, data=tmp_path / "data", encoder="hashing"))
    base.update()
    file.write_text("---\ntitle: VPN\naudience: nobody\n---\nRenew.\n", "utf-8")
    base.update()
    author = Side(base, client_of(base), base.keys.create("author", by="test")[1])
    assert len(author.ask("GET", "/api/articles/vpn").json()["refused"]) == 1
    assert author.ask("GET", "/api/articles/vpn", audience="public").json()["refused"] == []


def test_another_caller_s_search_is_as_one_that_never_was(desk: Side) -> None:
    other = Side(desk.base, desk.client, desk.base.keys.create("agent", by="test")[1])
    searched = desk.ask("GET", "/api/search", q="vpn").json()["search_id"]
    told = [
        (answer.status_code, answer.text.replace(str(number), "ID"))
        for number in (searched, 999)
        for answer in [other.ask("POST", "/api/clicks", {"search_id": number, "article": "vpn"})]
    ]
    assert told[0] == told[1]
    assert told[0][0] == 404
    assert desk.ask("POST", "/api/clicks", {"search_id": searched, "article": "vpn"}).status_code == 201
    assert desk.base.desk.connection.execute("SELECT count(*) FROM clicks").fetchone()[0] == 1


def test_another_caller_s_form_is_as_one_that_never_was(desk: Side) -> None:
    other = Side(desk.base, desk.client, desk.base.keys.create("agent", by="test")[1])
    form = desk.base.suggestion_sessions.keep(None, "my salary", ["vpn"], f"key:{desk.key.split('_')[1]}")
    body = {"short_description": "vpn lease renew"}
    told = []
    for asked in (form, "0" * 32):
        event = other.ask("POST", f"/api/suggest/{asked}/events", {"event": "opened", "article": "vpn"})
        suggested = other.ask("POST", "/api/suggest", {**body, "suggestion_id": asked}).json()
        assert suggested.pop("suggestion_id") not in {form, asked}
        told.append((event.status_code, event.text.replace(asked, "ID"), lasting(suggested)))
    assert told[0] == told[1]
    assert told[0][0] == 404
    row = desk.base.desk.connection.execute("SELECT text, articles FROM suggestions WHERE id = ?", (form,)).fetchone()
    assert tuple(row) == ("my salary", '["vpn"]')
    assert desk.base.desk.connection.execute("SELECT count(*) FROM suggestion_events").fetchone()[0] == 0
