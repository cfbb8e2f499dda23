"""The content as files: a working tree as it lies, with what git knows of its history.

Links are never followed: one that leads out is refused, one that stays inside is passed over, as what it names is
there under its own path.
"""

import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from indexer.errors import ContentMissingError, Problem
from indexer.knowledge import MAX_FILE_BYTES

ARTICLE_ENDINGS = (".md", ".markdown")
TRANSCRIPT_ENDINGS = (".vtt", ".srt")
_NEVER_CONTENT = frozenset({".git", ".hg", ".svn", ".venv", ".tox", ".obsidian", ".trash", "node_modules"})
_GIT_SECONDS = 60
# A file changed this shortly before a look may change again within one tick of the clock and look the same
_RACY_NS = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Scan:
    """All files: path relative to the content -> stamp, equal as long as the file is surely unchanged.

    ``others`` are the files that are neither article nor transcript, such as pictures.
    """

    articles: Mapping[str, str]
    transcripts: Mapping[str, str]
    others: frozenset[str]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class History:
    """What git tells: when each path was created and last changed, and which paths were once called otherwise."""

    created: Mapping[str, datetime] = field(default_factory=dict)
    updated: Mapping[str, datetime] = field(default_factory=dict)
    renames: tuple[tuple[str, str], ...] = ()

    def latest_names(self) -> dict[str, str]:
        """Every former path -> what that file is called now, the later rename of a path winning."""
        latest: dict[str, str] = {}
        for old, new in self.renames:
            latest.pop(new, None)
            latest = {former: new if now == old else now for former, now in latest.items()}
            latest[old] = new
        return latest


class WorkingTree:
    """A folder of Markdown, in a git repository or not. ``never`` are folders of ours that may lie inside it."""

    def __init__(self, root: Path, never: Iterable[Path] = ()) -> None:
        self._never = frozenset(str(folder.resolve()) for folder in never)
        if not root.is_dir():
            raise ContentMissingError(f"there is no content folder {root}", "Name one by --content or KB_CONTENT")
        self.root = root.resolve()

    def scan(self) -> Scan:
        articles: dict[str, str] = {}
        transcripts: dict[str, str] = {}
        others: set[str] = set()
        problems: list[Problem] = []
        now = datetime.now(UTC).timestamp() * 1e9
        for entry, path in self._walk(self.root, "", problems):
            if not path.lower().endswith(ARTICLE_ENDINGS + TRANSCRIPT_ENDINGS):
                others.add(path)
                continue
            status = entry.stat(follow_symlinks=False)
            racy = abs(now - status.st_mtime_ns) < _RACY_NS or abs(now - status.st_ctime_ns) < _RACY_NS
            stamp = "" if racy else f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}-{status.st_ino}"
            (articles if path.lower().endswith(ARTICLE_ENDINGS) else transcripts)[path] = stamp
        return Scan(articles, transcripts, frozenset(others), tuple(sorted(problems)))

    def read(self, path: str) -> bytes:
        """A file's bytes, one more than the most at most, so that a huge one is seen to be too large."""
        with (self.root / path).open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)

    def revision(self) -> str | None:
        """The commit that is checked out, if the content is in a repository."""
        return (self._git("rev-parse", "--verify", "--quiet", "HEAD") or "").strip() or None

    def history(self) -> History:
        """One pass over git's log; nothing where there is no repository."""
        log = self._git(
            "log", "--reverse", "--format=%x01%cI", "--name-status", "-z", "--relative", "--no-renames", "--", "."
        )
        if not log:
            return History()
        renames = self._git(
            "log", "--reverse", "-M", "--diff-filter=R", "--format=", "--name-status", "-z", "--relative", "--", "."
        )
        created, updated = _times(log)
        return History(created, updated, tuple(_renames(renames or "")))

    def updated(self, path: str) -> datetime:
        """When the file on disk was last written; now, if it is gone since."""
        try:
            return datetime.fromtimestamp((self.root / path).stat().st_mtime, UTC)
        except OSError:
            return datetime.now(UTC)

    def _walk(self, folder: Path, prefix: str, problems: list[Problem]) -> Iterator[tuple[os.DirEntry[str], str]]:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            problems.append(Problem(prefix or ".", 1, f"cannot be read: {error.strerror}", "Mend its permissions"))
            return
        for entry in entries:
            path = f"{prefix}{entry.name}"
            if entry.name in _NEVER_CONTENT or entry.path in self._never:
                continue
            if entry.is_symlink():
                problems += self._link_problems(entry, path)
            elif entry.is_dir():
                yield from self._walk(Path(entry.path), f"{path}/", problems)
            elif entry.is_file():
                if path.isprintable():
                    yield entry, path
                elif path.lower().endswith(ARTICLE_ENDINGS + TRANSCRIPT_ENDINGS):
                    shown = path.encode("unicode_escape", "backslashreplace").decode()
                    problems.append(Problem(shown, 1, "the file's name is not plain text", "Rename the file"))

    def _link_problems(self, entry: os.DirEntry[str], path: str) -> list[Problem]:
        target = Path(os.path.realpath(entry.path))
        leads_to_content = target.is_dir() or path.lower().endswith(ARTICLE_ENDINGS)
        if target.is_relative_to(self.root) or not leads_to_content:
            return []
        return [Problem(path, 1, "is a symbolic link that leads out of the content", "Put the file itself here")]

    def _git(self, *arguments: str) -> str | None:
        """Git's output, or None: no git, no repository, or one that git will not read."""
        command = [
            "git",
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "core.quotePath=false",
            "-C",
            str(self.root),
            *arguments,
        ]
        environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
        try:
            done = subprocess.run(command, env=environment, capture_output=True, timeout=_GIT_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def _times(log: str) -> tuple[dict[str, datetime], dict[str, datetime]]:
    created: dict[str, datetime] = {}
    updated: dict[str, datetime] = {}
    for commit in log.split("\x01")[1:]:
        date, _, changes = commit.partition("\0")
        moment = datetime.fromisoformat(date.strip()).astimezone(UTC)
        fields = changes.strip("\n").split("\0")
        for status, path in zip(fields[::2], fields[1::2], strict=False):
            updated[path] = moment
            if status.strip() == "D":
                created.pop(path, None)
            else:
                created.setdefault(path, moment)
    return created, updated


def _renames(log: str) -> Iterator[tuple[str, str]]:
    fields = [part for part in log.replace("\n", "").split("\0") if part]
    for status, old, new in zip(fields[::3], fields[1::3], fields[2::3], strict=False):
        if status.startswith("R"):
            yield old, new
