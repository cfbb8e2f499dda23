"""What an article said before, over HTTP and on its page."""

import json
import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from indexer.errors import IndexMissingError
from indexer.git import Blobs, Repository
from indexer.index_file import IndexFile
from kb_service import KnowledgeBase, Settings
from kb_service.access import EVERYTHING
from kb_service.content import read_file
from tests.client import client_of
from tests.conftest import Desk
from tests.test_build import article
from tests.test_git_ref import Authored

Git = Callable[..., str]
PICTURE = b"\x89PNG old"


class Told:
    """An author's repository and the service over it."""

    def __init__(self, desk: Desk, git: Git) -> None:
        self.author = Authored(desk, git)
        settings = Settings(content=self.author.bare, data=desk.data / "service", encoder="hashing", poll_seconds=0)
        self.base = KnowledgeBase(settings)
        self.client = client_of(self.base)
        self.first = ""

    def push(self, subject: str, date: str, *, force: bool = False) -> str:
        commit = self.author.push(subject, date=f"{date}T12:00:00Z", force=force)
        self.base.update()
        return commit

    def get(self, address: str, status: int = 200) -> dict[str, Any]:
        answer = self.client.get(address)
        assert answer.status_code == status, answer.text
        body: dict[str, Any] = answer.json()
        return body


@pytest.fixture(scope="module")
def renamed(tmp_path_factory: pytest.TempPathFactory, git: Git) -> Path:
    """Where an article was changed, renamed and changed again, each commit published."""
    folder = tmp_path_factory.mktemp("renamed") / "desk"
    one = Told(Desk(folder), git)
    one.author.write("vpn.md", article("VPN", "Restart the wombat.", "Look at the log."))
    one.push("first words", "2025-01-01")
    one.author.write("vpn.md", article("VPN", "Restart the numbat.", "Look at the log."))
    one.push("second words", "2025-02-01")
    one.author.git("mv", "vpn.md", "network.md")
    one.push("another name", "2025-03-01")
    one.author.write("network.md", article("VPN", "Restart the dingo.", "Look at the log."))
    one.push("third words", "2025-04-01")
    return folder


@pytest.fixture
def told(renamed: Path, tmp_path: Path, git: Git) -> Iterator[Told]:
    """A copy of it."""
    one = Told(Desk(shutil.copytree(renamed, tmp_path / "desk")), git)
    one.first = one.author.git("rev-list", "--max-parents=0", "HEAD")
    with one.client:
        yield one


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


@pytest.fixture
def once_hidden(told: Told) -> dict[str, str]:
    """A public article that was internal, by another name, before; the commits of its past and of another file."""
    commits = {}
    told.author.write("secret-plan.md", "---\ntitle: Plan\naudience: internal\n---\n" + "Hidden words.\n" * 20)
    commits["hidden"] = told.push("the plan", "2025-05-01")
    told.author.write("beside.md", "---\ntitle: Beside\n---\nHidden.")
    commits["beside"] = told.push("beside", "2025-05-02")
    told.author.git("mv", "secret-plan.md", "plan.md")
    told.author.write("plan.md", "---\ntitle: Plan\naudience: public\n---\n" + "Hidden words.\n" * 20)
    commits["public"] = told.push("it is public now", "2025-06-01")
    return commits


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


def test_a_deleted_restricted_draft_is_told_to_nobody_else(told: Told) -> None:
    told.author.write("hr.md", "---\ntitle: HR\naudience: restricted\ngroups: [HR]\nworkflow_state: draft\n---\nx")
    told.push("draft", "2025-05-01")
    told.author.git("rm", "-q", "hr.md")
    told.push("gone", "2025-05-02")
    assert told.get("/api/articles/hr", 404)["detail"] == told.get("/api/articles/h2", 404)["detail"].replace(
        "h2", "hr"
    )


