"""Records by filter, by words, and those like another one."""

import json

from fastapi.testclient import TestClient

from kb_service import KnowledgeBase, Settings
from tests.client import client_of
from tests.conftest import Desk
from tests.incidents_api.asking import bulk, found, is_problem, put, until_found


def test_lists_by_each_filter(client: TestClient) -> None:
    put(client, "INC1", service="Web", assignment_group="A", opened_at="2026-03-01T08:00:00Z")
    put(client, "INC2", state="on hold", service="mail", opened_at="2026-03-03T08:00:00Z")
    put(client, "INC3", state="closed", service="web", opened_at="2026-03-02T08:00:00Z", close_notes="done")
    put(client, "PRB1", kind="problem", opened_at="2026-02-01T08:00:00Z")
    assert found(client) == ["INC2", "INC3", "INC1", "PRB1"]
    assert found(client, state="open") == ["INC2", "INC1", "PRB1"]
    assert found(client, state="closed", service="WEB") == ["INC3"]
    assert found(client, kind="problem") == ["PRB1"]
    assert found(client, group="a") == ["INC1"]
    assert found(client, limit=2, offset=1) == ["INC3", "INC1"]
    assert client.get("/api/incidents?limit=1").json()["total"] == 4
    assert client.get("/api/incidents?state=&kind=&service=&q=").json()["total"] == 4
    for wrong in ("state=x", "kind=x", "limit=0", "limit=201", "offset=-1"):
        is_problem(client.get(f"/api/incidents?{wrong}"), 422)
    brief = client.get("/api/incidents?state=closed").json()["incidents"][0]
    assert brief.keys() >= {"number", "open", "age_minutes", "minutes_to_resolve", "url", "close_notes"}
    assert "description" not in brief


def test_a_list_by_words_and_by_number(client: TestClient) -> None:
    put(client, "INC1", short_description="Printer on the third floor jams", service="print")
    put(client, "INC2", short_description="Printer smokes", state="closed")
    put(client, "INC3", short_description="ORA-12541 in payroll")
    until_found(client, "ORA-12541", "INC3")
    assert found(client, q="printer jams")[0] == "INC1"
    assert found(client, q="printer", state="open", service="print") == ["INC1"]
    assert found(client, q="printer", state="closed") == ["INC2"]
    assert found(client, q=" inc2 ")[0] == "INC2"


def test_what_is_put_changed_or_put_in_bulk_is_found_within_a_second(client: TestClient) -> None:
    def waited(turn: int) -> list[float]:
        put(client, f"INC{turn}", short_description=f"The zebra{turn} printer jams")
        waits = [until_found(client, f"zebra{turn}", f"INC{turn}")]
        client.patch(f"/api/incidents/INC{turn}", json={"close_notes": f"Replaced the fuser{turn}."})
        waits.append(until_found(client, f"fuser{turn}", f"INC{turn}"))
        many = ({"number": f"B{turn}{n}", "short_description": f"bulk{turn}x{n} toner"} for n in range(300))
        bulk(client, "\n".join(json.dumps(one) for one in many))
        return [*waits, until_found(client, f"bulk{turn}x299", f"B{turn}299")]

    # What else the machine does only ever adds: the best of three turns counts
    best = [min(waits) for waits in zip(*map(waited, range(3)), strict=True)]
    print(f"found after {', '.join(f'{one:.3f}' for one in best)} s")
    assert max(best) < 1


def test_related_ones_are_told_apart_and_never_itself_or_those_below(client: TestClient) -> None:
    text = "VPN drops every hour after the update"
    for number in ("INC1", "INC2", "INC3", "INC4", "INC5"):
        put(client, number, short_description=text, description=f"{text}. Since Monday.", service="network")
    client.patch("/api/incidents/INC3", json={"state": "resolved", "close_notes": "Lease renewed."})
    client.patch("/api/incidents/INC4", json={"parent_incident": "INC1"})
    client.patch("/api/incidents/INC5", json={"parent_incident": "INC4"})
    client.post("/api/incidents/INC3/articles", json={"article": "runbooks/vpn", "resolved_by": True})
    put(client, "PRB1", kind="problem", short_description=text)
    put(client, "LAST", short_description="last of all")
    until_found(client, "last of all", "LAST")
    body = client.get("/api/incidents/INC1/related").json()
    assert [one["number"] for one in body["open"]] == ["INC2"]
    (resolved,) = body["resolved"]
    assert (resolved["number"], resolved["close_notes"]) == ("INC3", "Lease renewed.")
    assert [one["article"] for one in resolved["articles"]] == ["runbooks/vpn"]
    assert any(reason["text"] == "same service: network" for reason in resolved["reasons"])
    like_a_text = client.get("/api/related", params={"q": text, "limit": 2}).json()
    assert (len(like_a_text["open"]), len(like_a_text["resolved"])) == (2, 1)
    for wrong in ("/api/related", "/api/related?q=x&limit=51", "/api/incidents/INC1/related?limit=0"):
        is_problem(client.get(wrong), 422)


def test_before_anything_is_indexed_there_is_nothing_related(desk: Desk) -> None:
    base = KnowledgeBase(Settings(content=desk.content, data=desk.data, encoder="hashing"))
    client = client_of(base)
    put(client, "INC1")
    assert client.get("/api/incidents/INC1/related").json() == {"open": [], "resolved": [], "demo": False}
    assert found(client, q="inc1") == ["INC1"]
