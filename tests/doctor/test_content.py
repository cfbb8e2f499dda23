"""kb doctor on content, its repository and its remote."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.authors import Author, ann, bare
from tests.doctor.house import House
from tests.written import article

__all__ = ["ann", "bare"]


def test_content_that_is_missing_empty_or_not_live_yet_is_named(house: House) -> None:
    content = house.folder / "content"
    shutil.copytree(Path(house.settings["KB_CONTENT"]), content)
    house.settings["KB_CONTENT"] = str(content)
    (content / "new.md").write_text(article("New", "Not published."))
    house.do(house.only("published", "warning", "files that are not as they are live: 1"))
    assert house.wrong() == []
    (content / "bad.md").write_text("---\ntitle: a: b\n---\n")
    house.do("Run: kb index")
    assert "kb check" in house.only("published", "warning", "refused files: 1. bad.md:2: broken YAML")
    for path in content.iterdir():
        path.unlink()
    (found,) = [one for one in house.wrong() if one["name"] == "content"]
    assert (found["level"], "no article in" in found["said"]) == ("error", True)
    content.rmdir()
    assert "KB_CONTENT" in house.only("content", "error", "there is no content folder")


def test_a_repository_that_git_will_not_read_is_told_by_its_history(house: House, git: Callable[..., str]) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a repository away")
    content = house.folder / "content"
    shutil.copytree(Path(house.settings["KB_CONTENT"]), content)
    house.settings.update(KB_CONTENT=str(content), HOME=str(house.folder), GIT_CONFIG_SYSTEM="/dev/null")
    git(content, "init", "-q")
    git(content, "add", "-A")
    git(content, "commit", "-qm", "first")
    house.do("Run: kb index")
    assert house.wrong() == []
    for path in (content, content / ".git"):
        os.chown(path, 12345, -1)
    house.do(house.only("content", "warning", "no history: .*dubious ownership"))
    assert house.wrong() == []


def test_a_branch_that_is_followed_its_hook_and_its_remote(house: House, bare: Path, ann: Author) -> None:
    house.settings.update(KB_CONTENT=str(bare), KB_CONTENT_REF="main")
    house.do("Run: kb index")
    hook = bare / "hooks" / "post-receive"
    remedy = house.only("hooks", "warning", f"there is no {hook}: a push is looked for only every 60 s")
    for spoil, said in (
        (lambda: None, "there is no"),
        (lambda: hook.chmod(0o644), "is not executable"),
        (lambda: hook.write_text(hook.read_text().replace(str(house.data), "/srv/other")), "asks another data folder"),
        (lambda: hook.write_text(hook.read_text().replace("refs/heads/main", "refs/heads/old")), "another branch"),
        (lambda: hook.write_text(f"#!/bin/sh\n# Made by 'kb hook install'.\n{house.data}"), "asks another"),
    ):  # fmt: skip
        spoil()
        house.do(house.only("hooks", "warning", said))
        assert house.wrong() == [] or os.access(hook, os.X_OK) is False
        house.do(remedy)
        hook.chmod(0o755)
        assert house.wrong() == []
    ann.write("new.md", article("New", "Not published."))
    ann.write("runbooks/vpn.md", article("VPN drops", "Restart the numbat client."))
    ann.push("one is new, one is changed")
    house.do(house.only("published", "warning", "not as they are live: 2, new.md for one"))
    assert house.wrong() == []
    house.settings["KB_CONTENT_REF"] = "nowhere"
    (found,) = [one for one in house.wrong() if one["name"] == "content"]
    assert "there is no ref 'nowhere'" in found["said"]
    del house.settings["KB_CONTENT_REF"]
    house.settings["KB_CONTENT_REMOTE"] = str(bare)
    assert "not cloned yet" in next(one["said"] for one in house.doctor() if one["name"] == "content")
    house.do("Run: kb index")
    assert house.wrong() == []
    house.settings["KB_CONTENT_REF"] = "nowhere"
    house.only("remote", "error", "has no branch or tag 'nowhere'")
    shutil.rmtree(bare)
    house.only("remote", "error", "cannot be asked, so nothing new is published")
