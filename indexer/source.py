"""The content: what every source of it can tell, and the working tree as it lies, with what git knows of its history.

Links are never followed: one that leads out is refused, one that stays inside is passed over, as what it names is
there under its own path.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Protocol

from indexer.errors import ContentMissingError, Problem
from indexer.git import Repository
from indexer.git_command import GitError
from indexer.history import LONGEST_PATH, History, history, revisions
from indexer.knowledge import MAX_FILE_BYTES
from indexer.lookalikes import has_unseen

ARTICLE_ENDINGS = (".md", ".markdown")
TRANSCRIPT_ENDINGS = (".vtt", ".srt")
NEVER_CONTENT = frozenset({".git", ".hg", ".svn", ".venv", ".tox", ".obsidian", ".trash", "node_modules"})
# A file changed this shortly before a look may change again within one tick of the clock and look the same
_RACY_NS = 2_000_000_000
_MOST_SHOWN = 200
# So many versions back a broken file's last good one is looked for
_MOST_OLDER = 50


@dataclass(frozen=True, slots=True)
class Scan:
    """All files: path relative to the content -> stamp, equal as long as the file is surely unchanged.

    ``others`` are the files that are neither article nor transcript, such as pictures.
    """

    articles: Mapping[str, str]
    transcripts: Mapping[str, str]
    others: frozenset[str]
    problems: tuple[Problem, ...]


class Content(Protocol):
    """Where articles come from: files as they lie (WorkingTree), or a commit (GitRef in git_ref.py)."""

    def scan(self) -> Scan:
        """All files, and what is wrong with some before they are read. Raises what keeps all from being read."""

    def read(self, path: str) -> bytes:
        """A file's bytes, one more than the most at most, so that a huge one is seen to be too large."""

    def revision(self) -> str | None:
        """The commit that this is, or is based on; None without git."""

    def history(self, since: str | None) -> History:
        """What git tells of the past, or of what came after a commit; nothing without git."""

    def updated(self, path: str) -> datetime:
        """When a file last changed."""

    def older(self, path: str) -> Iterator[tuple[bytes, datetime]]:
        """What git has of the file from before, back to when it was added, newest first, and since when."""

    def blob(self, name: str) -> bytes | None:
        """Bytes by git's name of them; None without git, and where they are gone or damaged."""

    def close(self) -> None:
        """End what runs for it."""


