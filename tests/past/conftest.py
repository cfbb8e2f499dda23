"""The same past for every test, each with a copy of its own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Desk
from tests.past.told import Git, Told
from tests.written import article


@pytest.fixture(scope="session")
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
