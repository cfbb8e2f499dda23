"""Who may not read an article as it was cannot tell that it was."""

import json

import pytest

from tests.past.told import Told


def test_only_who_may_read_it_both_then_and_now(told: Told) -> None:
    told.author.write("network.md", "---\ntitle: VPN\naudience: public\n---\nFor everybody.")
    told.push("public", "2025-05-01")
    public = "?audience=public"
    body = told.get(f"/api/history/network{public}")
    assert [(one["subject"], one["author"], one["email"]) for one in body["revisions"]] == [(None, None, None)]
    assert "no revision" in told.get(f"/api/articles/network{public}&at=2025-04-15", 404)["detail"]
    assert told.get(f"/api/diff/network{public}")["same"]
    told.get(f"/api/diff/network{public}&from=2025-01-01", 404)
    told.author.write("network.md", "---\ntitle: VPN\naudience: internal\n---\nFor us.")
    told.push("internal", "2025-06-01")
    for address in ("articles/network", "history/network", "diff/network", "articles/network?at=2025-05-15"):
        joined = f"{address}{'&' if '?' in address else '?'}audience=public"
        assert "no article" in told.get(f"/api/{joined}", 404)["detail"]
    told.author.git("rm", "-q", "network.md")
    told.push("delete", "2025-07-01")
    told.get(f"/api/articles/network{public}", 404)
    assert told.client.get(f"/a/network{public}").status_code == 404


def test_a_requester_cannot_tell_that_an_article_was_hidden_before(told: Told, once_hidden: dict[str, str]) -> None:
    (only,) = told.get("/api/history/plan?audience=public")["revisions"]
    assert (only["commit"], only["change"], only["path_before"], only["subject"]) == (
        once_hidden["public"], "added", None, None,
    )  # fmt: skip
    assert "secret" not in json.dumps(only)
    assert [one["change"] for one in told.get("/api/history/plan")["revisions"]] == ["renamed", "added"]


@pytest.mark.parametrize("when", ["{hidden}", "{short}", "{upper}", "2025-05-15", "2025-05-15T00:00:00Z", "{beside}"])
def test_what_is_hidden_is_refused_in_the_words_for_what_never_was(
    told: Told, once_hidden: dict[str, str], when: str
) -> None:
    hidden, beside = once_hidden["hidden"], once_hidden["beside"]
    asked = when.format(hidden=hidden, short=hidden[:6], upper=hidden[:6].upper(), beside=beside[:6])
    said = told.get(f"/api/articles/plan?audience=public&at={asked}", 404)["detail"]
    never = told.get("/api/articles/plan?audience=public&at=F00DFACE", 404)["detail"]
    assert said == never.replace("F00DFACE", asked)


def test_a_requester_names_no_commits_of_other_files(told: Told, once_hidden: dict[str, str]) -> None:
    told.author.write("beside.md", "---\ntitle: Beside\n---\nHidden again.")
    later = told.push("beside again", "2025-07-01")
    assert told.get(f"/api/articles/plan?at={later}")["live"]
    told.get(f"/api/articles/plan?audience=public&at={later}", 404)
    assert told.get(f"/api/articles/plan?audience=public&at={once_hidden['public'][:6]}")["live"]


def test_a_hidden_article_that_lay_there_before_is_not_told_of(told: Told) -> None:
    told.author.write("gap.md", "---\ntitle: Gap\naudience: internal\n---\nHidden.")
    told.push("hidden", "2025-05-01")
    told.author.git("rm", "-q", "gap.md")
    told.push("gone", "2025-05-02")
    told.author.write("gap.md", "---\ntitle: Gap\naudience: public\n---\nAnother text, for everybody.")
    told.push("again", "2025-06-01")
    assert "no revision" in told.get("/api/articles/gap?audience=public&at=2025-05-15", 404)["detail"]


def test_hidden_revisions_do_not_count_where_the_one_before_is_looked_for(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb_service.past._MOST_REFUSED", 2)
    for day, audience, text in ((1, "public", "one"), (2, "internal", "x"), (3, "internal", "y"), (4, "internal", "z"),
                                (5, "public", "two")):  # fmt: skip
        told.author.write("often.md", f"---\ntitle: Often\naudience: {audience}\n---\n{text}")
        told.push(f"day {day}", f"2025-05-0{day}")
    body = told.get("/api/diff/often?audience=public")
    assert ("-one" in body["diff"], "+two" in body["diff"]) == (True, True)


def test_a_hidden_article_that_takes_a_former_id_leaves_requesters_where_it_led_before(told: Told) -> None:
    told.author.write("a.md", "---\ntitle: A\naudience: public\n---\n" + "For everybody.\n" * 20)
    told.author.write("c.md", "---\ntitle: C\naudience: public\n---\n[A](a.md)")
    told.push("public", "2025-05-01")
    told.author.git("mv", "a.md", "b.md")
    told.push("renamed", "2025-05-02")
    told.author.write("a.md", "---\ntitle: Hidden\naudience: internal\n---\nAnother text, for us.")
    told.push("hidden", "2025-05-03")
    assert told.get("/api/articles/a?audience=public")["id"] == "b"
    assert told.get("/api/history/a?audience=public")["id"] == "b"
    assert 'href="/a/b"' in told.get("/api/articles/c?audience=public")["html"]
    assert told.get("/api/articles/a")["title"] == "Hidden"
