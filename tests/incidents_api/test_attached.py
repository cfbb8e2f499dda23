"""Articles that are attached to records, and records below others."""

import pytest
from fastapi.testclient import TestClient

from tests.conftest import Desk
from tests.incidents_api.asking import is_problem, put


def test_an_article_is_attached_with_its_revision_and_taken_back(client: TestClient, desk: Desk) -> None:
    put(client, "INC1")
    revision = client.get("/api/articles/runbooks/vpn").json()["revision"]
    attached = client.post("/api/incidents/inc1/articles", json={"article": "runbooks/vpn"})
    assert attached.status_code == 201
    body = attached.json()
    assert (body["number"], body["article"], body["title"]) == ("INC1", "runbooks/vpn", "VPN drops")
    assert (body["revision"], body["resolved_by"], body["changed_since"]) == (revision, False, False)
    client.post("/api/incidents/INC1/articles", json={"article": "runbooks/vpn", "resolved_by": True})
    (one,) = client.get("/api/incidents/INC1").json()["articles"]
    assert one["resolved_by"]
    desk.write("runbooks/vpn.md", "---\ntitle: VPN drops\naliases: [tunnel]\n---\n## Steps\n\nChanged since.\n")
    desk.update()
    (one,) = client.get("/api/incidents/INC1").json()["articles"]
    assert (one["revision"], one["changed_since"], one["published"]) == (revision, True, True)
    assert client.delete("/api/incidents/INC1/articles/runbooks/vpn").status_code == 204
    assert client.get("/api/incidents/INC1").json()["articles"] == []
    assert "not attached" in is_problem(client.delete("/api/incidents/INC1/articles/runbooks/vpn"), 404)["detail"]


def test_an_article_that_is_gone_stays_attached(client: TestClient, desk: Desk) -> None:
    put(client, "INC1")
    client.post("/api/incidents/INC1/articles", json={"article": "runbooks/vpn"})
    (desk.content / "runbooks" / "vpn.md").unlink()
    desk.write("faq/other.md", "# Other")
    desk.update()
    (one,) = client.get("/api/incidents/INC1").json()["articles"]
    assert (one["article"], one["published"], one["changed_since"]) == ("runbooks/vpn", False, None)
    assert client.get(one["url"]).status_code == 410


@pytest.mark.parametrize("body", [{}, {"article": ""}, {"article": "x" * 501}, {"article": "a", "resolved_by": "x"}])
def test_what_cannot_be_attached(shared: TestClient, number: str, body: dict[str, str]) -> None:
    put(shared, number)
    is_problem(shared.post(f"/api/incidents/{number}/articles", json=body), 422)
    is_problem(shared.post(f"/api/incidents/{number}/articles", json={"article": "no/such"}), 404)


def test_the_records_below_are_listed(client: TestClient) -> None:
    put(client, "INC1")
    put(client, "INC2", parent_incident="inc1")
    assert client.get("/api/incidents/INC1").json()["children"] == ["INC2"]
    body = is_problem(client.patch("/api/incidents/INC1", json={"parent_incident": "INC2"}), 422)
    assert body["errors"] == [{"where": ["body", "parent_incident"], "what": "makes a loop: INC1 -> INC2 -> inc1"}]
