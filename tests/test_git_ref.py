"""A commit as content: what it holds, and what changed since another."""

import subprocess
from pathlib import Path

import pytest

from indexer import update
from indexer.errors import ContentMissingError
from indexer.git import Repository
from indexer.git_command import GitError
from indexer.git_ref import GitRef
from tests.authored import Authored, Git, objects
from tests.conftest import Desk
from tests.written import article, catalogue, found


@pytest.fixture
def authored(desk: Desk, git: Git) -> Authored:
    return Authored(desk, git)


def test_a_bare_repository_is_read_and_only_what_changed_is_parsed(authored: Authored) -> None:
    authored.write("a.md", article("VPN", "restart the client"))
    authored.write("b.md", article("Mail", "empty the outbox"))
    authored.push()
    assert authored.update() == []
    assert objects(authored.desk) == ["a", "b"]
    authored.write("a.md", article("VPN", "restart the laptop"))
    commit = authored.push()
    read: list[int] = []
    content = GitRef(Repository(authored.bare), "main")
    update(
        content, authored.desk.index, authored.desk.encoder, authored.desk.cache,
        lambda what, _done, of: read.append(of) if what == "read" else None,
    )  # fmt: skip
    content.close()
    assert read == [1]
    assert found(authored.desk, "laptop") == ["a"]
    assert authored.desk.index.meta("revision") == commit


def test_what_is_not_committed_is_not_seen(authored: Authored) -> None:
    authored.write("a.md", article("VPN", "committed words"))
    authored.push()
    authored.write("a.md", article("VPN", "half written"))
    content = GitRef(Repository(authored.clone), "main")
    update(content, authored.desk.index, authored.desk.encoder, authored.desk.cache)
    content.close()
    assert found(authored.desk, "committed") == ["a"]
    assert found(authored.desk, "half") == []


@pytest.mark.parametrize("bare", [True, False])
def test_a_folder_of_a_repository(desk: Desk, git: Git, *, bare: bool) -> None:
    authored = Authored(desk, git, "docs/content")
    authored.write("a.md", article("VPN", "text"))
    authored.write("../README.md", "# Not an article")
    authored.push(date="2025-03-01T00:00:00Z")
    repository = Repository(authored.bare, "docs/content") if bare else Repository(authored.clone / "docs" / "content")
    content = GitRef(repository, "main")
    assert update(content, desk.index, desk.encoder, desk.cache).objects == 1
    content.close()
    (only,) = catalogue(desk).objects()
    assert (only.id, only.path) == ("a", "a.md")
    assert only.updated is not None
    assert only.updated.isoformat() == "2025-03-01T00:00:00+00:00"


def test_a_folder_that_is_not_there_is_said(authored: Authored) -> None:
    authored.write("a.md", article("VPN", "text"))
    authored.push()
    with pytest.raises(ContentMissingError, match="no folder 'nothing'"):
        GitRef(Repository(authored.bare, "nothing"), "main").scan()
    with pytest.raises(ContentMissingError, match="no ref 'nothing'"):
        GitRef(Repository(authored.bare), "nothing")
    with pytest.raises(GitError, match="not a git repository"):
        Repository(authored.desk.data)


def test_a_rename_a_deletion_and_dates_over_several_commits(authored: Authored) -> None:
    authored.write("old/vpn.md", article("VPN", "one line", "two", "three"))
    authored.write("gone/mail.md", article("Mail", "text"))
    authored.push(date="2025-01-01T00:00:00Z")
    authored.update()
    authored.git("mv", "old", "new")
    authored.push(date="2025-02-01T00:00:00Z")
    authored.write("new/vpn.md", "---\ntitle: All else\n---\nquite another text\n")
    authored.git("rm", "-rq", "gone")
    last = authored.push(date="2025-03-01T00:00:00Z")
    assert authored.update() == []
    live = catalogue(authored.desk).get("old/vpn")
    assert live is not None
    assert (live.id, live.created and live.created.month, live.updated and live.updated.month) == ("new/vpn", 1, 3)
    tombstone = catalogue(authored.desk).tombstone("gone/mail")
    assert tombstone is not None
    assert (tombstone.after, tombstone.at.month, tombstone.title) == (last, 3, "Mail")
    assert found(authored.desk, "mail") == []


