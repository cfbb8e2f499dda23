"""The service's own clone of a remote."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.clone import Clone
from indexer.errors import ContentMissingError
from indexer.git import GitError, Repository
from indexer.git_ref import GitRef
from tests.conftest import Desk
from tests.test_git_ref import Authored

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
