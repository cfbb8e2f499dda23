"""What an article said before: its revisions in git, the article as one of them has it, what changed between two.

Shown only to who may read the article both then and now.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from functools import cached_property
from pathlib import Path

from indexer.catalogue import Catalogue, Tombstone
from indexer.errors import KnowledgeBaseError
from indexer.git import Blobs, Repository, blob_id
from indexer.git_command import unified_diff
from indexer.history import Revision, is_shallow, revisions
from indexer.knowledge import MAX_FILE_BYTES, KnowledgeObject, front_matter_of, parse, text_of
from kb_service.access import Sight
from kb_service.attachments import Attachments
from kb_service.query import may_read

_NAME = re.compile(r"[0-9a-f]{4,40}", re.IGNORECASE)
# So many refused revisions in a row are passed over: to read each costs a process
_MOST_REFUSED = 50


class UnknownArticleError(KnowledgeBaseError):
    """There is no article of that id, or none for this caller."""

    def __init__(self, object_id: str) -> None:
        super().__init__(f"There is no article '{object_id}'", "Search for it by GET /api/search?q=…")


class DeletedArticleError(KnowledgeBaseError):
    """The article was deleted; its tombstone says what it last was."""

    def __init__(self, tombstone: Tombstone) -> None:
        super().__init__(
            f"'{tombstone.title}' was deleted",
            f"What it said last: GET /api/articles/{tombstone.id}?at={tombstone.revision}",
        )
        self.tombstone = tombstone


class UnknownRevisionError(KnowledgeBaseError):
    """The article never had such a revision, or git has it no more."""


@dataclass(frozen=True, slots=True)
class Version:
    """An article as one revision has it: ``text`` is the whole file.

    ``revision`` is None where the bytes are no part of the history that is live: not committed yet, or forced away.
    ``live``: it says what the article says now. ``note`` is what a reader should know of it.
    """

    knowledge: KnowledgeObject
    text: str
    revision: Revision | None
    live: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """Two versions and the unified diff between them; lines added and removed."""

    before: Version
    after: Version
    diff: str
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of an id: the object that is live, or the tombstone of a deleted one."""

    id: str
    path: str
    title: str
    revision: str
    live: KnowledgeObject | None


