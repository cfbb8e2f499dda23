"""The revisions of an article: which there are, as they were, and what differs."""

import re
import time

import pytest

from indexer.git import Blobs, Repository
from kb_service import Settings
from tests.past.told import Told
from tests.written import article


def test_revisions_over_a_rename(told: Told) -> None:
    body = told.get("/api/history/network")
    assert [(one["subject"], one["at"][:10], one["change"], one["path"]) for one in body["revisions"]] == [
        ("third words", "2025-04-01", "changed", "network.md"),
        ("another name", "2025-03-01", "renamed", "network.md"),
        ("second words", "2025-02-01", "changed", "vpn.md"),
        ("first words", "2025-01-01", "added", "vpn.md"),
    ]
    assert body["revisions"][1]["path_before"] == "vpn.md"
    assert (body["id"], body["total"], body["complete"]) == ("network", 4, True)
    assert body["revision"] == body["revisions"][0]["revision"]
    assert (body["revisions"][0]["author"], body["revisions"][0]["email"]) == ("author", "author@example.com")
    assert told.get("/api/history/vpn")["id"] == "network", "by a name it once had"
    assert [one["subject"] for one in told.get("/api/history/network?limit=1&offset=2")["revisions"]] == [
        "second words"
    ]


@pytest.mark.parametrize(
    ("at", "word"),
    [
        ("2025-01-01", "wombat"),
        ("2025-01-31", "wombat"),
        ("2025-02-01", "numbat"),
        ("2025-02-01T11:00:00Z", "wombat"),
        ("2025-02-01T13:00:00+02:00", "wombat"),
        ("2025-02-01T13:00:00", "numbat"),
        ("2025-03-15", "numbat"),
        ("2099-01-01", "dingo"),
    ],
)
def test_as_it_was_at_a_date(told: Told, at: str, word: str) -> None:
    body = told.get(f"/api/articles/network?at={at}")
    assert word in body["body"]
    assert word in body["html"]
    assert (body["id"], body["live"], body["changed_since"]) == ("network", word == "dingo", word != "dingo")


def test_as_it_was_by_commit_and_by_revision(told: Told) -> None:
    revisions = told.get("/api/history/network")["revisions"]
    for one, word in zip(revisions, ("dingo", "numbat", "numbat", "wombat"), strict=True):
        for name in (one["commit"], one["commit"][:10], one["revision"], one["revision"][:12].upper()):
            assert word in told.get(f"/api/articles/network?at={name}")["body"], (name, word)
    told.author.write("mail.md", article("Mail", "text"))
    beside = told.push("beside", "2025-05-01")
    assert "dingo" in told.get(f"/api/articles/network?at={beside}")["body"], "a commit that did not touch it"
    assert "wombat" in told.get(f"/api/articles/vpn?at={told.first}")["body"]


@pytest.mark.parametrize(
    ("at", "said"),
    [("2024-01-01", "no revision"), ("0" * 40, "no revision"), ("yesterday", "no date"), ("main", "no date")],
)
def test_what_never_was_is_said(told: Told, at: str, said: str) -> None:
    problem = told.get(f"/api/articles/network?at={at}", 404)
    assert said in problem["detail"]
    assert "/api/history/network" in problem["detail"]
    assert "no article" in told.get(f"/api/articles/nothing?at={at}", 404)["detail"]
    assert "no article" in told.get("/api/history/nothing", 404)["detail"]


def test_what_a_branch_said_is_live_from_its_merge_on(told: Told) -> None:
    git = told.author.git
    git("checkout", "-qb", "side")
    told.author.write("network.md", article("VPN", "Restart the bilby.", "Look at the log."))
    git("commit", "-qam", "on the side", date="2025-05-05T12:00:00Z")
    side = git("rev-parse", "HEAD")
    git("checkout", "-q", "main")
    told.author.write("network.md", article("VPN", "Restart the dingo.", "Look at the other log."))
    told.push("beside it", "2025-05-10")
    git("merge", "-q", "--no-commit", "--no-ff", "-X", "ours", "side")
    told.author.write("network.md", article("VPN", "Restart the bilby, or the dingo.", "Look at the other log."))
    merge = told.push("merge", "2025-06-01")
    for at, word in (("2025-05-07", "Restart the dingo."), ("2025-05-20", "other log"), (side, "Restart the dingo.")):
        assert word in told.get(f"/api/articles/network?at={at}")["body"], at
    for at in (merge, "2099-01-01"):
        body = told.get(f"/api/articles/network?at={at}")
        assert ("bilby, or the dingo" in body["body"], body["live"]) == (True, True)
    subjects = [one["subject"] for one in told.get("/api/history/network")["revisions"]]
    assert subjects[:3] == ["merge", "beside it", "third words"]


