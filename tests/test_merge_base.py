"""What a branch is compared with, named or not, and what is said where there is nothing to compare with."""

import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.git import Repository
from indexer.merge_base import Base, BaseMissingError, merge_base

Git = Callable[..., str]


@pytest.fixture
def clone(tmp_path: Path, git: Git) -> Path:
    """A clone with main checked out, one commit behind which there is a remote."""
    bare, clone = tmp_path / "bare.git", tmp_path / "clone"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(bare)], check=True)
    subprocess.run(["git", "clone", "-q", f"file://{bare}", str(clone)], check=True, capture_output=True)
    git(clone, "checkout", "-qb", "main")
    commit(git, clone)
    git(clone, "push", "-qu", "origin", "main")
    git(clone, "remote", "set-head", "origin", "main")
    return clone


def commit(git: Git, clone: Path) -> str:
    git(clone, "commit", "-qm", f"change {uuid.uuid4()}", "--allow-empty")
    return git(clone, "rev-parse", "HEAD").strip()


def test_the_base_is_where_the_branch_left_it(clone: Path, git: Git) -> None:
    left = commit(git, clone)
    git(clone, "checkout", "-qb", "edit")
    commit(git, clone)
    git(clone, "checkout", "-q", "main")
    commit(git, clone)
    git(clone, "checkout", "-q", "edit")
    assert merge_base(Repository(clone), "main") == Base("main", left)
    assert merge_base(Repository(clone), left[:8]) == Base(left[:8], left)


def test_unnamed_it_is_the_remote_s_default_branch(clone: Path, git: Git) -> None:
    git(clone, "checkout", "-qb", "edit")
    commit(git, clone)
    assert merge_base(Repository(clone)).name == "origin/main"
    git(clone, "push", "-qu", "origin", "edit")
    assert merge_base(Repository(clone)).name == "origin/main", "the branch's own copy is no base"
    git(clone, "checkout", "-q", "--detach")
    assert merge_base(Repository(clone)).name == "origin/main"


def test_an_upstream_of_another_name_goes_first(clone: Path, git: Git) -> None:
    git(clone, "push", "-q", "origin", "main:release")
    git(clone, "checkout", "-qb", "edit", "--track", "origin/release")
    assert merge_base(Repository(clone)).name == "origin/release"


def test_without_a_remote_it_is_main_or_master(clone: Path, git: Git) -> None:
    git(clone, "remote", "remove", "origin")
    git(clone, "checkout", "-qb", "edit")
    assert merge_base(Repository(clone)).name == "main"
    git(clone, "branch", "-qm", "main", "master")
    assert merge_base(Repository(clone)).name == "master"
    git(clone, "branch", "-qD", "master")
    with pytest.raises(BaseMissingError, match=r"no upstream, origin, main or master\. Name a branch, tag or commit"):
        merge_base(Repository(clone))


@pytest.mark.parametrize("named", ["nothing", "", "--all", "origin/", "HEAD:file", "a b"])
def test_an_unknown_base_is_said(clone: Path, named: str) -> None:
    with pytest.raises(BaseMissingError) as caught:
        merge_base(Repository(clone), named)
    assert caught.value.problem == f"there is no commit '{named}' here"
    assert caught.value.remedy.startswith("Name a branch, tag or commit that is here; 'git fetch'")


def test_branches_that_have_nothing_in_common(clone: Path, git: Git) -> None:
    git(clone, "checkout", "-q", "--orphan", "other")
    commit(git, clone)
    with pytest.raises(BaseMissingError, match=r"this branch and main have no commit in common\. Name another base"):
        merge_base(Repository(clone), "main")


def test_nothing_is_committed_yet(tmp_path: Path, git: Git) -> None:
    git(tmp_path, "init", "-q")
    with pytest.raises(BaseMissingError, match="nothing is committed yet"):
        merge_base(Repository(tmp_path))


def test_a_shallow_clone_is_told_how_to_become_whole(clone: Path, git: Git, tmp_path: Path) -> None:
    git(clone, "checkout", "-qb", "edit")
    commit(git, clone)
    git(clone, "push", "-q", "origin", "edit")
    git(clone, "checkout", "-q", "main")
    commit(git, clone)
    git(clone, "push", "-q", "origin", "main")
    shallow = tmp_path / "shallow"
    bare = tmp_path / "bare.git"
    options = ["--depth=1", "--branch=edit"]
    subprocess.run(["git", "clone", "-q", *options, f"file://{bare}", str(shallow)], check=True)
    with pytest.raises(BaseMissingError, match=r"no commit 'origin/main' here.*'fetch-depth: 0'.*GIT_DEPTH: 0"):
        merge_base(Repository(shallow), "origin/main")
    git(shallow, "fetch", "-q", "--depth=1", "origin", "main:refs/remotes/origin/main")
    with pytest.raises(BaseMissingError, match=r"no commit in common.*git fetch --unshallow"):
        merge_base(Repository(shallow), "origin/main")
    git(shallow, "fetch", "-q", "--unshallow")
    assert merge_base(Repository(shallow), "origin/main").name == "origin/main"
