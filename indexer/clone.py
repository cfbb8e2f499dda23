"""A bare clone of a remote, made and fetched by the service itself; only ever read from otherwise.

Nothing that was fetched is forgotten: what a force-push took away can still be asked for.
"""

import logging
import shutil
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from indexer.errors import ContentMissingError
from indexer.git_command import GitError, GitRefusedError, run_git
from indexer.locks import held

ASK_SECONDS = 30
FETCH_SECONDS = 900
# A remote that sends next to nothing is given up
_STALLED = ("-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=30")
_KEPT = (("gc.pruneExpire", "never"), ("gc.autoDetach", "false"))
# One name of ours for whatever is followed: a branch's own may be in the way of the next one's
_REF = "refs/kb/content"
# Of fsck, which says by 8 that HEAD is no branch
_SOUND = (0, 8)
_log = logging.getLogger("kb.content")


def wanted_refs(ref: str | None) -> list[str]:
    """The names under which a remote may have what is followed: a branch or tag, its default branch where None."""
    return [f"refs/heads/{ref}", f"refs/tags/{ref}", ref] if ref else ["HEAD"]


class Clone:
    """The clone of ``url`` in ``folder``, which is made by the first ``fetch``."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url, self.folder = url, folder

    def fetch(self, ref: str | None = None) -> None:
        """Bring a branch or tag in step with the remote, its default branch where none is named, as the clone's HEAD.

        Asks only, where nothing changed. One that is damaged is put aside and made anew. Raises GitError, and
        ContentMissingError where the remote has no such ref.
        """
        with self._alone():
            if not self._does("rev-parse", "--is-bare-repository"):
                self._create()
            name, commit = self._at_remote(ref)
            try:
                self._bring(name, commit)
            except GitError:
                if self._does("rev-list", "--objects", "--all", "--quiet"):
                    raise
                self._create()
                self._bring(name, commit)

    def _bring(self, name: str, commit: str) -> None:
        if self._here() != commit:
            self._git(
                *_STALLED, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--force",
                "--end-of-options", self._url, f"+{name}:{_REF}", seconds=FETCH_SECONDS,
            )  # fmt: skip
        self._git("symbolic-ref", "HEAD", _REF)
        self._git("rev-parse", "--verify", "--quiet", "HEAD^{tree}")

    def put_aside_if_damaged(self) -> bool:
        """Whether git finds it so, all of it read; the next ``fetch`` makes it anew then."""
        with self._alone():
            if not self.folder.exists() or self._does("fsck", "--no-dangling", "--no-progress", codes=_SOUND):
                return False
            self._put_aside()
        return True

    def _does(self, *arguments: str, codes: Container[int] = (0,)) -> bool:
        """Whether git can do it. That it cannot be run, or was ended, tells nothing of the clone. Raises GitError."""
        with suppress(GitRefusedError):
            self._git(*arguments, seconds=FETCH_SECONDS, codes=codes)
            return True
        return False

    def _at_remote(self, ref: str | None) -> tuple[str, str]:
        """The full name of the ref, and its commit or tag at the remote."""
        wanted = wanted_refs(ref)
        said = self._git(*_STALLED, "ls-remote", "--symref", "--", self._url, *wanted, seconds=ASK_SECONDS).decode(
            "utf-8", "replace"
        )
        lines = [line.partition("\t") for line in said.splitlines()]
        names = {name: value for value, _, name in lines if not value.startswith("ref: ")}
        default = next((value.removeprefix("ref: ") for value, _, _ in lines if value.startswith("ref: ")), None)
        if ref is None and default is not None and "HEAD" in names:
            return default, names["HEAD"]
        for name in wanted:
            if name in names and name.startswith("refs/"):
                return name, names[name]
        what = f"no branch or tag '{ref}'" if ref else "no default branch with a commit"
        raise ContentMissingError(f"the remote has {what}", "Push it, or name another by KB_CONTENT_REF")

    def _here(self) -> str | None:
        try:
            return self._git("rev-parse", "--verify", "--quiet", _REF).decode().strip()
        except GitError:
            return None

    def _create(self) -> None:
        """Made aside and moved, so that a killed run leaves no half of one; what was there is put aside."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        part = self.folder.with_name(f"{self.folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        run_git("init", "--quiet", "--bare", "--template=", "--", str(part))
        for name, value in _KEPT:
            run_git("-C", str(part), "config", name, value)
        if self.folder.exists():
            self._put_aside()
        part.rename(self.folder)

    def _put_aside(self) -> None:
        """Kept, as it may have what the remote has no more; the one before it is not."""
        aside = self.folder.with_name(f"{self.folder.name}.damaged")
        shutil.rmtree(aside, ignore_errors=True)
        self.folder.rename(aside)
        _log.error("%s is damaged and is made anew; as it was it is kept in %s", self.folder, aside.name)

    def _git(self, *arguments: str, seconds: float = ASK_SECONDS, codes: Container[int] = (0,)) -> bytes:
        # Looked for by itself, a damaged one would be passed over for one that it lies in
        return run_git("--git-dir", str(self.folder), *arguments, seconds=seconds, codes=codes)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process fetches at a time; what a killed git has locked is free again, and what it began is gone."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with held(self.folder.with_name(f"{self.folder.name}.lock")):
            for path in self.folder.rglob("*"):
                if path.suffix == ".lock" or _is_unfinished(path):
                    path.unlink(missing_ok=True)
            yield


def _is_unfinished(path: Path) -> bool:
    """Whether it is an object that git was writing. On a full disk each attempt would leave one more."""
    return path.name.startswith(("tmp_obj_", "tmp_pack_", "tmp_idx_", "tmp_rev_")) and "objects" in path.parts
