"""Who may see one service's records and articles cannot tell what there is of others.

Two desks are asked the same: one with everything, and one that never had what is of the other service only.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from kb_service.access import LOCAL
from kb_service.audit import Audit, Entry
from kb_service.knowledge_base import KnowledgeBase
from kb_service.settings import Settings
from tests.authors import Service
from tests.client import client_of
from tests.conftest import eventually

NOW = datetime.now(UTC).replace(microsecond=0)
ABOUT = "mail queue stuck on the relay"
PASSING = frozenset(
    "took_ms at updated_at age_minutes generation search_id suggestion_id since created updated".split()
)
ARTICLES = {
    "both": ("Relay restart", ["mail", "network"], "Restart the relay when the mail queue is stuck."),
    "mail": ("Mail queue", ["Mail"], "Flush the queue of the relay. See [switches](net.md)."),
    "none": ("Whom to call", [], "On call: the desk lead. Mail or network."),
    "net": ("Relay switch", ["network"], "The relay sits behind the switchboard; mail queue stuck. 0x80070005"),
    "net/terms": ("Terms of the network", ["network"], "## MQ (mail queueing)\n\nHow the network stacks it."),
}
MINE, OTHERS = "mail", "network"


@dataclass(frozen=True)
class Side:
    """A desk, and a key of the service ``mail``."""

    base: KnowledgeBase
    client: TestClient
    key: str

    def ask(self, method: str, path: str, body: Any = None, **params: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.key}"}
        answer: httpx2.Response = self.client.request(
            method, path, json=body, params=params, headers=headers, follow_redirects=False
        )
        assert answer.status_code < 500, answer.text
        return answer

    def told(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        """The whole answer, but for dates and times."""
        answer = self.ask(method, path, body, **params)
        name = self.key.split("_")[1]
        if answer.text and "json" in answer.headers.get("content-type", ""):
            return answer.status_code, _lasting(answer.json()), answer.headers.get("etag")
        text = re.sub(r"\d+(\.\d+)? ms|\d{4}-\d{2}-\d{2}[ T][\d:.]+|\d+ min", "", answer.text)
        return answer.status_code, text.replace(name, "KEY"), answer.headers.get("location")


def _lasting(body: Any) -> Any:
    if isinstance(body, dict):
        return {name: _lasting(value) for name, value in body.items() if name not in PASSING}
    if isinstance(body, list):
        return [_lasting(one) for one in body]
    # What is newer counts for a little more, by the second
    return round(body, 5) if isinstance(body, float) else body


def _records() -> list[dict[str, Any]]:
    """Floods, problems and links across services; numbers that begin with N are of the other service only."""
    mine = [
        {"number": f"M{n}", "service": "Mail", "users_affected": 10, "assignment_group": "Mail team",
         "opened_at": NOW - timedelta(minutes=5 + n)}
        for n in range(1, 5)
    ]  # fmt: skip
    others = [
        {"number": f"N{n}", "service": "network", "users_affected": 90, "assignment_group": "Network team",
         "opened_at": NOW - timedelta(minutes=5 + n), "priority": "P1"}
        for n in range(1, 9)
    ]  # fmt: skip
    past = [
        {"number": f"{letter}OLD{n}", "service": service, "state": "resolved", "close_notes": f"{notes} {n}",
         "opened_at": NOW - timedelta(days=12 * n), "resolved_at": NOW - timedelta(days=12 * n - 1)}
        for letter, service, notes in (("M", "mail", "Queue flushed"), ("N", "network", "Switch replaced"))
        for n in range(1, 4)
    ]  # fmt: skip
    above = [
        {"number": "NMAJ", "service": "network", "kind": "major_incident", "opened_at": NOW - timedelta(minutes=9)},
        {"number": "NPRB", "service": "network", "kind": "problem", "known_error": True, "workaround": "Wait."},
        {"number": "U1", "opened_at": NOW - timedelta(days=40)},
    ]
    by_number: dict[str, dict[str, Any]] = {
        str(one["number"]): {"short_description": ABOUT, "description": f"{ABOUT}, seen by all", **one}
        for one in (*above, *mine, *others, *past)
    }
    # M1 has a child of the other service, and that one has M3 and is below M1's own parent; M2 has its problem
    by_number["N1"]["parent_incident"] = "M1"
    by_number["M3"]["parent_incident"] = "N1"
    by_number["M4"]["parent_incident"] = "NMAJ"
    by_number["N2"]["parent_incident"] = "NMAJ"
    by_number["M2"]["problem_id"] = "NPRB"
    by_number["NOLD1"]["problem_id"] = "NPRB"
    by_number["N3"]["description"] = "switchboard 0x80070005 ORA-01017"
    return list(by_number.values())


def side(folder: Path, *, whole: bool) -> Side:
    content = folder / "content"
    for name, (title, services, body) in ARTICLES.items():
        if whole or services != [OTHERS]:
            file = content / f"{name}.md"
            file.parent.mkdir(parents=True, exist_ok=True)
            kind = "glossary" if name.endswith("terms") else "runbook"
            lines = [f"title: {title}", f"services: [{', '.join(services)}]", f"type: {kind}", "tier: L2", "owner: Ann",
                     "related: [net, mail]", f"audience: {'public' if name == 'both' else 'internal'}"]  # fmt: skip
            file.write_text("---\n" + "\n".join(lines) + f"\n---\n## Steps\n\n{body}\n", "utf-8")
    base = KnowledgeBase(Settings(content=content, data=folder / "data", encoder="hashing"))
    base.update()
    for record in _records():
        number = str(record["number"])
        if not whole and number.startswith("N"):
            continue
        base.incidents.put(record)
        for article in ("both", "net") if number.startswith("N") else ("mail", "both"):
            knowledge = base.searcher.catalogue.get(article)
            assert knowledge
            if "OLD" in number or number in {"M1", "N1"}:
                base.attachments.add(number, knowledge.id, knowledge.revision, "resolved_by")
            for verdict in ("not_helped", "flag") if number.startswith("N") else ("helped", "flag"):
                base.feedback.add(knowledge.id, knowledge.revision, verdict, comment=number, number=number)
    base.incident_index.catch_up()
    _, key = base.keys.create("agent", services=[MINE], by="test")
    return Side(base, client_of(base), key)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Side:
    return side(tmp_path_factory.mktemp("whole"), whole=True)


@pytest.fixture(scope="module")
def less(tmp_path_factory: pytest.TempPathFactory) -> Side:
    return side(tmp_path_factory.mktemp("less"), whole=False)


@pytest.fixture
def own(tmp_path: Path) -> tuple[Side, Side]:
    """Two that a test may change."""
    return side(tmp_path / "whole", whole=True), side(tmp_path / "less", whole=False)


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


def test_a_key_of_no_service_is_not_made_where_services_were_meant(tmp_path: Path) -> None:
    """As by a script whose variable is not set: it would see everything."""
    service = Service(tmp_path / "data")
    with pytest.raises(AssertionError, match="--services"):
        service.kb("keys", "create", "--role", "agent", "--services", "")
    assert "no key" in service.kb("keys", "list")


# -- the audit log of changes


def log(base: KnowledgeBase, number: str) -> list[Entry]:
    return Audit(base.desk).entries(subject=number)[::-1]


@pytest.fixture
def desk(tmp_path: Path) -> Side:
    (tmp_path / "content").mkdir()
    (tmp_path / "content" / "vpn.md").write_text("---\ntitle: VPN\n---\nRenew the lease.\n", "utf-8")
    base = KnowledgeBase(Settings(content=tmp_path / "content", data=tmp_path / "data", encoder="hashing"))
    base.update()
    _, key = base.keys.create("agent", name="ann", by="test")
    return Side(base, client_of(base), key)


def test_every_change_of_a_record_is_noted_by_whom_and_which_fields_never_what_they_say(desk: Side) -> None:
    desk.ask("PUT", "/api/incidents/INC1", {"short_description": "secret-one", "u_floor": "secret-two"})
    desk.ask("PATCH", "/api/incidents/INC1", {"description": "secret-three", "u_floor": "secret-four"})
    desk.ask("PATCH", "/api/incidents/INC1", {"description": "secret-three"})
    desk.ask("POST", "/api/incidents", [{"number": "INC1", "short_description": "secret-five"}, {"number": "?"}])
    noted = [(one.actor, one.action, dict(one.detail)) for one in log(desk.base, "INC1")]
    ann = f"key:{desk.key.split('_')[1]}"
    assert noted == [
        (ann, "record created", {"version": 1}),
        (ann, "record changed", {"version": 2, "fields": ["description", "extra"]}),
        (ann, "record changed", {"version": 3, "fields": ["short_description", "description", "extra"]}),
    ]
    rows = [tuple(row) for row in desk.base.desk.connection.execute("SELECT * FROM audit")]
    assert "secret" not in str(rows)


def test_what_is_attached_and_detached_is_noted(desk: Side) -> None:
    desk.ask("PUT", "/api/incidents/INC1", {"short_description": "x"})
    desk.ask("POST", "/api/incidents/INC1/articles", {"article": "vpn"})
    desk.ask("POST", "/api/incidents/INC1/articles", {"article": "vpn", "resolved_by": True})
    desk.ask("DELETE", "/api/incidents/INC1/articles/vpn")
    noted = log(desk.base, "INC1")[1:]
    assert [one.action for one in noted] == ["article attached", "article resolved it", "article detached"]
    assert {one.actor for one in noted} == {f"key:{desk.key.split('_')[1]}"}
    assert {one.detail["article"] for one in noted} == {"vpn"}


def test_what_was_refused_is_not_noted(desk: Side) -> None:
    _, key = desk.base.keys.create("agent", services=["mail"], by="test")
    mail = Side(desk.base, desk.client, key)
    mail.ask("PUT", "/api/incidents/INC1", {"short_description": "x", "service": "network"})
    mail.ask("PUT", "/api/incidents/INC1", {"state": "no such"})
    assert log(desk.base, "INC1") == []


def test_an_import_from_the_shell_is_noted_as_this_machine_s(desk: Side, tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"
    file.write_text('{"number": "INC7", "short_description": "x", "articles": ["vpn"]}\n', "utf-8")
    Service(tmp_path / "data").kb("incidents", "import", str(file))
    assert [(one.actor, one.action) for one in log(desk.base, "INC7")] == [
        (LOCAL.id, "record created"), (LOCAL.id, "article attached"),
    ]  # fmt: skip
    Audit(desk.base.desk).verify()


def test_a_publish_is_noted_with_its_revision_and_why(desk: Side, tmp_path: Path) -> None:
    first = Audit(desk.base.desk).entries()[-1]
    assert (first.actor, first.action, first.detail["changed"]) == (LOCAL.id, "published", 1)
    (tmp_path / "content" / "mail.md").write_text("---\ntitle: Mail\n---\nFlush.\n", "utf-8")
    service = Service(tmp_path / "data", KB_CONTENT=str(tmp_path / "content"))
    with service.running() as client:
        asked = {"X-API-Key": desk.key}
        eventually(lambda: client.get("/api/articles/mail", headers=asked).status_code == 200, "it is published")
        eventually(lambda: len(_published(desk.base)) == 2, "it is noted")
    last = _published(desk.base)[0]
    assert (last.actor, last.detail["changed"], last.detail["generation"]) == ("service:start", 1, 2)


def _published(base: KnowledgeBase) -> list[Entry]:
    return [one for one in Audit(base.desk).entries() if one.action == "published"]


def test_a_look_that_changed_nothing_is_not_noted(desk: Side) -> None:
    desk.base.update()
    assert len(_published(desk.base)) == 1


def test_a_publish_that_was_stopped_before_it_was_noted_is_noted_by_the_next_look(desk: Side) -> None:
    with desk.base.desk.writing() as connection:
        connection.execute("UPDATE meta SET value = '0 ' WHERE name = 'published'")
    desk.base.update()
    assert len(_published(desk.base)) == 2


def test_what_loses_its_link_to_an_erased_record_is_noted_as_changed(desk: Side) -> None:
    for number, above in (("INC801", None), ("INC802", "INC801")):
        desk.base.incidents.put({"number": number, "short_description": "x", "parent_incident": above})
    desk.base.incidents.erase("INC801")
    last = [(one.action, one.subject) for one in Audit(desk.base.desk).entries(most=2)]
    assert last == [("record erased", "INC801"), ("record changed", "INC802")]


# -- asking for less, and what is one caller's own


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
    form = desk.base.sessions.keep(None, "my salary", ["vpn"], f"key:{desk.key.split('_')[1]}")
    body = {"short_description": "vpn lease renew"}
    told = []
    for asked in (form, "0" * 32):
        event = other.ask("POST", f"/api/suggest/{asked}/events", {"event": "opened", "article": "vpn"})
        suggested = other.ask("POST", "/api/suggest", {**body, "suggestion_id": asked}).json()
        assert suggested.pop("suggestion_id") not in {form, asked}
        told.append((event.status_code, event.text.replace(asked, "ID"), _lasting(suggested)))
    assert told[0] == told[1]
    assert told[0][0] == 404
    row = desk.base.desk.connection.execute("SELECT text, articles FROM suggestions WHERE id = ?", (form,)).fetchone()
    assert tuple(row) == ("my salary", '["vpn"]')
    assert desk.base.desk.connection.execute("SELECT count(*) FROM suggestion_events").fetchone()[0] == 0
