"""A repository that authors push to."""

import subprocess
from collections.abc import Callable

from indexer import update
from indexer.git import Repository
from indexer.git_ref import GitRef
from tests.conftest import Desk
from tests.written import catalogue

Git = Callable[..., str]


class Authored:
    """An author's clone with a bare repository beside it, new or a copy, and the desk that reads the latter."""

    def __init__(self, desk: Desk, git: Git, folder: str = "") -> None:
        self.desk, self._git, self.folder = desk, git, folder
        self.bare = desk.data.parent / "bare.git"
        self.clone = desk.data.parent / "clone"
        if self.clone.exists():
            git(self.clone, "remote", "set-url", "origin", str(self.bare))
            return
        self.clone.mkdir()
        git(self.clone, "init", "-q", "-b", "main")
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(self.bare)], check=True)
        git(self.clone, "remote", "add", "origin", str(self.bare))

    def git(self, *arguments: str, date: str = "2026-01-01T00:00:00Z") -> str:
        return self._git(self.clone, *arguments, date=date).strip()

    def write(self, path: str, text: str) -> None:
        file = self.clone / self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")

    def push(self, subject: str = "change", *, force: bool = False, date: str = "2026-01-01T00:00:00Z") -> str:
        self.git("add", "-A")
        self.git("commit", "-qm", subject, "--allow-empty", date=date)
        self.git("push", "-q", *(["--force"] if force else []), "origin", "HEAD:main")
        return self.git("rev-parse", "HEAD")

    def update(self, ref: str = "main") -> list[str]:
        """Publish, and give what is refused."""
        content = GitRef(Repository(self.bare, self.folder), ref)
        try:
            report = update(content, self.desk.index, self.desk.encoder, self.desk.cache)
        finally:
            content.close()
        return [str(problem) for problem in report.refusals]


def objects(desk: Desk) -> list[str]:
    return [one.id for one in catalogue(desk).objects()]


BROKEN = "---\ntitle: a: b\n---\n"
