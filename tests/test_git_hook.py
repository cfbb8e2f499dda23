"""Git's own hooks, as ``kb hook install`` writes them, with real pushes and commits."""

import os
import stat
import subprocess
import time
from pathlib import Path

from tests import forked
from tests.authors import Author, Service, ann, bare, hits
from tests.conftest import eventually
from tests.written import article

__all__ = ["ann", "bare"]


def test_a_commit_in_an_authors_own_repository_is_live_by_its_hooks(tmp_path: Path, ann: Author) -> None:
    service = Service(tmp_path / "data", KB_CONTENT=str(ann.folder), KB_CONTENT_REF="main")
    assert service.kb("hook", "install").count("post-") == 4
    with service.running() as client:
        ann.write("runbooks/vpn.md", article("VPN drops", "Restart the numbat client."))
        assert hits(client, "numbat") == [], "not committed"
        ann.git("commit", "-qam", "edit")
        eventually(lambda: hits(client, "numbat") == ["runbooks/vpn"])
        ann.git("reset", "-q", "--hard", "HEAD~1")
        ann.git("checkout", "-q", "--detach")
        ann.git("checkout", "-q", "main")
        eventually(lambda: hits(client, "wombat") == ["runbooks/vpn"])


def test_somebody_elses_hook_is_left_alone(tmp_path: Path, bare: Path) -> None:
    hook = bare / "hooks" / "post-receive"
    hook.write_text("#!/bin/sh\necho mine\n")
    environment = {**Service(tmp_path / "data").environment, "KB_CONTENT": str(bare)}
    done = forked.kb(["hook", "install"], environment)
    assert (done.returncode, hook.read_text()) == (3, "#!/bin/sh\necho mine\n")
    assert "not made by kb" in done.stderr
    hook.unlink()
    for _ in range(2):
        assert forked.kb(["hook", "install"], environment).returncode == 0
    assert hook.stat().st_mode & stat.S_IXUSR


def test_a_push_to_another_branch_asks_for_nothing(tmp_path: Path, bare: Path, ann: Author) -> None:
    service = Service(tmp_path / "data", KB_CONTENT=str(bare), KB_CONTENT_REF="main")
    service.kb("hook", "install")
    ann.git("checkout", "-qb", "draft")
    ann.git("push", "-q", "origin", "draft")
    assert not (tmp_path / "data" / "publish" / "requested").exists()
    said = ann.push("nobody serves")
    assert "kb: no answer from the service within 5 s" in said
    assert (tmp_path / "data" / "publish" / "requested").exists()


class Asking:
    """A hook in the bare repository, and a service that answers what a test says."""

    def __init__(self, data: Path, bare: Path, ann: Author, **settings: str) -> None:
        Service(data, KB_CONTENT=str(bare), **settings).kb("hook", "install")
        self.requested, self.outcome = data / "publish" / "requested", data / "publish" / "outcome"
        self.ann = ann

    def push(self, *what: str) -> subprocess.Popen[str]:
        """Returns when the service is asked; the push waits on."""
        self.requested.unlink(missing_ok=True)
        command = ["git", "-C", str(self.ann.folder), "push", "-q", "--force", "origin", *what]
        pushing = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        eventually(self.requested.exists, "it is asked")
        return pushing

    def answer(self, commit: str, said: str) -> None:
        self.outcome.parent.mkdir(parents=True, exist_ok=True)
        part = self.outcome.with_name("part")
        part.write_text(f"{commit}\nkb: {said}\n")
        part.replace(self.outcome)


def test_of_two_quick_pushes_each_is_told_what_is_live(tmp_path: Path, bare: Path, ann: Author) -> None:
    asking, first = Asking(tmp_path / "data", bare, ann), ann.head
    pushes = []
    for subject in ("one", "two"):
        ann.git("commit", "--allow-empty", "-qm", subject)
        pushes.append(asking.push("HEAD:main"))
    asking.answer(first, "what was live before")
    asking.answer(ann.head, "live with both")
    assert all("live with both" in one.communicate()[1] for one in pushes)
    back = asking.push(f"{first}:main")
    asking.answer(ann.head, "what was taken back")
    time.sleep(0.3)
    asking.answer(first, "live again")
    assert "kb: live again" in back.communicate()[1]


def test_what_keeps_the_service_from_looking_is_told(tmp_path: Path, bare: Path, ann: Author) -> None:
    asking = Asking(tmp_path / "data", bare, ann)
    asking.answer("", "not published yet: an older failure")
    ann.git("commit", "--allow-empty", "-qm", "one")
    push = asking.push("HEAD:main")
    asking.answer("", "not published yet: the disk is full")
    assert "kb: not published yet: the disk is full" in push.communicate()[1]


def test_a_tag_that_is_followed_asks_when_it_is_moved(tmp_path: Path, bare: Path, ann: Author) -> None:
    asking = Asking(tmp_path / "data", bare, ann, KB_CONTENT_REF="live")
    ann.git("tag", "-a", "-m", "tag", "live")
    push = asking.push("live")
    asking.answer(ann.head, "live by its tag")
    assert "kb: live by its tag" in push.communicate()[1]


def test_a_linked_worktree_has_its_repositorys_hooks(tmp_path: Path, ann: Author) -> None:
    ann.git("worktree", "add", "-q", "--detach", str(tmp_path / "beside"))
    said = Service(tmp_path / "data", KB_CONTENT=str(tmp_path / "beside")).kb("hook", "install")
    assert said.replace("\n", "").count(str(ann.folder / ".git" / "hooks" / "post-")) == 4


def test_a_branch_that_is_not_there_is_said_when_its_hook_is_written(tmp_path: Path, bare: Path, ann: Author) -> None:
    def said(repository: Path, **settings: str) -> str:
        install = ["hook", "install", str(repository), "--data", str(tmp_path / "data")]
        done = forked.kb(install, {**os.environ, **settings})
        assert done.returncode == 0
        return done.stderr

    empty = tmp_path / "empty.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "master", str(empty)], check=True)
    assert "There is no commit at HEAD yet" in said(empty)
    ann.write("vpn.md", article("VPN"))
    ann.push("one")
    assert said(bare) == ""
    assert "There is no commit at dev yet" in said(bare, KB_CONTENT_REF="dev")