def test_what_was_never_on_the_branch_is_not_shown(told: Told) -> None:
    told.author.git("checkout", "-qb", "draft")
    told.author.write("network.md", article("VPN", "A secret plan."))
    told.author.git("commit", "-qam", "draft")
    told.author.git("push", "-q", "origin", "draft")
    commit, blob = told.author.git("rev-parse", "HEAD", "HEAD:network.md").split()
    for name in (commit, blob, "draft"):
        told.get(f"/api/articles/network?at={name}", 404)


def test_differences(told: Told) -> None:
    body = told.get("/api/diff/network")
    assert (body["from"]["subject"], body["to"]["subject"], body["to"]["live"]) == ("another name", "third words", True)
    assert (body["added"], body["removed"], body["same"]) == (1, 1, False)
    assert "-Restart the numbat.\n+Restart the dingo.\n" in body["diff"]
    body = told.get("/api/diff/network?from=2025-01-01&to=2025-02-01")
    assert "-Restart the wombat.\n+Restart the numbat.\n" in body["diff"]
    assert told.get("/api/diff/network?from=2025-02-01&to=2025-03-01")["same"], "a rename changes no text"
    told.author.write("new.md", article("New", "text"))
    told.push("new", "2025-05-01")
    assert told.get("/api/diff/new")["same"], "there is one revision only"


def test_the_page_of_a_difference_says_at_which_line(told: Told) -> None:
    page = told.client.get("/diff/network").text
    assert re.findall(r'class="place">.*?<code>(.*?)</code>', page) == ["Line 3"]
    assert re.findall(r'class="(?:added|removed)">.*?<code>(.*?)</code>', page) == [
        "Restart the numbat.",
        "Restart the dingo.",
    ]


def test_only_a_refused_revision_stands_before_it(told: Told) -> None:
    told.author.write("new.md", "---\ntitle: a: b\n---\nbroken")
    told.push("broken first", "2025-05-01")
    told.author.write("new.md", article("New", "text"))
    told.push("mended", "2025-05-02")
    assert told.get("/api/diff/new")["same"]
    told.author.write("new.md", article("New", "other text"))
    told.push("edited", "2025-05-03")
    assert "-text\n+other text\n" in told.get("/api/diff/new")["diff"]


def test_many_large_revisions_are_listed_without_reading_their_bodies(told: Told) -> None:
    for number in range(20):
        told.author.write("large.md", f"---\ntitle: Large {number}\n---\n" + "*a_ [b](c) `d`\n\n" * 4_000)
        told.author.git("add", "-A")
        told.author.git("commit", "-qm", f"{number}")
    told.push("the last", "2025-05-01")
    started = time.process_time()
    assert told.get("/api/history/large")["total"] == 20
    assert time.process_time() - started < 2


def test_a_broken_revision_shows_what_was_live_then(told: Told) -> None:
    told.author.write("network.md", "---\ntitle: a: b\n---\nbroken")
    told.push("break", "2025-05-01")
    body = told.get("/api/articles/network?at=2025-05-02")
    assert "dingo" in body["body"]
    assert "refused" in body["note"]
    assert told.get("/api/history/network")["revisions"][0]["subject"] == "break"


def test_a_revision_that_is_too_large_was_refused_and_is_not_read(told: Told) -> None:
    front = "---\ntitle: Large\naudience: public\n---\n"
    for subject, text in (("small", "text"), ("too large", "x" * 2**21), ("small again", "other text")):
        told.author.write("large.md", front + text)
        told.push(subject, "2025-05-01")
    sizes = [len(told.author.git("show", one["commit"] + ":large.md")) for one in
             told.get("/api/history/large?audience=public")["revisions"]]  # fmt: skip
    assert sizes == [len(front + "other text"), len(front + "text")]
    assert told.get("/api/history/large")["total"] == 3
    repository = Repository(told.author.bare)
    with Blobs(repository) as blobs:
        name = told.author.git("rev-parse", "HEAD~1:large.md")
        assert blobs.read(name, 4) == b"---\n"
        assert len(blobs.read(name)) > 2**21, "another one can be read after it"


def test_only_so_many_refused_revisions_are_looked_through(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb_service.past._MOST_REFUSED", 2)
    for number, status in ((1, 200), (2, 404)):
        told.author.write("network.md", f"---\ntitle: a: b\n---\nbroken {number}")
        told.push(f"break {number}", f"2025-05-0{number}")
        said = told.get("/api/articles/network?at=2099-01-01", status)
    assert "refused then" in said["detail"]


def test_a_wrong_id_asks_nothing_of_git(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(_settings: Settings) -> None:
        raise AssertionError("git was asked")

    monkeypatch.setattr("kb_service.knowledge_base.repository", asked)
    told.get("/api/articles/nothing", 404)


def test_a_separator_inside_a_line_is_no_end_of_it(told: Told) -> None:
    for word in ("bilby", "quokka"):
        told.author.write("odd.md", article("Odd", f"a\x0c+b\u2028-c {word}"))
        told.push(word, "2025-05-01")
    body = told.get("/api/diff/odd")
    assert (body["added"], body["removed"]) == (1, 1)
