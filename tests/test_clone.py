"""The service's own clone of a remote."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.clone import Clone
from indexer.errors import ContentMissingError
from indexer.git import Repository
from indexer.git_command import GitError
from indexer.git_ref import GitRef
from kb_service.knowledge_base import KnowledgeBase
from kb_service.settings import Settings
from tests.authored import Authored
from tests.conftest import Desk

Git = Callable[..., str]


@pytest.fixture
def authored(desk: Desk, git: Git) -> Authored:
    return Authored(desk, git)


def files(clone: Clone, ref: str = "HEAD") -> list[str]:
    return list(GitRef(Repository(clone.folder), ref).scan().articles)


def test_it_is_made_and_follows_the_default_branch(authored: Authored, tmp_path: Path) -> None:
    authored.write("a.md", "# A")
    authored.push()
    clone = Clone(str(authored.bare), tmp_path / "deep" / "clone.git")
    clone.fetch()
    assert files(clone) == ["a.md"]
    authored.write("b.md", "# B")
    authored.push()
    clone.fetch()
    assert files(clone) == ["a.md", "b.md"]
    authored.git("push", "-q", "origin", "HEAD~1:refs/heads/other")
    subprocess.run(["git", "-C", authored.bare, "symbolic-ref", "HEAD", "refs/heads/other"], check=True)
    clone.fetch()
    assert files(clone) == ["a.md"]


def test_a_branch_and_a_tag(authored: Authored, tmp_path: Path) -> None:
    authored.write("a.md", "# A")
    authored.push()
    authored.git("tag", "-a", "v1", "-m", "one")
    authored.git("push", "-q", "origin", "v1")
    authored.write("b.md", "# B")
    authored.push()
    clone = Clone(str(authored.bare), tmp_path / "clone.git")
    clone.fetch("v1")
    assert files(clone) == ["a.md"]
    clone.fetch("main")
    assert files(clone) == ["a.md", "b.md"]
    with pytest.raises(ContentMissingError, match="no branch or tag 'nothing'"):
        clone.fetch("nothing")


def test_what_was_forced_away_is_kept(authored: Authored, tmp_path: Path) -> None:
    authored.write("a.md", "# A")
    first = authored.push()
    authored.write("a.md", "# Once said")
    authored.push()
    once = authored.git("rev-parse", "HEAD:a.md")
    clone = Clone(str(authored.bare), tmp_path / "clone.git")
    clone.fetch()
    authored.git("reset", "-q", "--hard", first)
    authored.git("push", "-q", "--force", "origin", "HEAD:main")
    clone.fetch()
    subprocess.run(["git", "-C", clone.folder, "gc", "-q"], check=True)
    assert Repository(clone.folder).blob(once, 100) == b"# Once said"


def test_an_empty_remote_and_one_that_is_not_there_are_said(authored: Authored, tmp_path: Path) -> None:
    with pytest.raises(ContentMissingError, match="no default branch"):
        Clone(str(authored.bare), tmp_path / "clone.git").fetch()
    with pytest.raises(GitError, match="ls-remote"):
        Clone(str(tmp_path / "nothing"), tmp_path / "clone.git").fetch()


def test_what_a_killed_fetch_left_is_in_nobodys_way(authored: Authored, tmp_path: Path) -> None:
    authored.write("a.md", "# A")
    authored.push()
    clone = Clone(str(authored.bare), tmp_path / "clone.git")
    (tmp_path / "clone.git.part").mkdir()
    clone.fetch()
    for left in ("refs/heads/main.lock", "HEAD.lock", "packed-refs.lock"):
        (clone.folder / left).write_text("")
    authored.write("b.md", "# B")
    authored.push()
    clone.fetch()
    assert files(clone) == ["a.md", "b.md"]


def test_a_branch_that_gives_way_to_one_below_its_name(authored: Authored, tmp_path: Path) -> None:
    authored.write("a.md", "# A")
    authored.push()
    authored.git("push", "-q", "origin", "HEAD:refs/heads/release")
    once = authored.git("rev-parse", "HEAD")
    clone = Clone(str(authored.bare), tmp_path / "clone.git")
    clone.fetch("release")
    authored.write("b.md", "# B")
    authored.push()
    authored.git("push", "-q", "origin", ":release", "HEAD:refs/heads/release/2")
    clone.fetch("release/2")
    assert files(clone) == ["a.md", "b.md"]
    assert files(clone, once) == ["a.md"]
    authored.git("push", "-q", "origin", ":release/2", "HEAD~1:refs/heads/release")
    clone.fetch("release")
    assert files(clone) == ["a.md"]


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.chmod(0o644)
    path.write_bytes(data)


def emptied(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(b"")


def answers(settings: Settings) -> list[tuple[str, int]]:
    """What is published from it: each article with all that is known of it, by its checksum."""
    base = KnowledgeBase(settings)
    report = base.update()
    assert (report.refused, report.note) == (0, "")
    return base.index.connection.execute("SELECT id, object_crc FROM objects ORDER BY id").fetchall()


@pytest.mark.parametrize(
    "spoil", [flipped, *(pytest.param(how, marks=pytest.mark.breaking) for how in (emptied, Path.unlink))]
)
def test_whatever_of_it_is_damaged_it_is_made_anew(
    authored: Authored, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    for number in range(3):
        authored.write(f"{number}.md", f"# Article {number}\n\nTurn number {number} off and on again.")
        authored.push(date=f"2026-01-0{number + 1}T00:00:00Z")
    first = Settings(data=tmp_path / "first", content_remote=str(authored.bare), encoder="hashing")
    expected, whole = answers(first), first.clone_folder
    files = [path.relative_to(whole) for path in whole.rglob("*") if path.is_file() and path.stat().st_size]
    assert len(files) > 9
    for number, path in enumerate(files):
        again = first.model_copy(update={"data": tmp_path / str(number)})
        shutil.copytree(whole, again.clone_folder)
        spoil(again.clone_folder / path)
        assert answers(again) == expected, path


def test_what_is_damaged_is_kept_aside_and_what_is_whole_stays(authored: Authored, tmp_path: Path) -> None:
    authored.write("a.md", "# A")
    authored.push()
    clone = Clone(str(authored.bare), tmp_path / "clone.git")
    assert not clone.put_aside_if_damaged()
    clone.fetch()
    assert not clone.put_aside_if_damaged()
    flipped(next(path for path in (clone.folder / "objects").rglob("*") if path.is_file()))
    assert clone.put_aside_if_damaged()
    assert (tmp_path / "clone.git.damaged" / "objects").is_dir()
    clone.fetch()
    assert files(clone) == ["a.md"]


def test_where_git_cannot_be_run_nothing_is_put_aside(
    authored: Authored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authored.write("a.md", "# A")
    authored.push()
    clone = Clone(str(authored.bare), tmp_path / "clone.git")
    clone.fetch()
    with monkeypatch.context() as changed:
        changed.setattr("indexer.git_command.FIXED", (str(tmp_path / "nothing"),))
        for look in (clone.fetch, clone.put_aside_if_damaged):
            with pytest.raises(GitError, match="git is not there"):
                look()
    assert not (tmp_path / "clone.git.damaged").exists()
    assert files(clone) == ["a.md"]


def test_a_damaged_one_is_not_taken_for_the_repository_that_it_lies_in(authored: Authored, git: Git) -> None:
    authored.write("a.md", "# A")
    authored.push()
    clone = Clone(str(authored.bare), authored.clone / "data" / "clone.git")
    clone.fetch()
    (clone.folder / "HEAD").write_text("")
    clone.fetch()
    assert files(clone) == ["a.md"]
    assert "refs/kb" not in git(authored.clone, "for-each-ref")
