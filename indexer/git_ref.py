"""The content as one commit has it, read from the object store: a bare repository serves as well as a clone."""

import posixpath
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

from indexer.errors import ContentMissingError, Problem
from indexer.git import Blobs, Repository
from indexer.git_command import GitError
from indexer.history import History, history, is_plain, last_change
from indexer.knowledge import MAX_FILE_BYTES
from indexer.source import (
    ARTICLE_ENDINGS,
    NEVER_CONTENT,
    TRANSCRIPT_ENDINGS,
    Scan,
    leads_out,
    older,
    past_blob,
    unreadable_name,
)

# Of git's ls-tree: mode, type, object
_ENTRY = re.compile(rb"(\d{6}) \w+ ([0-9a-f]{40})\t(.*)", re.DOTALL)
_LINK, _SUBMODULE = b"120000", b"160000"
_LONGEST_LINK = 4096
# Of a few hundred thousand files
_MOST_LISTED_BYTES = 32 * 1024 * 1024


class GitRef:
    """A folder of Markdown in a commit. ``ref`` is resolved once: what is pushed later is another GitRef."""

    def __init__(self, repository: Repository, ref: str, *, is_copy: bool = False) -> None:
        """``is_copy`` says that it can be made anew, so that nothing of it may be missing.

        Raises GitError, and ContentMissingError where there is no such ref.
        """
        found = repository.commit(ref)
        if found is None:
            raise ContentMissingError(
                f"there is no ref '{ref}' in {repository.git_dir}", "Push it, or name another by KB_CONTENT_REF"
            )
        self.repository, self.commit, self._is_copy = repository, found, is_copy
        self._blobs = Blobs(repository)
        self._files: dict[str, str] = {}

    def scan(self) -> Scan:
        """Every file's stamp is its blob's name: equal means unchanged."""
        self._files = {}
        problems: list[Problem] = []
        for mode, name, path in self._entries():
            article = path.lower().endswith(ARTICLE_ENDINGS)
            parts = path.split("/")
            if not NEVER_CONTENT.isdisjoint(part.lower() for part in parts):
                continue
            if not is_plain(path):
                problems += [unreadable_name(path)] if article else []
            elif mode == _SUBMODULE:
                problems.append(Problem(path, 1, "is a submodule, which is not read", "Put the files themselves here"))
            elif mode == _LINK:
                problems += self._link_problems(path, name)
            elif path in self._files:
                problems.append(Problem(path, 1, "stands twice in the repository's tree", "Remove one of the two"))
            else:
                self._files[path] = name
        articles = {path: name for path, name in self._files.items() if path.lower().endswith(ARTICLE_ENDINGS)}
        transcripts = {path: name for path, name in self._files.items() if path.lower().endswith(TRANSCRIPT_ENDINGS)}
        others = frozenset(self._files.keys() - articles.keys() - transcripts.keys())
        return Scan(articles, transcripts, others, tuple(sorted(problems)))

    def read(self, path: str) -> bytes:
        try:
            return self._blobs.read(self._files[path], MAX_FILE_BYTES + 1)
        except FileNotFoundError as error:
            if not self._is_copy:
                raise
            raise GitError(f"{self.repository.git_dir} lacks {path}", "Delete it: it is made anew") from error

    def revision(self) -> str:
        return self.commit

    def history(self, since: str | None) -> History:
        """Where git cannot read all of it, it tells only that: what came after must go live all the same."""
        # After a force-push what was before is no part of the history: dates may come from anywhere in it
        leads_here = since is not None and self.repository.is_ancestor(since, self.commit)
        try:
            return history(self.repository, self.commit, since if leads_here else None)
        except GitError as error:
            if self._is_copy:
                raise
            what = f"the history cannot be read, so dates may be wrong: {error.problem}"
            return History(trouble=what, fallback=self.updated(None))

    def updated(self, path: str | None) -> datetime:
        """When the history last touched the file, or the commit was made; now, where that cannot be read."""
        with suppress(GitError):
            return last_change(self.repository, self.commit, path) or datetime.now(UTC)
        return datetime.now(UTC)

    def older(self, path: str) -> Iterator[tuple[bytes, datetime]]:
        with suppress(GitError):
            yield from older(self.repository, self.commit, path)

    def blob(self, name: str) -> bytes | None:
        return past_blob(self.repository, name)

    def close(self) -> None:
        self._blobs.close()

    def _entries(self) -> Iterator[tuple[bytes, str, str]]:
        """Mode, object and path of everything in the commit's folder."""
        tree = f"{self.commit}:{self.repository.prefix}"
        try:
            listed = self.repository.run("ls-tree", "-r", "-z", "--full-tree", tree, most=_MOST_LISTED_BYTES)
        except GitError as error:
            folder = self.repository.prefix.rstrip("/")
            if folder and not self.repository.has(tree):
                raise ContentMissingError(
                    f"commit {self.commit[:12]} has no folder '{folder}'", "Name another by KB_CONTENT_FOLDER"
                ) from error
            raise
        for entry in listed.split(b"\0")[:-1]:
            found = _ENTRY.fullmatch(entry)
            if found is not None:
                mode, name, path = found.groups()
                yield mode, name.decode(), path.decode("utf-8", "surrogateescape")

    def _link_problems(self, path: str, name: str) -> list[Problem]:
        # What a link out names is not looked at, so that a name without an ending may be a folder of articles
        if posixpath.splitext(path)[1] and not path.lower().endswith(ARTICLE_ENDINGS):
            return []
        try:
            target = self._blobs.read(name, _LONGEST_LINK).decode("utf-8", "surrogateescape")
        except FileNotFoundError:
            return []
        inside = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        return [leads_out(path)] if target.startswith("/") or inside == ".." or inside.startswith("../") else []
