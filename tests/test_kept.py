"""What is kept about one caller can be had whole, by that one and by nobody else, and deleted."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from kb_service.access import LOCAL
from kb_service.audit import Audit
from kb_service.desk import Desk
from kb_service.incidents import Incidents
from kb_service.kept import forget, kept_about, records_naming
from kb_service.knowledge_base import KnowledgeBase
from kb_service.page_sessions import PageSessions, Person
from kb_service.settings import Settings
from tests.authors import Service
from tests.client import client_of
from tests.traces import secrets, traces

# What a column is called that says whose a row is
WHOSE = {"caller", "actor", "created_by", "key", "person"}
# What of a row is nobody's to have, or only counts it
NOT_TOLD = {"hash", "id", "caller", "crc"}
WORDS = secrets(7, 12)
SOUGHT = [word.encode() for word in WORDS]


@dataclass(frozen=True)
class Two:
    """A service, and the keys of two who use it: Ann did everything that can be done, each with words of her own."""

    base: KnowledgeBase
    client: TestClient
    keys: Mapping[str, str]

    @property
    def desk(self) -> Desk:
        return self.base.desk

    def headers(self, who: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[who]}"}

    def id(self, who: str) -> str:
        return f"key:{self.keys[who].split('_')[1]}"

    def post(self, who: str, path: str, **body: Any) -> Any:
        return self.client.post(path, json=body, headers=self.headers(who)).raise_for_status().json()

    def kept(self, who: str) -> dict[str, Any]:
        body: dict[str, Any] = self.client.get("/api/me/kept", headers=self.headers(who)).raise_for_status().json()
        return body

    def does_everything(self, who: str, words: list[str]) -> None:
        answer = self.client.get("/api/search", params={"q": f"vpn {words[0]}"}, headers=self.headers(who)).json()
        self.post(who, "/api/clicks", search_id=answer["search_id"], article="vpn")
        self.client.put(
            f"/api/incidents/{who}1", json={"short_description": "vpn drops"}, headers=self.headers(who)
        ).raise_for_status()
        self.post(who, "/api/triage", text=f"vpn drops {words[1]}")
        form = self.post(who, "/api/suggest", short_description=f"vpn {words[2]}", suggestion_id="x")["suggestion_id"]
        self.post(who, f"/api/suggest/{form}/events", event="opened", article="vpn", number=words[3])
        self.post(who, "/api/feedback", article="vpn", verdict="flag", comment=words[4], number=f"{who}1")
        self.post(who, "/api/feedback", article="vpn", verdict="helped", comment=words[5])
        self.post(who, f"/api/incidents/{who}1/articles", article="vpn")
        self.post(who, "/api/gaps", text=f"vpn {words[0]}")
        caller = self.base.keys.verify(self.keys[who]).caller
        run = self.base.runs.begin("vpn", "VPN drops", "1", ["look"], None, caller)
        self.base.runs.fill(run, {"host": words[1]})
        self.base.runs.begin("vpn", "VPN drops", "1", [], f"{who}1", caller)
        self.base.keys.create("requester", name=f"made by {who}", by=self.id(who))
        PageSessions(self.desk, 12, 12).sign_in(key=self.id(who).removeprefix("key:"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def two(tmp_path: Path, data: Path) -> Two:
    content = tmp_path / "content"
    content.mkdir()
    (content / "vpn.md").write_text("---\ntitle: VPN drops\n---\nRenew the lease.\n", "utf-8")
    base = KnowledgeBase(Settings(content=content, data=data, encoder="hashing"))
    base.update()
    keys = {name: base.keys.create("agent", name=name, by=LOCAL.id)[1] for name in ("ann", "ben")}
    two = Two(base, client_of(base), keys)
    two.does_everything("ann", WORDS[:6])
    two.does_everything("ben", WORDS[6:])
    return two


def rows_of(desk: Desk, caller: str) -> dict[str, list[dict[str, Any]]]:
    """Of every table that says whose its rows are, those that name a caller: found by the columns, not by our list."""
    found = {}
    names = [row[0] for row in desk.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in names:
        columns = {row["name"] for row in desk.connection.execute(f"PRAGMA table_info({table})")}
        if columns & WHOSE:
            own = [dict(row) for row in desk.connection.execute(f"SELECT * FROM {table}")]
            found[table] = [row for row in own if any(_names(row[name], caller) for name in columns & WHOSE)]
    return found


def _names(value: Any, caller: str) -> bool:
    if str(value).startswith("{"):
        return bool(json.loads(value)["id"] == caller)
    return value in {caller, caller.removeprefix("key:")}


def values_in(told: Any) -> Iterator[str]:
    if isinstance(told, Mapping):
        yield from (value for one in told.values() for value in values_in(one))
    elif isinstance(told, list):
        yield from (value for one in told for value in values_in(one))
    else:
        yield str(told)


def test_it_holds_every_value_of_every_row_that_is_the_caller_s(two: Two) -> None:
    told = set(values_in(kept_about(two.desk, two.id("ann"))))
    for table, rows in rows_of(two.desk, two.id("ann")).items():
        assert rows, f"nobody did here what {table} keeps: do it above"
        for row in rows:
            wanted = {name: json.loads(str(value)) if str(value)[:1] in {"[", "{"} else value
                      for name, value in row.items() if name not in NOT_TOLD}  # fmt: skip
            assert set(values_in(wanted)) <= told, f"{table}: {row}"


def test_it_holds_nothing_of_another_s(two: Two) -> None:
    told = json.dumps(kept_about(two.desk, two.id("ann")))
    assert [word for word in WORDS[:6] if word not in told] == []
    assert [word for word in (*WORDS[6:], two.id("ben"), "ben1") if word in told] == []


def test_who_asks_gets_the_same_of_itself(two: Two) -> None:
    told = two.kept("ann")
    expected = kept_about(two.desk, two.id("ann"))
    assert told["keys"][0].pop("last_used_at") == expected["keys"][0].pop("last_used_at")
    assert told == expected


def test_no_secret_is_in_it(two: Two) -> None:
    told = json.dumps(two.kept("ann"))
    held = two.desk.connection.execute("SELECT hash FROM keys").fetchall()
    sessions = two.desk.connection.execute("SELECT id FROM signed_in").fetchall()
    assert two.keys["ann"].split("_", 2)[2] not in told
    assert not any(row[0].hex() in told for row in held)
    assert not any(row[0] in told for row in sessions)


def test_who_was_named_by_a_provider_is_found_by_that_name(two: Two) -> None:
    sessions = PageSessions(two.desk, 12, 12)
    for name in ("ann", "ben"):
        sessions.sign_in(person=Person(f"oidc:{name}", name.title(), "agent", ("net",)))
    (told,) = kept_about(two.desk, "oidc:ann")["signed_in"]
    assert told["person"]["name"] == "Ann"


def test_what_was_done_to_a_caller_is_in_it(two: Two) -> None:
    two.base.keys.revoke(two.id("ann").removeprefix("key:"), "key:admin")
    changes = kept_about(two.desk, two.id("ann"))["changes"]
    assert (changes[0]["action"], changes[0]["actor"]) == ("key created", LOCAL.id)
    assert (changes[-1]["action"], changes[-1]["actor"]) == ("key revoked", "key:admin")


def test_of_one_who_never_came_nothing_is_kept(two: Two) -> None:
    told = kept_about(two.desk, "key:nobody")
    assert {name: value for name, value in told.items() if value} == {"caller": "key:nobody"}


@pytest.mark.parametrize("who", ["a page's visitor", "anybody"])
def test_one_of_many_does_not_get_what_the_others_did(tmp_path: Path, who: str) -> None:
    """A key that stands in a page is in the hands of all who open it."""
    (tmp_path / "content").mkdir()
    (tmp_path / "content" / "vpn.md").write_text("---\ntitle: VPN\naudience: public\n---\nRenew.\n", "utf-8")
    settings = Settings(content=tmp_path / "content", data=tmp_path / "data", encoder="hashing", anonymous=True)
    base = KnowledgeBase(settings)
    base.update()
    _, secret = base.keys.create("requester", origins=["https://portal.example.org"], by="test")
    origin = {"Origin": "https://portal.example.org", "X-API-Key": secret}
    client, headers = client_of(base), origin if who == "a page's visitor" else {}
    client.get("/api/search", params={"q": "my salary is wrong"}, headers=headers).raise_for_status()
    answer = client.get("/api/me/kept", headers=headers)
    assert answer.status_code == 403
    assert "salary" not in answer.text


SHAPES: list[dict[str, Any]] = [
    {"caller_id": "Ann Lee"},
    {"Opened by": "  ann   LEE "},
    {"reporter.displayName": "Ann Lee"},
    {"caller": {"name": "Ann Lee", "email": "ann@example.org"}},
    {"watch_list": ["Ben Roe", "Ann Lee"]},
    {"watch_list": "Ben Roe, Ann Lee"},
    {"watch_list": "ben@example.org; Ann Lee <ann@example.org>"},
    {"contacts": [{"person": {"name": "Ann Lee"}}]},
    {"fields": {"reporter": {"displayName": "Ann Lee", "active": True}}},
    {"history": [[{"changed_by": "Ann Lee"}]]},
    {"assigned_to": "Ann Lee (alee)"},
    {"requester": "\uff21\uff4e\uff4e Lee"},
]


@pytest.mark.parametrize("fields", SHAPES)
def test_a_record_that_names_a_person_is_found_whatever_shape_the_field_has(
    tmp_path: Path, fields: dict[str, Any]
) -> None:
    incidents = Incidents(Desk(tmp_path / "desk.db"))
    incidents.put({"number": "INC1", "short_description": "said", "description": "whole", **fields})
    incidents.put({"number": "INC2", "short_description": "other", "caller_id": "Ann Leeds", "assigned_to": "Lee"})
    (found,) = records_naming(incidents.desk, "Ann Lee")
    assert (found["number"], found["description"]) == ("INC1", "whole")
    assert {name: found[name] for name in fields} == fields


def test_a_person_may_be_a_number_or_an_address(tmp_path: Path) -> None:
    incidents = Incidents(Desk(tmp_path / "desk.db"))
    incidents.put({"number": "INC1", "short_description": "x", "requester_id": 1705, "closed_by": "Ann@Example.org"})
    for person in ("1705", "ann@example.org"):
        assert [one["number"] for one in records_naming(incidents.desk, person)] == ["INC1"]
    assert records_naming(incidents.desk, " ") == []


def test_a_word_in_another_field_names_nobody(tmp_path: Path) -> None:
    incidents = Incidents(Desk(tmp_path / "desk.db"))
    incidents.put({"number": "INC1", "short_description": "Ann", "u_site": "Ann", "caller_vip": "Ann"})
    assert records_naming(incidents.desk, "Ann") == []


def test_after_it_is_forgotten_no_row_names_the_caller_but_its_key_and_the_audit_log(two: Two) -> None:
    forget(two.desk, two.id("ann"), LOCAL)
    assert {table for table, rows in rows_of(two.desk, two.id("ann")).items() if rows} == {"keys", "audit"}
    assert all(rows_of(two.desk, two.id("ben")).values())


def test_after_it_is_forgotten_its_words_are_in_no_byte_and_those_of_others_are(two: Two, data: Path) -> None:
    assert {word for _, word in traces(data, SOUGHT)} == set(SOUGHT)
    forget(two.desk, two.id("ann"), LOCAL)
    assert {word for _, word in traces(data, SOUGHT)} == set(SOUGHT[6:])


def test_its_vote_and_the_articles_it_attached_stay(two: Two) -> None:
    forget(two.desk, two.id("ann"), LOCAL)
    assert two.base.feedback.votes(["vpn"]).helped == 2
    assert len(two.base.attachments.of_incidents(["ann1"])["ann1"]) == 1
    assert [fact.number for fact in two.base.feedback.flags()] == ["ben1"]


def test_what_it_ran_for_an_incident_stays_without_its_name(two: Two) -> None:
    forget(two.desk, two.id("ann"), LOCAL)
    assert [run.name for number in ("ann1", "ben1") for run in two.base.runs.of_incident(number)] == ["", "ben"]


def test_who_is_forgotten_is_signed_in_no_more(two: Two) -> None:
    sessions = PageSessions(two.desk, 12, 12)
    ann, ben = (sessions.sign_in(person=Person(f"oidc:{name}", name, "agent", ())) for name in ("ann", "ben"))
    forget(two.desk, "oidc:ann", LOCAL)
    opened = [sessions.open(sessions.seal(one)) for one in (ann, ben)]
    assert [one and one.person and one.person.id for one in opened] == [None, "oidc:ben"]


def test_forgetting_is_in_the_audit_log_by_counts(two: Two) -> None:
    forget(two.desk, two.id("ann"), LOCAL)
    (entry,) = (one for one in Audit(two.desk).entries() if one.action == "caller forgotten")
    assert (entry.actor, entry.subject) == (LOCAL.id, two.id("ann"))
    assert entry.detail == {"searches": 2, "clicks": 1, "suggestions": 1, "suggestion_events": 1, "feedback": 2,
                            "gaps": 1, "runs": 2, "attachments": 1, "signed_in": 1}  # fmt: skip
    Audit(two.desk).verify()


def test_both_commands(two: Two, data: Path) -> None:
    service = Service(data)
    two.base.incidents.put({"number": "INC9", "short_description": "x", "caller_id": "Zoe Zed"})
    told = json.loads(service.kb("callers", "export", two.id("ann"), "--person", "zoe zed"))
    assert [one["number"] for one in told.pop("records")] == ["INC9"]
    assert told == json.loads(json.dumps(kept_about(two.desk, two.id("ann"))))
    said = service.kb("callers", "erase", two.id("ann"))
    assert "2 searches" in said
    assert {word for _, word in traces(data, SOUGHT)} == set(SOUGHT[6:])
