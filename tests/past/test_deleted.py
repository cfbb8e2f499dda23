"""Articles that are there no more."""

from tests.past.told import Told
from tests.written import article


def test_a_deleted_article(told: Told) -> None:
    last = told.get("/api/articles/network")["revision"]
    told.author.git("rm", "-q", "network.md")
    commit = told.push("delete", "2025-06-01")
    for name in ("network", "vpn"):
        gone = told.get(f"/api/articles/{name}", 410)
        assert (gone["id"], gone["revision"], gone["commit"], gone["status"]) == ("network", last, commit, 410)
        assert gone["deleted_at"].startswith("2025-06-01")
    assert "dingo" in told.get(gone["url"])["body"]
    assert told.get("/api/history/network")["revisions"][0]["change"] == "deleted"
    assert "deleted by then" in told.get("/api/articles/network?at=2025-06-02", 404)["detail"]
    assert "wombat" in told.get("/api/articles/network?at=2025-01-15")["body"]
    page = told.client.get("/a/network")
    assert page.status_code == 410
    assert "It has been deleted since" in told.client.get(f"/a/network?at={last}").text
    told.author.write("network.md", article("VPN", "Back again."))
    told.push("back", "2025-07-01")
    assert "Back again" in told.get("/api/articles/network")["body"]


def test_an_article_that_a_forced_push_took_out_of_history_is_gone_for_all(told: Told) -> None:
    told.author.write("fax.md", "---\ntitle: Fax\naudience: public\n---\nThere was one.")
    told.push("fax", "2025-05-01")
    told.author.git("reset", "-q", "--hard", told.first)
    told.push("forced", "2025-06-01", force=True)
    for sight in ("", "?audience=public"):
        told.get(f"/api/articles/fax{sight}", 410)
        assert told.client.get(f"/a/fax{sight}").status_code == 410
        assert told.get(f"/api/history/fax{sight}")["revisions"] == []


def test_the_title_of_a_deleted_draft_is_not_told_to_requesters(told: Told) -> None:
    told.author.write("plan.md", "---\ntitle: Plan\naudience: public\nworkflow_state: draft\n---\ntext")
    told.author.write("later.md", "---\ntitle: Later\naudience: public\nvalid_from: 2999-01-01\n---\ntext")
    told.push("not for them yet", "2025-05-01")
    told.author.git("rm", "-q", "plan.md", "later.md")
    told.push("never mind", "2025-06-01")
    for name in ("plan", "later"):
        told.get(f"/api/articles/{name}?audience=public", 404)
        assert told.client.get(f"/a/{name}?audience=public").status_code == 404
        told.get(f"/api/articles/{name}", 410)


def test_a_deleted_restricted_draft_is_told_to_nobody_else(told: Told) -> None:
    told.author.write("hr.md", "---\ntitle: HR\naudience: restricted\ngroups: [HR]\nworkflow_state: draft\n---\nx")
    told.push("draft", "2025-05-01")
    told.author.git("rm", "-q", "hr.md")
    told.push("gone", "2025-05-02")
    assert told.get("/api/articles/hr", 404)["detail"] == told.get("/api/articles/h2", 404)["detail"].replace(
        "h2", "hr"
    )
