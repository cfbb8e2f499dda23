"""How git is run: in time, on nothing but what was asked for, and as the administrator has set it up."""

import os
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.git import Blobs, Repository
from indexer.git_command import GitError, environment, run_git, without_credentials
from tests.hostile import Store


def test_the_time_limit_holds_where_git_ends_before_what_it_runs() -> None:
    started = time.monotonic()
    with pytest.raises(GitError, match="took over 1 s"):
        run_git("-c", "alias.x=!sleep 12 & exit 0", "x", seconds=1)
    assert time.monotonic() - started < 6


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.git")
    blob = store.put("blob", b"# A")
    line = b"100644 x\0" + bytes.fromhex(blob)
    tree = store.put("tree", line * 1_000_000)
    with Blobs(Repository(store.folder)) as blobs:
        assert blobs.read(blob) == b"# A"
        tracemalloc.start()
        with pytest.raises(FileNotFoundError):
            blobs.read(tree)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert most < 1_000_000
        assert blobs.read(blob) == b"# A"


def test_how_ssh_is_set_up_is_respected_and_it_asks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GIT_SSH_COMMAND", raising=False)
    monkeypatch.delenv("GIT_SSH", raising=False)
    asked = tmp_path / "asked"
    ours = tmp_path / "ours"
    ours.write_text(f'#!/bin/sh\necho "$SSH_ASKPASS_REQUIRE" >"{asked}"\nexit 1\n')
    ours.chmod(0o755)
    with pytest.raises(GitError, match="ls-remote"):
        run_git("-c", f"core.sshCommand={ours}", "ls-remote", "ssh://127.0.0.1/x", seconds=10)
    assert asked.read_text().strip() == "never"
    asked.unlink()
    monkeypatch.setenv("GIT_SSH", str(ours))
    with pytest.raises(GitError, match="ls-remote"):
        run_git("ls-remote", "ssh://127.0.0.1/x", seconds=10)
    assert asked.exists()
    assert "GIT_SSH_COMMAND" not in environment()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ann:s3cret@git.example/kb.git", "https://git.example/kb.git"),
        ("https://ann:p@ss@git.example/kb.git", "https://git.example/kb.git"),
        ("https://git.example/a@b/kb.git", "https://git.example/a@b/kb.git"),
        ("git@git.example:acme/kb.git", "git@git.example:acme/kb.git"),
    ],
)
def test_credentials_are_not_shown(url: str, shown: str) -> None:
    assert without_credentials(url) == shown


def test_what_git_complains_of_shows_no_credentials() -> None:
    with pytest.raises(GitError) as raised:
        run_git("ls-remote", "https://ann:p@ss@127.0.0.1:1/kb.git", seconds=30)
    assert "ss@" not in str(raised.value)


@pytest.mark.parametrize(
    ("home", "told"), [("home", "run: git config --global"), ("none", "as root run: git config --system")]
)
def test_a_repository_of_somebody_else_is_told_how_to_be_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, git: Callable[..., str], home: str, told: str
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a repository away")
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / home))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    foreign = tmp_path / "foreign repository"
    foreign.mkdir()
    git(foreign, "init", "-q", "--bare")
    os.chown(foreign, 12345, -1)
    with pytest.raises(GitError, match="dubious ownership") as caught:
        run_git("ls-remote", foreign.as_uri())
    assert told in caught.value.remedy
    assert caught.value.remedy.endswith(f" --add safe.directory '{foreign}'")
