"""Git's own hooks, as ``kb hook install`` writes them, with real pushes and commits."""

import stat
import subprocess
from pathlib import Path

from tests.authors import KB, Author, Service, ann, bare, hits
from tests.conftest import eventually
from tests.test_build import article

__all__ = ["ann", "bare"]


def test_a_commit_in_an_authors_own_repository_is_live_by_its_hooks(tmp_path: Path, bare: Path, ann: Author) -> None:
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
    assert bare.exists()


def test_somebody_elses_hook_is_left_alone(tmp_path: Path, bare: Path) -> None:
    hook = bare / "hooks" / "post-receive"
    hook.write_text("#!/bin/sh\necho mine\n")
    environment = {**Service(tmp_path / "data").environment, "KB_CONTENT": str(bare)}
    done = subprocess.run([*KB, "hook", "install"], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, hook.read_text()) == (3, "#!/bin/sh\necho mine\n")
    assert "not made by kb" in done.stderr
    hook.unlink()
    for _ in range(2):
        subprocess.run([*KB, "hook", "install"], env=environment, check=True, capture_output=True)
    assert hook.stat().st_mode & stat.S_IXUSR


def test_a_push_to_another_branch_asks_for_nothing(tmp_path: Path, bare: Path, ann: Author) -> None:
    service = Service(tmp_path / "data", KB_CONTENT=str(bare), KB_CONTENT_REF="main")
    service.kb("hook", "install")
    ann.git("checkout", "-qb", "draft")
    ann.git("push", "-q", "origin", "draft")
    assert not (tmp_path / "data" / "publish" / "requested").exists()
    said = ann.push("nobody serves")
    assert "kb: the service has not looked yet" in said
    assert (tmp_path / "data" / "publish" / "requested").exists()
