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
from indexer.lookalikes import has_unseen

Change = Literal["added", "changed", "renamed", "deleted"]
_CHANGES: Mapping[str, Change] = {"A": "added", "R": "renamed", "C": "added", "D": "deleted"}
_HEAD = "--format=%x01%H%x00%cI%x00%an%x00%ae%x00%s"
# All that an author's settings of git could change is said
_RAW = (
    "--raw", "-z", "-M", "--root", "--no-abbrev", "--no-color", "--no-ext-diff", "--no-textconv", "--no-show-signature",
    _HEAD,
)  # fmt: skip
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
    and not renamed. ``single``: paths that were added and not changed since -> their blobs. ``whole``: from the first
    commit on. ``trouble`` is what kept it from being read; ``fallback`` is then the one date of all files.
    """

    created: Mapping[str, datetime] = field(default_factory=dict)
    updated: Mapping[str, datetime] = field(default_factory=dict)
    renames: tuple[tuple[str, str], ...] = ()
    deleted: Mapping[str, Revision] = field(default_factory=dict)
    single: Mapping[str, str] = field(default_factory=dict)
    whole: bool = False
    trouble: str = ""
    fallback: datetime | None = None

    def latest_names(self) -> dict[str, str]:
        """Every former path -> what that file is called now, the later rename of a path winning."""
        latest: dict[str, str] = {}
        becomes: dict[str, str] = {}
        seen: set[str] = set()
        for old, new in reversed(self.renames):
            becomes[old] = becomes.get(new, new)
            if old not in seen:
                latest[old] = becomes[old]
            seen |= {old, new}
        return dict(reversed(latest.items()))


def history(repository: Repository, commit: str, since: str | None = None) -> History:
    """The history of the repository's folder up to a commit; after ``since`` only, where that is given.

    Paths are relative to the folder. Raises GitError.
    """
    span = commit if since is None else f"{since}..{commit}"
    created: dict[str, datetime] = {}
    updated: dict[str, datetime] = {}
    renames: list[tuple[str, str]] = []
    deleted: dict[str, Revision] = {}
    single: dict[str, str] = {}
    blobs: dict[str, str] = {}
    for one in _log(repository, span, filter(None, [repository.prefix]), "--reverse"):
        moved = one.change == "renamed" and blobs.get(one.path_before) == one.blob
        updated[one.path] = updated.get(one.path_before, one.at) if moved else one.at
        blobs[one.path] = one.blob
        single.pop(one.path, None)
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
            if one.change == "added":
                single[one.path] = one.blob
    whole = since is None and not is_shallow(repository)
    return History(created, updated, tuple(renames), deleted, single, whole)


def revisions(repository: Repository, commit: str, path: str) -> list[Revision]:
    """One file's revisions up to a commit, newest first, over its renames. Raises GitError.

    Only what the followed branch had: what another said before it was merged is the merge's. What the file was copied
    from is another file.
    """
    of_branch = ("--first-parent", "--diff-merges=first-parent")
    return list(_unbroken(_log(repository, commit, [f"{repository.prefix}{path}"], "--follow", *of_branch), path))


def is_plain(path: str) -> bool:
    """Whether a path can be shown and is no other path; what is not is no content."""
    return (
        len(path.encode("utf-8", "surrogateescape")) <= LONGEST_PATH
        and not has_unseen(path)
        and {"", ".", ".."}.isdisjoint(path.split("/"))
    )


def last_change(repository: Repository, commit: str, path: str | None) -> datetime | None:
    """When a path last changed up to a commit, or that was made where no path is named. Raises GitError.

    None where the commit's history has no such path.
    """
    paths = [] if path is None else [f"{repository.prefix}{path}"]
    raw = repository.run("log", "-1", "--no-show-signature", "--format=%cI", commit, "--", *paths).decode().strip()
    return _moment(raw) if raw else None


def is_shallow(repository: Repository) -> bool:
    """Whether the repository lacks its older commits."""
    return repository.run("rev-parse", "--is-shallow-repository").strip() == b"true"


def _unbroken(listed: Iterable[Revision], path: str) -> Iterator[Revision]:
    """The revisions as long as they are of the file that has this path at first."""
    for one in listed:
        if one.path != path:
            return
        yield one
        path = one.path_before


def _log(repository: Repository, span: str, paths: Iterable[str], *options: str) -> Iterator[Revision]:
    """Changes of the content. A file that came in from outside is added, one that left deleted. Raises GitError."""
    raw, prefix = repository.run("log", *options, *_RAW, span, "--", *paths), repository.prefix
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
    elif change == "added" or not was:
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
