"""A git repository: what it holds and knows.

It is only read, from its object store, so that links are never followed and half-written files never seen.
"""

import hashlib
import os
import re
import subprocess
from pathlib import Path
from types import TracebackType
from typing import IO, Self, cast

from indexer.git_command import FIXED, GIT_SECONDS, MOST_SAID_BYTES, GitError, environment, run_git, said_within
from indexer.processes import says_something

_LOOK = "Look at the repository by 'git fsck'"
_FULL_NAME = re.compile(r"[0-9a-f]{40}")


class Repository:
    """A folder of a git repository, bare or not. ``prefix`` is its path inside, ending in "/"; empty for the whole."""

    def __init__(self, folder: Path, inside: str = "") -> None:
        """Of the repository that ``folder`` is, or lies in; ``inside`` is a path below that.

        Raises GitError where there is none, or git will not read it.
        """
        asked = ("--show-prefix", "--is-bare-repository", "--show-object-format", "--absolute-git-dir")
        said = run_git("-C", str(folder), "rev-parse", *asked)
        prefix, bare, object_format, git_dir = os.fsdecode(said).removesuffix("\n").split("\n", 3)
        if object_format != "sha1":
            raise GitError(f"{folder} names its objects by {object_format}", "Use a repository that uses SHA-1")
        self.is_bare, self.git_dir = bare == "true", Path(git_dir)
        top = folder.resolve()
        self.top = top.parents[len(Path(prefix).parts) - 1] if prefix else top
        self.prefix = f"{prefix}{inside.strip('/')}/" if inside.strip("/") else prefix

    def run(self, *arguments: str, seconds: float = GIT_SECONDS, most: int = MOST_SAID_BYTES) -> bytes:
        """What git prints, run at the top. Raises GitError, where it prints over ``most`` bytes too."""
        return run_git("-C", str(self.top), *arguments, seconds=seconds, most=most)

    def commit(self, revision: str) -> str | None:
        """The commit's full name, of a branch, tag, or abbreviation; None where there is no such commit."""
        try:
            found = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        except GitError:
            # Asked again, so that a repository that is gone or damaged is not taken for one without the commit
            self.run("rev-parse", "--git-dir")
            return None
        return found.decode().strip()

    def has(self, name: str) -> bool:
        """Whether there is such an object."""
        try:
            self.run("cat-file", "-e", name)
        except GitError:
            return False
        return True

    def is_ancestor(self, commit: str, of: str) -> bool:
        """Whether a commit is in the history of another, or is it. Full names only."""
        try:
            self.run("merge-base", "--is-ancestor", commit, of)
        except GitError:
            return False
        return True

    def blob(self, name: str, most: int) -> bytes | None:
        """The first bytes of a blob, by its name or as ``COMMIT:PATH``; None where there is none.

        Raises GitError where there is one that cannot be read, or is not what it is named after.
        """
        command = [*FIXED, "-C", str(self.top), "cat-file", "blob", name]
        process = subprocess.Popen(
            command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        data, in_time = said_within(process, GIT_SECONDS, most - 1)
        if not in_time:
            raise _too_slow()
        if len(data) == most:
            return data
        if process.returncode == 0:
            return _as_written(data, name)
        if self.has(name):
            raise _unreadable(name)
        return None


class Blobs:
    """Many blobs of one repository, by one process that is kept; close it, or use it in a ``with``."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._command = [*FIXED, "-C", str(repository.top), "cat-file", "--batch"]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    def read(self, name: str, most: int | None = None) -> bytes:
        """A blob by its full name, or its first bytes.

        Raises FileNotFoundError where it is missing or no blob, GitError where git ended or it is not what it is named
        after.
        """
        if self._process is None:
            self._process = subprocess.Popen(
                self._command, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )  # fmt: skip
        asked, answers = cast(IO[bytes], self._process.stdin), cast(IO[bytes], self._process.stdout)
        try:
            asked.write(f"{name}\n".encode())
            asked.flush()
        except BrokenPipeError as error:
            raise _ended() from error
        # One blob is asked for at a time, so that nothing of it can be here already
        if not says_something(answers, GIT_SECONDS):
            self.close()
            raise _too_slow()
        head = answers.readline().split()
        if not head:
            raise _ended()
        if len(head) != 3:
            if self._repository.has(name):
                raise _unreadable(name)
            raise FileNotFoundError(2, "it is missing in the repository", name)
        if head[1] != b"blob":
            # Its bytes, however many, are on their way
            self.close()
            raise FileNotFoundError(2, "the repository has no file there, but something else", name)
        size = int(head[2])
        data = answers.read(size if most is None else min(size, most))
        if len(data) < (size if most is None else min(size, most)):
            # It says how large an object is before it finds that it is damaged
            self.close()
            raise _ended()
        if len(data) < size:
            # To read the rest only to pass over it could take longer than to begin anew
            self.close()
            return data
        answers.read(1)
        return _as_written(data, name)

    def close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


def blob_id(data: bytes) -> str:
    """Git's name for these bytes, so that any revision can be read back from the repository."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _as_written(data: bytes, name: str) -> bytes:
    """The whole of a blob, unless it is other than its full name says. Raises GitError."""
    if _FULL_NAME.fullmatch(name) and name != blob_id(data):
        raise GitError(f"object {name} is not as it was written", _LOOK)
    return data


def _unreadable(name: str) -> GitError:
    return GitError(f"object {name} cannot be read", _LOOK)


def _ended() -> GitError:
    return GitError("git ended while objects were read", _LOOK)


def _too_slow() -> GitError:
    return GitError(f"git took over {GIT_SECONDS} s to read a file", "Look at the disk or the remote")