class WorkingTree:
    """A folder of Markdown, in a git repository or not. ``never`` are folders of ours that may lie inside it."""

    def __init__(self, root: Path, never: Iterable[Path] = ()) -> None:
        self._never = frozenset(str(folder.resolve()) for folder in never)
        if not root.is_dir():
            raise ContentMissingError(f"there is no content folder {root}", "Name one by --content or KB_CONTENT")
        self.root = root.resolve()

    @cached_property
    def repository(self) -> Repository | None:
        """The repository that the folder lies in; None where there is no git, or no repository that it will read."""
        try:
            return Repository(self.root)
        except GitError:
            return None

    def scan(self) -> Scan:
        articles: dict[str, str] = {}
        transcripts: dict[str, str] = {}
        others: set[str] = set()
        problems: list[Problem] = []
        now = datetime.now(UTC).timestamp() * 1e9
        for entry, path in self._walk(problems):
            if not path.lower().endswith(ARTICLE_ENDINGS + TRANSCRIPT_ENDINGS):
                others.add(path)
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                # Gone since its folder was listed
                continue
            racy = abs(now - status.st_mtime_ns) < _RACY_NS or abs(now - status.st_ctime_ns) < _RACY_NS
            stamp = "" if racy else f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}-{status.st_ino}"
            (articles if path.lower().endswith(ARTICLE_ENDINGS) else transcripts)[path] = stamp
        return Scan(articles, transcripts, frozenset(others), tuple(sorted(problems)))

    def read(self, path: str) -> bytes:
        # A link that has taken the file's place since the scan is not followed either
        with open(self.root / path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW)) as file:
            return file.read(MAX_FILE_BYTES + 1)

    def revision(self) -> str | None:
        """The commit that is checked out, if the content is in a repository."""
        try:
            return self.repository.commit("HEAD") if self.repository else None
        except GitError:
            return None

    def history(self, since: str | None) -> History:
        """All of it, or nothing: what changed lately is told by the files, committed or not."""
        head = self.revision()
        if self.repository is None or head is None or since is not None:
            return History()
        try:
            return history(self.repository, head)
        except GitError:
            return History()

    def updated(self, path: str) -> datetime:
        """When the file on disk was last written; now, if it is gone since."""
        try:
            return datetime.fromtimestamp((self.root / path).stat().st_mtime, UTC)
        except OSError:
            return datetime.now(UTC)

    def older(self, path: str) -> Iterator[tuple[bytes, datetime]]:
        head = self.revision()
        if self.repository is not None and head is not None:
            with suppress(GitError):
                yield from older(self.repository, head, path)

    def blob(self, name: str) -> bytes | None:
        return past_blob(self.repository, name) if self.repository else None

    def close(self) -> None:
        """Nothing runs for it."""

    def _walk(self, problems: list[Problem]) -> Iterator[tuple[os.DirEntry[str], str]]:
        folders = [(str(self.root), "")]
        while folders:
            folder, prefix = folders.pop()
            try:
                entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
            except OSError as error:
                what = f"cannot be read: {error.strerror}"
                problems.append(Problem(_shown(prefix) or ".", 1, what, "Mend its permissions, or move it"))
                continue
            for entry in entries:
                path = f"{prefix}{entry.name}"
                if entry.name.lower() in NEVER_CONTENT or entry.path in self._never:
                    continue
                if entry.is_symlink():
                    problems += self._link_problems(entry, path)
                elif entry.is_dir():
                    folders.append((entry.path, f"{path}/"))
                elif entry.is_file():
                    if not has_unseen(path):
                        yield entry, path
                    elif path.lower().endswith(ARTICLE_ENDINGS + TRANSCRIPT_ENDINGS):
                        problems.append(unreadable_name(path))

    def _link_problems(self, entry: os.DirEntry[str], path: str) -> list[Problem]:
        target = os.path.realpath(entry.path)
        leads_to_content = os.path.isdir(target) or path.lower().endswith(ARTICLE_ENDINGS)  # noqa: PTH112 (of too long a name Path raises)
        if Path(target).is_relative_to(self.root) or not leads_to_content:
            return []
        return [leads_out(path)]


def leads_out(path: str) -> Problem:
    """A link is refused that leads out of the content."""
    return Problem(_shown(path), 1, "is a symbolic link that leads out of the content", "Put the file itself here")


def unreadable_name(path: str) -> Problem:
    """A file is refused whose name cannot be shown, or would be another path."""
    return Problem(_shown(path), 1, "the file's name is not plain text, or too long", "Rename the file")


def _shown(path: str) -> str:
    """A path as it can be shown: what is not plain is escaped, and of a path longer than any the beginning told."""
    plain = path.encode("unicode_escape", "backslashreplace").decode() if has_unseen(path) else path
    return plain if len(plain) <= LONGEST_PATH else f"{plain[:_MOST_SHOWN]}…"


def past_blob(repository: Repository, name: str) -> bytes | None:
    """What a file once said, for what can do without; None where it is gone or damaged."""
    with suppress(GitError):
        return repository.blob(name, MAX_FILE_BYTES + 1)
    return None


def older(repository: Repository, commit: str, path: str) -> Iterator[tuple[bytes, datetime]]:
    """What a file said before, newest first, over renames and back to when it was added, and since when.

    What was there before a deletion is another file's. Raises GitError.
    """
    for revision in revisions(repository, commit, path)[:_MOST_OLDER]:
        data = past_blob(repository, revision.blob)
        if data is not None:
            yield data, revision.at
        if revision.change == "added":
            return