def test_an_attached_article_opens_as_it_was_used(told: Told) -> None:
    used = told.get("/api/articles/network")["revision"]
    told.client.put("/api/incidents/INC1", json={"short_description": "VPN is down"}).raise_for_status()
    attached = told.client.post("/api/incidents/INC1/articles", json={"article": "network", "resolved_by": True})
    assert attached.status_code in {200, 201}, attached.text

    def link() -> dict[str, Any]:
        body: dict[str, Any] = told.get("/api/incidents/INC1")["articles"][0]
        return body

    assert (link()["url"], link()["changed_since"]) == ("/a/network", False)
    told.author.write("network.md", article("VPN", "Restart the bilby."))
    told.push("fourth", "2025-05-01")
    assert (link()["url"], link()["changed_since"]) == (f"/a/network?at={used}", True)
    page = told.client.get(link()["url"]).text
    assert "dingo" in page
    assert "It has changed since" in page
    assert "2025-04-01 12:00 UTC</time>" in page
    told.author.git("reset", "-q", "--hard", told.first)
    told.author.write("network.md", article("VPN", "Another past."))
    told.push("forced", "2025-06-01", force=True)
    body = told.get(f"/api/articles/network?at={used}")
    assert ("dingo" in body["body"], "no part of the history" in body["note"]) == (True, True)
    told.author.git("rm", "-q", "network.md")
    told.push("delete", "2025-07-01")
    assert link()["url"] == f"/a/network?at={used}"
    assert "dingo" in told.client.get(link()["url"]).text


def test_pictures_as_they_were(told: Told) -> None:
    (told.author.clone / "a.png").write_bytes(PICTURE)
    told.author.write("picture.md", "---\ntitle: Picture\n---\n![A](a.png)")
    then = told.push("picture", "2025-05-01")
    (told.author.clone / "a.png").write_bytes(b"\x89PNG new")
    (told.author.clone / "link.png").symlink_to("/etc/hostname")
    told.author.write("picture.md", "---\ntitle: Picture\n---\nNow: ![A](a.png) ![B](link.png)")
    told.push("another", "2025-06-01")
    assert told.client.get("/media/a.png?of=picture").content == b"\x89PNG new"
    assert f'src="/media/a.png?of=picture&amp;at={then}"' in told.get(f"/api/articles/picture?at={then}")["html"]
    assert told.client.get(f"/media/a.png?of=picture&at={then}").content == PICTURE
    for address in ("link.png", "../a.png", "nothing.png", ".git/a.png", f"a.png?at={'0' * 40}", "picture.md"):
        also = "&of=picture" if "?" in address else "?of=picture"
        assert told.client.get(f"/media/{address}{also}").status_code in {404, 422}, address


def test_a_picture_is_shown_only_in_what_one_may_read(told: Told) -> None:
    for name, audience in (("a", "public"), ("b", "internal")):
        (told.author.clone / f"{name}.png").write_bytes(PICTURE)
        told.author.write(f"{name}.md", f"---\ntitle: {name}\naudience: {audience}\n---\n![It]({name}.png)")
    then = told.push("pictures", "2025-05-01")
    assert told.client.get("/media/b.png?of=b").content == PICTURE
    for address in ("b.png?of=b&audience=public", "b.png?of=a", "b.png", "a.png?of=b&audience=public"):
        assert told.client.get(f"/media/{address}").status_code == 404, address
    told.author.git("rm", "-q", "a.png", "b.png", "b.md")
    told.author.write("a.md", "---\ntitle: a\naudience: public\n---\nNo more.")
    told.push("gone", "2025-06-01")
    html = told.get(f"/api/articles/a?at={then}&audience=public")["html"]
    shown = unescape(re.findall('src="(.+?)"', html)[0])
    assert told.client.get(f"{shown}&audience=public").content == PICTURE
    for address in (f"b.png?at={then}", f"b.png?at={then}&of=b", f"b.png?at={then}&of=a", f"a.png?at={then}"):
        assert told.client.get(f"/media/{address}&audience=public").status_code == 404, address
    assert told.client.get(f"/media/b.png?at={then}&of=b").content == PICTURE


