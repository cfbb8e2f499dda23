"""What git knows of the past: when each path came and last changed, what it was called, one file's revisions.

Format: ``git log --raw -z`` (git-diff, "Raw output format"). Its fields are told by position, so that no name of a file
or an author can be taken for another field.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from indexer.git import Repository

Change = Literal["added", "changed", "renamed", "deleted"]
_CHANGES: Mapping[str, Change] = {"A": "added", "R": "renamed", "C": "added", "D": "deleted"}
_HEAD = "--format=%x01%H%x00%cI%x00%an%x00%ae%x00%s"
_RAW = ("--raw", "-z", "-M", "--no-abbrev", "--no-color", "--no-ext-diff", "--no-textconv", _HEAD)
_HEAD_FIELDS = 5
# A system's longest path: one that is longer could not be handed to git again
LONGEST_PATH = 4096


@dataclass(frozen=True, slots=True)
class Revision:
    """One file as one commit left it. ``blob`` is git's name of its bytes: of the last ones where it is deleted."""

    commit: str
    at: datetime
    author: str
    email: str
    subject: str
    path: str
    blob: str
    change: Change
    path_before: str


@dataclass(frozen=True, slots=True)
class History:
    """Of a span of commits: when each path was created and last changed, former names, what was deleted.

    ``created`` goes back over renames, and a rename alone is no update. ``deleted`` are paths that are gone at its end
    and not renamed. ``whole``: from the first commit on. ``trouble`` is what kept it from being read.
    """

    created: Mapping[str, datetime] = field(default_factory=dict)
    updated: Mapping[str, datetime] = field(default_factory=dict)
    renames: tuple[tuple[str, str], ...] = ()
    deleted: Mapping[str, Revision] = field(default_factory=dict)
    whole: bool = False
    trouble: str = ""

    def latest_names(self) -> dict[str, str]:
        """Every former path -> what that file is called now, the later rename of a path winning."""
        latest: dict[str, str] = {}
        formers: dict[str, list[str]] = {}
        for old, new in self.renames:
            latest.pop(new, None)
            moved = [former for former in formers.pop(old, []) if latest.get(former) == old] + [old]
            latest.update(dict.fromkeys(moved, new))
            formers[new] = formers.get(new, []) + moved
        return latest


def history(repository: Repository, commit: str, since: str | None = None) -> History:
    """The history of the repository's folder up to a commit; after ``since`` only, where that is given.

    Paths are relative to the folder. Raises GitError.
    """
    span = commit if since is None else f"{since}..{commit}"
    raw = repository.run("log", "--reverse", *_RAW, span, "--", *filter(None, [repository.prefix]))
    created: dict[str, datetime] = {}
    updated: dict[str, datetime] = {}
    renames: list[tuple[str, str]] = []
    deleted: dict[str, Revision] = {}
    blobs: dict[str, str] = {}
    for one in _revisions(raw, repository.prefix):
        moved = one.change == "renamed" and blobs.get(one.path_before) == one.blob
        updated[one.path] = updated.get(one.path_before, one.at) if moved else one.at
        blobs[one.path] = one.blob
        if one.change == "deleted":
            created.pop(one.path, None)
            deleted[one.path] = one
            continue
        deleted.pop(one.path, None)
        if one.change == "renamed":
            renames.append((one.path_before, one.path))
            created[one.path] = created.pop(one.path_before, one.at)
        else:
            created.setdefault(one.path, one.at)
    return History(created, updated, tuple(renames), deleted, since is None)


def revisions(repository: Repository, commit: str, path: str, most: int = 0) -> list[Revision]:
    """One file's revisions up to a commit, newest first, over its renames; all, or ``most``. Raises GitError."""
    limit = (f"--max-count={most}",) if most else ()
    raw = repository.run("log", "--follow", *limit, *_RAW, commit, "--", f"{repository.prefix}{path}")
    return list(_revisions(raw, repository.prefix))


def is_plain(path: str) -> bool:
    """Whether a path can be shown and is no other path; what is not is no content."""
    return (
        len(path.encode("utf-8", "surrogateescape")) <= LONGEST_PATH
        and path.isprintable()
        and {"", ".", ".."}.isdisjoint(path.split("/"))
    )


def last_change(repository: Repository, commit: str, path: str) -> datetime | None:
    """When a path last changed up to a commit; None where that commit's history has no such path. Raises GitError."""
    raw = repository.run("log", "-1", "--format=%cI", commit, "--", f"{repository.prefix}{path}").decode().strip()
    return _moment(raw) if raw else None


def is_shallow(repository: Repository) -> bool:
    """Whether the repository lacks its older commits."""
    return repository.run("rev-parse", "--is-shallow-repository").strip() == b"true"


def _revisions(raw: bytes, prefix: str) -> Iterator[Revision]:
    """Changes of the content below ``prefix``. A file that came in from outside is added, one that left deleted."""
    tokens = iter(raw.split(b"\0"))
    head: list[str] = []
    for token in tokens:
        said = token.lstrip(b"\n")
        if said.startswith(b"\x01"):
            head = [said[1:].decode(), *(next(tokens).decode("utf-8", "replace") for _ in range(_HEAD_FIELDS - 1))]
        elif said.startswith(b":"):
            _, _, before, after, status = said.decode().split(" ")
            letter = status[0]
            paths = [os.fsdecode(next(tokens)) for _ in range(2 if letter in "RC" else 1)]
            yield from _inside(head, letter, paths, before, after, prefix)


def _inside(
    head: Sequence[str], letter: str, paths: Sequence[str], before: str, after: str, prefix: str
) -> Iterable[Revision]:
    old, new = paths[0], paths[-1]
    change = _CHANGES.get(letter, "changed")
    was, is_now = (path.startswith(prefix) and is_plain(path.removeprefix(prefix)) for path in (old, new))
    if not is_now:
        if change != "renamed" or not was:
            return
        change, new = "deleted", old
    elif not was:
        change, old = "added", new
    commit, at, author, email, subject = head
    yield Revision(
        commit,
        _moment(at),
        author,
        email,
        subject,
        new.removeprefix(prefix),
        before if change == "deleted" else after,
        change,
        old.removeprefix(prefix),
    )


def _moment(said: str) -> datetime:
    """A commit's time; 1970 where it has none that can be read, as git itself shows it."""
    try:
        return datetime.fromisoformat(said).astimezone(UTC)
    except (ValueError, OverflowError):
        return datetime.fromtimestamp(0, UTC)