class Past:
    """The past of the articles of a catalogue, up to the commit that is live; empty without git."""

    def __init__(
        self,
        catalogue: Catalogue,
        attachments: Attachments,
        open_repository: Callable[[], Repository | None],
        commit: str | None,
        files: Path | None = None,
    ) -> None:
        """``files``: where the content lies as files, which may not be committed yet."""
        self._catalogue, self._attachments = catalogue, attachments
        self._open_repository = open_repository
        self._commit, self._files = commit or "", files

    @cached_property
    def _repository(self) -> Repository | None:
        """Opened when it is first used: most of what is asked, a wrong id too, needs no git."""
        return self._open_repository() if self._commit else None

    def article(self, object_id: str, sight: Sight) -> KnowledgeObject:
        """The article as it is live. Raises UnknownArticleError, and DeletedArticleError where it once was."""
        known = self._known(object_id, sight)
        if known.live is None:
            tombstone = self._catalogue.tombstone(object_id)
            raise DeletedArticleError(tombstone) if tombstone else UnknownArticleError(object_id)
        return known.live

    def revisions(self, object_id: str, sight: Sight) -> tuple[list[Revision], bool]:
        """An article's revisions, newest first, and whether that is all of them. Raises UnknownArticleError, GitError.

        Those that the caller could not have read are left out, and what tells of one before is taken off the next.
        """
        known = self._known(object_id, sight)
        if self._repository is None:
            return [], False
        return self._readable(known, sight), not is_shallow(self._repository)

    def at(self, object_id: str, when: str, sight: Sight) -> Version:
        """The article as it was: at a commit, by git's name of its bytes, or at a date or time.

        Raises UnknownArticleError, UnknownRevisionError, GitError.
        """
        known = self._known(object_id, sight)
        version = self._version(known, when, sight)
        if not may_read(version.knowledge, sight):
            raise _unknown(known.id, when)
        return version

    def known_at(self, object_id: str, when: str, sight: Sight) -> Version | None:
        """As ``at``; None where that is not known, so that a reader is shown what is. Raises GitError."""
        try:
            return self.at(object_id, when, sight)
        except (UnknownArticleError, UnknownRevisionError):
            return None

    def difference(self, object_id: str, before: str | None, after: str | None, sight: Sight) -> Difference:
        """What changed between two versions: from the one before the last to the last, unless said otherwise.

        Raises as ``at`` does.
        """
        known = self._known(object_id, sight)
        newest = self.at(object_id, after or known.revision, sight)
        oldest = self.at(object_id, before, sight) if before else self._before(known, newest, sight)
        diff = unified_diff(oldest.text, newest.text)
        # Of git's lines, that only this ends
        lines = diff.split("\n")
        return Difference(
            oldest,
            newest,
            diff,
            sum(line.startswith("+") for line in lines),
            sum(line.startswith("-") for line in lines),
        )

    def _known(self, object_id: str, sight: Sight) -> _Known:
        found = list(self._catalogue.named(object_id))
        live = next((one for one in found if may_read(one, sight)), None)
        if live is not None:
            return _Known(live.id, live.path, live.title, live.revision, live)
        gone = None if found else self._catalogue.tombstone(object_id)
        if gone is None or not sight.sees(gone.audience, gone.groups, gone.services):
            raise UnknownArticleError(object_id)
        return _Known(gone.id, gone.path, gone.title, gone.revision, None)

    def _version(self, known: _Known, when: str, sight: Sight) -> Version:
        moment = None if _NAME.fullmatch(when) else _moment(known.id, when)
        listed = self._readable(known, sight)
        place = self._place(listed, moment, when.lower(), sight)
        if place is None:
            return self._kept(known, when)
        if listed[place].change == "deleted":
            raise UnknownRevisionError(
                f"'{known.title}' was deleted by then", f"Its revisions: GET /api/history/{known.id}"
            )
        note = ""
        for one in listed[place : place + _MOST_REFUSED]:
            found = self._parsed(one.path, one.blob)
            if found is not None:
                knowledge = replace(found[0], id=known.id, updated=one.at)
                return Version(knowledge, found[1], one, known.live is not None and one.blob == known.revision, note)
            note = "The file was refused at that revision; this is what was live."
        raise UnknownRevisionError(
            f"'{known.title}' was refused then, and in the revisions before",
            f"Its revisions: GET /api/history/{known.id}",
        )

    def _place(self, listed: Sequence[Revision], moment: datetime | None, name: str, sight: Sight) -> int | None:
        """Which of the revisions is meant: the one of that name, or the last one at that time or commit.

        Requesters name commits of the article only: from others they would learn what else the repository holds.
        """
        if moment is not None:
            return next((place for place, one in enumerate(listed) if one.at <= moment), None)
        for place, one in enumerate(listed):
            if one.commit.startswith(name) or (one.blob.startswith(name) and one.change != "deleted"):
                return place
        commit = self._repository.commit(name) if self._repository and sight.within else None
        if self._repository is None or commit is None or not self._repository.is_ancestor(commit, self._commit):
            return None
        later = set(self._repository.run("rev-list", self._commit, f"^{commit}").decode().split())
        return next((place for place, one in enumerate(listed) if one.commit not in later), None)

    def _kept(self, known: _Known, when: str) -> Version:
        """What is not in the live history: not committed yet, or used once for an incident and forced away since."""
        name = when.lower()
        if known.live is not None and known.revision.startswith(name):
            committed = self._parsed(known.path, known.revision)
            text = committed[1] if committed else self._on_disk(known) or known.live.body
            return Version(known.live, text, None, live=True, note="" if committed else "It is not committed yet.")
        used = self._attachments.used(self._catalogue.names_of(known.id), name)
        found = self._parsed(known.path, used) if used else None
        if found is None:
            raise _unknown(known.id, when)
        knowledge = replace(found[0], id=known.id)
        return Version(knowledge, found[1], None, live=False, note="This revision is no part of the history any more.")

    def _on_disk(self, known: _Known) -> str | None:
        """The live file as it lies, unless it was written to since."""
        try:
            data = (self._files / known.path).read_bytes() if self._files else b""
        except OSError:
            return None
        return text_of(data) if blob_id(data) == known.revision else None

    def _parsed(self, path: str, blob: str) -> tuple[KnowledgeObject, str] | None:
        data = self._repository.blob(blob, MAX_FILE_BYTES + 1) if self._repository else None
        knowledge = parse(path, data) if data is not None else None
        if data is None or not isinstance(knowledge, KnowledgeObject):
            return None
        return knowledge, text_of(data)

    def _readable(self, known: _Known, sight: Sight) -> list[Revision]:
        """The revisions that one could have read, newest first, told as if there were no others."""
        if self._repository is None:
            return []
        listed = revisions(self._repository, self._commit, known.path)
        if sight.sees_all:
            return listed
        with Blobs(self._repository) as blobs:
            could = [_could_read(one, blobs, sight) for one in listed]
        # What comes first of all that one may read was added, as far as one may know
        before_it = [*could, True][1:]
        return [
            one if before or one.change == "deleted" else replace(one, change="added", path_before=one.path)
            for one, readable, before in zip(listed, could, before_it, strict=True)
            if readable
        ]

    def _before(self, known: _Known, version: Version, sight: Sight) -> Version:
        """The version before one, that says something else and could be read then; itself where there is none."""
        listed = self._readable(known, sight)
        if version.revision is not None:
            commits = [one.commit for one in listed]
            listed = listed[commits.index(version.revision.commit) + 1 :]
        for one in listed[:_MOST_REFUSED]:
            found = None if one.blob == version.knowledge.revision else self._parsed(one.path, one.blob)
            if found is not None and may_read(found[0], sight):
                return Version(replace(found[0], id=known.id, updated=one.at), found[1], one, live=False)
        return version


def _could_read(one: Revision, blobs: Blobs, sight: Sight) -> bool:
    try:
        data = blobs.read(one.blob, MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return False
    matter = front_matter_of(one.path, data) if len(data) <= MAX_FILE_BYTES else None
    # One that was refused was never live; it is shown to those who see more than what is public
    return may_read(matter, sight) if matter else sight.within


def _moment(object_id: str, when: str) -> datetime:
    """A date, to its end in UTC, or a time. Raises UnknownRevisionError."""
    # A plus that was not escaped in an address has become a space
    text = re.sub(r" (\d\d:?\d\d)$", r"+\1", when.strip())
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return datetime.combine(date.fromisoformat(text), time.max, UTC)
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UnknownRevisionError(
            f"'{when}' is no revision and no date",
            f"Give a commit, a revision, or a date as in 2027-05-31; GET /api/history/{object_id} lists them",
        ) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _unknown(object_id: str, when: str) -> UnknownRevisionError:
    return UnknownRevisionError(
        f"'{object_id}' has no revision '{when}'", f"Its revisions: GET /api/history/{object_id}"
    )
