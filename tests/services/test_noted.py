"""Every change is noted in the audit log, by whom and of what."""

from pathlib import Path

from kb_service.access import LOCAL
from kb_service.audit import Audit, Entry
from kb_service.knowledge_base import KnowledgeBase
from tests.authors import Service
from tests.conftest import eventually
from tests.services.sides import Side


def log(base: KnowledgeBase, number: str) -> list[Entry]:
    return Audit(base.desk).entries(subject=number)[::-1]


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