def test_a_whole_build_knows_former_names_dates_and_what_was_deleted(authored: Authored) -> None:
    authored.write("old.md", article("VPN", "one line", "two"))
    authored.write("gone.md", "---\ntitle: Mail\nid: KB7\naudience: public\n---\ntext")
    authored.push(date="2025-01-01T00:00:00Z")
    authored.git("mv", "old.md", "new.md")
    authored.push(date="2025-02-01T00:00:00Z")
    authored.git("rm", "-q", "gone.md")
    authored.push(date="2025-03-01T00:00:00Z")
    authored.update()
    live = catalogue(authored.desk).get("old")
    assert live is not None
    assert (live.id, live.created and live.created.month, live.updated and live.updated.month) == ("new", 1, 1)
    tombstone = catalogue(authored.desk).tombstone("KB7")
    assert tombstone is not None
    assert (tombstone.path, tombstone.audience, tombstone.at.month) == ("gone.md", "public", 3)


def test_a_force_push_is_followed_and_so_is_its_undoing(authored: Authored) -> None:
    authored.write("a.md", article("VPN", "first words"))
    first = authored.push(date="2025-01-01T00:00:00Z")
    authored.write("a.md", article("VPN", "second words"))
    authored.write("b.md", article("Mail", "text"))
    second = authored.push(date="2025-02-01T00:00:00Z")
    authored.update()
    authored.git("reset", "-q", "--hard", first)
    authored.push("other", force=True, date="2025-03-01T00:00:00Z")
    authored.update()
    assert (objects(authored.desk), found(authored.desk, "first")) == (["a"], ["a"])
    live = catalogue(authored.desk).get("a")
    assert live is not None
    assert live.updated is not None
    assert live.updated.month == 1
    authored.git("reset", "-q", "--hard", second)
    authored.push("back", force=True)
    authored.update()
    assert (objects(authored.desk), found(authored.desk, "second")) == (["a", "b"], ["a"])


def test_a_force_push_whose_past_was_collected(authored: Authored) -> None:
    authored.write("a.md", article("VPN", "first words"))
    authored.push()
    authored.update()
    authored.git("checkout", "-q", "--orphan", "fresh")
    authored.write("a.md", article("VPN", "other words"))
    authored.push(force=True)
    subprocess.run(["git", "-C", authored.bare, "reflog", "expire", "--expire=now", "--all"], check=True)
    subprocess.run(["git", "-C", authored.bare, "gc", "-q", "--prune=now"], check=True)
    assert authored.update() == []
    assert found(authored.desk, "other") == ["a"]


def test_a_merge_brings_both_sides_with_their_dates(authored: Authored) -> None:
    authored.write("a.md", article("VPN", "text"))
    authored.push(date="2025-01-01T00:00:00Z")
    authored.update()
    authored.git("checkout", "-qb", "side")
    authored.write("side.md", article("Side", "sidewards"))
    authored.git("add", "-A")
    authored.git("commit", "-qm", "side", date="2025-02-01T00:00:00Z")
    authored.git("checkout", "-q", "main")
    authored.write("main.md", article("Main", "straight"))
    authored.push(date="2025-03-01T00:00:00Z")
    authored.git("merge", "-q", "--no-edit", "side", date="2025-04-01T00:00:00Z")
    authored.push()
    authored.update()
    side = catalogue(authored.desk).get("side")
    assert side is not None
    assert (side.updated and side.updated.month, found(authored.desk, "straight")) == (2, ["main"])


def test_a_shallow_clone(authored: Authored, tmp_path: Path) -> None:
    for number in range(3):
        authored.write("a.md", article("VPN", f"text {number}"))
        authored.push()
    shallow = tmp_path / "shallow.git"
    subprocess.run(["git", "clone", "-q", "--bare", "--depth=1", f"file://{authored.bare}", str(shallow)], check=True)
    content = GitRef(Repository(shallow), "main")
    assert update(content, authored.desk.index, authored.desk.encoder, authored.desk.cache).objects == 1
    content.close()
    authored.write("a.md", article("VPN", "text 4"))
    authored.push()
    subprocess.run(["git", "-C", shallow, "fetch", "-q", "--depth=1", "origin", "+main:main"], check=True)
    content = GitRef(Repository(shallow), "main")
    update(content, authored.desk.index, authored.desk.encoder, authored.desk.cache)
    content.close()
    assert found(authored.desk, "4") == ["a"]
