"""A repository, its authors, and a running service that follows them."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.conftest import WAIT_SECONDS, eventually
from tests.forked import Run, begin, kb
from tests.written import article

Git = Callable[..., str]
KB = [sys.executable, "-m", "kb_service.cli"]


class Service:
    """A running ``kb serve``, forked from a process that has imported everything."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.environment = {
            **os.environ, "KB_ENCODER": "hashing", "KB_PORT": "0", "KB_POLL_SECONDS": "0", "KB_DATA": str(folder),
            **settings,
        }  # fmt: skip
        self.log, self._out = folder.parent / "log", folder.parent / "out"
        self.process: Run | subprocess.Popen[bytes] | None = None

    @contextmanager
    def running(self, *options: str, how: signal.Signals = signal.SIGTERM) -> Iterator[httpx2.Client]:
        """Started and answering; ended by a signal."""
        self.process = process = self._begun(*options)
        try:
            eventually(lambda: "Ctrl+C" in self._out.read_text() or process.poll() is not None, "it answers")
            address = re.search(r"http://\S+:\d+", self._out.read_text())
            assert address is not None, self.log.read_text()
            with httpx2.Client(base_url=address[0], timeout=WAIT_SECONDS) as client:
                yield client
        finally:
            process.send_signal(how)
            process.wait(WAIT_SECONDS)

    def _begun(self, *options: str) -> Run | subprocess.Popen[bytes]:
        return begin(["serve", *options], self.environment, out=self._out, err=self.log)

    @property
    def pid(self) -> int:
        """Of the one that is running, or was last."""
        assert self.process is not None
        return self.process.pid

    def kb(self, *arguments: str) -> str:
        done = kb(arguments, self.environment)
        assert done.returncode == 0, done.stderr
        return done.stdout


class StandaloneService(Service):
    """One that begins by itself, for what looks at its memory, at how it ends, or is set before it begins."""

    def _begun(self, *options: str) -> Run | subprocess.Popen[bytes]:
        with self._out.open("w") as out, self.log.open("w") as log:
            return subprocess.Popen([*KB, "serve", *options], env=self.environment, stdout=out, stderr=log)


def hits(client: httpx2.Client, text: str) -> list[str]:
    found = client.get("/api/search", params={"q": text}).raise_for_status().json()["hits"]
    return [hit["id"] for hit in found if any(reason["lane"] in {"words", "title"} for reason in hit["reasons"])]


def publishing(client: httpx2.Client) -> dict[str, Any]:
    body: dict[str, Any] = client.get("/api/publishing").raise_for_status().json()
    return body


class Author:
    """A clone of the bare repository, and what somebody does in it."""

    def __init__(self, folder: Path, bare: Path, git: Git) -> None:
        self.folder, self._git = folder, git
        git(folder.parent, "clone", "-q", str(bare), folder.name)

    def git(self, *arguments: str) -> str:
        return self._git(self.folder, *arguments).strip()

    def write(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")

    def push(self, subject: str, *options: str) -> str:
        """Commit everything and push; gives what the hook said."""
        self.git("add", "-A")
        self.git("commit", "-qm", subject, "--allow-empty")
        done = subprocess.run(
            ["git", "-C", self.folder, "push", *options, "origin", "HEAD:main"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stderr

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    folder = tmp_path / "bare.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder)], check=True)
    return folder


@pytest.fixture
def ann(tmp_path: Path, bare: Path, git: Git) -> Author:
    author = Author(tmp_path / "ann", bare, git)
    author.git("checkout", "-qb", "main")
    author.write("runbooks/vpn.md", article("VPN drops", "Restart the wombat client."))
    author.push("first")
    return author