def test_a_picture_is_never_another_place_s_and_never_cut_off(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (told.author.clone / "a.png").write_bytes(PICTURE)
    live = told.push("picture", "2025-05-01")
    (told.author.clone / "a.png").write_bytes(b"\x89PNG not committed")
    not_fetched = Settings(content=told.author.clone, content_remote="file:///nowhere", data=tmp_path / "none")
    assert read_file(not_fetched, "a.png", None, None) is None
    by_ref = Settings(content=told.author.clone, content_ref="main")
    assert read_file(by_ref, "a.png", None, live) == PICTURE
    as_they_lie = Settings(content=told.author.clone)
    monkeypatch.setattr("kb_service.content.MOST_FILE_BYTES", 4)
    assert read_file(by_ref, "a.png", None, live) is read_file(as_they_lie, "a.png", None, live) is None
    monkeypatch.setattr("kb_service.content.MOST_FILE_BYTES", 1000)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert read_file(by_ref, "a.png", None, live) is None


def test_files_as_they_lie_have_a_past_too(desk: Desk, git: Git) -> None:
    git(desk.content, "init", "-q", "-b", "main")
    desk.write("vpn.md", article("VPN", "Restart the wombat."))
    git(desk.content, "add", ".")
    git(desk.content, "commit", "-qm", "one", date="2025-01-01T10:00:00Z")
    desk.write("vpn.md", article("VPN", "Restart the numbat."))
    base = KnowledgeBase(Settings(content=desk.content, data=desk.data, encoder="hashing"))
    base.update()
    with client_of(base) as client:
        history = client.get("/api/history/vpn").json()
        assert [one["subject"] for one in history["revisions"]] == ["one"]
        assert "wombat" in client.get("/api/articles/vpn?at=2025-01-01").json()["body"]
        now = client.get(f"/api/articles/vpn?at={history['revision']}").json()
        assert ("numbat" in now["body"], now["live"], now["note"]) == (True, True, "It is not committed yet.")
        changed = client.get("/api/diff/vpn").json()
        assert (changed["added"], changed["removed"], changed["to"]["note"]) == (1, 1, "It is not committed yet.")
        assert "+Restart the numbat." in changed["diff"]


def test_a_separator_inside_a_line_is_no_end_of_it(told: Told) -> None:
    for word in ("bilby", "quokka"):
        told.author.write("odd.md", article("Odd", f"a\x0c+b\u2028-c {word}"))
        told.push(word, "2025-05-01")
    body = told.get("/api/diff/odd")
    assert (body["added"], body["removed"]) == (1, 1)


def test_a_former_name_leads_on_with_what_was_asked(told: Told) -> None:
    answer = told.client.get("/a/vpn?at=2024-01-01&audience=internal", follow_redirects=False)
    assert answer.headers["location"] == "/a/network?at=2024-01-01&audience=internal"
    assert "What it said then is not kept" in told.client.get("/a/vpn?at=2024-01-01").text


def test_an_index_that_is_made_anew_meanwhile_denies_no_article(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    usual: Callable[[IndexFile], sqlite3.Connection] = vars(IndexFile)["connection"].fget
    opened: list[Path] = []

    def replaced_after_that(index: IndexFile) -> sqlite3.Connection:
        connection = usual(index)
        if not opened:
            opened.extend(index.path.parent.glob(f"{index.path.name}*"))
            for path in opened:
                path.unlink()
        return connection

    monkeypatch.setattr(IndexFile, "connection", property(replaced_after_that))
    assert told.base.past().article("network", EVERYTHING).title == "VPN"
    assert opened
    with pytest.raises(IndexMissingError):
        told.base.past()
    with pytest.raises(IndexMissingError):
        told.base.searcher.article("network", EVERYTHING)


def test_without_git_there_is_no_past(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    desk.write("vpn.md", article("VPN", "Restart the wombat."))
    base = KnowledgeBase(Settings(content=desk.content, data=desk.data, encoder="hashing"))
    base.update()
    with client_of(base) as client:
        history = client.get("/api/history/vpn").json()
        assert (history["revisions"], history["complete"]) == ([], False)
        assert client.get("/api/articles/vpn?at=2025-01-01").status_code == 404
        assert client.get("/api/diff/vpn").json()["same"]


def test_a_shallow_clone_says_that_it_lacks_the_rest(told: Told, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow.git"
    url = f"file://{told.author.bare}"
    subprocess.run(["git", "clone", "-q", "--bare", "--depth=2", url, str(shallow)], check=True)
    base = KnowledgeBase(Settings(content=shallow, data=tmp_path / "other", encoder="hashing"))
    base.update()
    with client_of(base) as client:
        history = client.get("/api/history/network").json()
        assert (history["total"], history["complete"]) == (2, False)


def test_a_link_to_a_renamed_file_still_leads_there(told: Told) -> None:
    told.author.write("mail.md", "---\ntitle: Mail\n---\nSee [the VPN](vpn.md#part-0) first.")
    told.push("mail", "2025-05-01")
    assert 'href="/a/network#part-0"' in told.get("/api/articles/mail")["html"]
