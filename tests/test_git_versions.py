"""Broken, renamed and deleted files: which version of an article is live, and what is told of it."""

import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexer import update
from indexer.git import Repository
from indexer.git_command import GitError
from indexer.git_ref import GitRef
from indexer.history import History
from tests.authored import BROKEN, Authored, Git, objects
from tests.conftest import Desk
from tests.written import article, catalogue, found


@pytest.fixture
def authored(desk: Desk, git: Git) -> Authored:
    return Authored(desk, git)


def test_the_last_good_version_is_found_again_after_a_rebuild(authored: Authored, git: Git) -> None:
    authored.write("a.md", article("VPN", "good words"))
    authored.push(date="2025-01-01T00:00:00Z")
    for number in range(2):
        authored.write("a.md", f"{BROKEN}{number}")
        authored.push(date="2025-02-01T00:00:00Z")
    (refusal,) = authored.update()
    assert refusal.startswith("a.md:2: broken YAML")
    assert found(authored.desk, "good") == ["a"]
    live = catalogue(authored.desk).get("a")
    assert live is not None
    assert live.updated is not None
    assert live.updated.month == 1
    assert git(authored.clone, "cat-file", "blob", live.revision) == article("VPN", "good words")
    assert authored.update() == [refusal]
    authored.write("a.md", article("VPN", "mended words"))
    authored.push()
    assert authored.update() == []
    assert found(authored.desk, "mended") == ["a"]


def test_a_file_renamed_and_broken_at_once_keeps_its_last_good_version(authored: Authored) -> None:
    text = article("VPN", *(f"line {number} of many" for number in range(20)))
    authored.write("old.md", text)
    authored.push()
    authored.update()
    authored.git("mv", "old.md", "new.md")
    authored.write("new.md", text.replace("title: VPN", "title: a: b"))
    authored.push()
    (refusal,) = authored.update()
    assert refusal.startswith("new.md:2: broken YAML")
    live = catalogue(authored.desk).get("old")
    assert live is not None
    assert (live.id, live.title) == ("new", "VPN")


def test_a_broken_file_is_neither_what_it_was_copied_from_nor_what_was_deleted(authored: Authored) -> None:
    text = article("VPN", *(f"line {number} of many" for number in range(20)))
    authored.write("vpn.md", text)
    authored.write("gone.md", article("Gone", "a wombat"))
    authored.push()
    authored.update()
    authored.git("rm", "-q", "gone.md")
    authored.write("mail.md", text.replace("title: VPN", "title: Mail: how"))
    authored.push()
    authored.update()
    assert objects(authored.desk) == ["vpn"]
    authored.write("gone.md", BROKEN)
    authored.push()
    assert [refusal.partition(":")[0] for refusal in authored.update()] == ["gone.md", "mail.md"]
    assert objects(authored.desk) == ["vpn"]


def test_git_is_asked_for_older_versions_only_of_files_that_have_some(
    authored: Authored, monkeypatch: pytest.MonkeyPatch
) -> None:
    authored.write("a.md", article("VPN", "good words"))
    for number in range(3):
        authored.write(f"{number}.md", BROKEN)
    authored.push()
    authored.write("a.md", BROKEN)
    authored.push()
    asked: list[str] = []
    older = GitRef.older

    def ask(content: GitRef, path: str) -> Iterator[tuple[bytes, datetime]]:
        asked.append(path)
        return older(content, path)

    monkeypatch.setattr(GitRef, "older", ask)
    assert len(authored.update()) == 4
    assert (asked, found(authored.desk, "good")) == (["a.md"], ["a"])


def test_where_the_history_cannot_be_read_all_have_the_commit_s_date(
    authored: Authored, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        authored.write(f"{number}.md", article("VPN", "text"))
    authored.write("broken.md", BROKEN)
    authored.push(date="2025-01-01T00:00:00Z")
    asked: list[object] = []

    def fail(*_arguments: object) -> History:
        raise GitError("it is damaged", "Mend it")

    def ask(*arguments: object) -> datetime:
        asked.append(arguments)
        return datetime(2025, 2, 1, tzinfo=UTC)

    monkeypatch.setattr("indexer.git_ref.history", fail)
    monkeypatch.setattr("indexer.git_ref.last_change", ask)
    monkeypatch.setattr("indexer.source.revisions", fail)
    assert len(authored.update()) == 1
    assert {one.updated and one.updated.month for one in catalogue(authored.desk).objects()} == {2}
    assert len(asked) == 1


def test_a_shallow_clone_keeps_when_an_article_came(authored: Authored, tmp_path: Path) -> None:
    authored.write("a.md", article("VPN", "text"))
    authored.push(date="2025-01-01T00:00:00Z")
    authored.update()
    authored.write("a.md", article("VPN", "other text"))
    authored.push(date="2025-06-01T00:00:00Z")
    shallow = tmp_path / "shallow.git"
    subprocess.run(["git", "clone", "-q", "--bare", "--depth=1", f"file://{authored.bare}", str(shallow)], check=True)
    with closing(GitRef(Repository(shallow), "main")) as content:
        update(content, authored.desk.index, authored.desk.encoder, authored.desk.cache)
    live = catalogue(authored.desk).get("a")
    assert live is not None
    assert (live.created and live.created.month, live.updated and live.updated.month) == (1, 6)


def test_a_tombstone_names_the_commit_that_deleted_it(authored: Authored) -> None:
    authored.write("a.md", article("VPN", "text"))
    authored.write("b.md", article("Mail", "text"))
    authored.push()
    authored.update()
    authored.git("rm", "-q", "a.md")
    deleting = authored.push()
    authored.write("b.md", article("Mail", "other text"))
    authored.push()
    authored.update()
    tombstone = catalogue(authored.desk).tombstone("a")
    assert tombstone is not None
    assert tombstone.after == deleting


def test_deleted_pictures_take_no_article_s_tombstone(authored: Authored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.build._MOST_TOMBSTONES", 2)
    authored.write("gone.md", article("Gone", "text"))
    for number in range(3):
        authored.write(f"{number}.png", f"{number}")
    authored.push(date="2025-01-01T00:00:00Z")
    authored.git("rm", "-q", "gone.md")
    authored.push(date="2025-02-01T00:00:00Z")
    authored.git("rm", "-q", "*.png")
    authored.push(date="2025-03-01T00:00:00Z")
    authored.update()
    assert catalogue(authored.desk).tombstone("gone") is not None


def test_what_a_killed_run_staged_and_was_taken_back_since_does_not_go_live(
    authored: Authored, monkeypatch: pytest.MonkeyPatch
) -> None:
    authored.write("a.md", article("VPN", "good words"))
    first = authored.push()
    authored.update()
    authored.write("a.md", article("VPN", "words taken back"))
    authored.push()

    class Killed(BaseException):
        pass

    def kill(_texts: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("indexer.encoding.Encoding.encode_ahead", lambda _self, texts: kill(texts))
        with pytest.raises(Killed):
            authored.update()
    authored.git("reset", "-q", "--hard", first)
    authored.write("b.md", article("Mail", "text"))
    authored.push(force=True)
    authored.update()
    assert (found(authored.desk, "taken"), found(authored.desk, "good")) == ([], ["a"])
