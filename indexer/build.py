"""Content -> index: what changed since the last publish, and only that.

Safe to interrupt at any moment. Parsed files are staged in batches; the switch to them is one transaction, which
raises the generation; vectors that are not there yet follow in batches of their own. A run after a killed one goes
on where that stopped.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from indexer.catalogue import Catalogue, FileState, Tombstone, owner_of, tombstone_of
from indexer.change import Change
from indexer.claims import accept
from indexer.database import writing
from indexer.encoder import Encoder
from indexer.encoding import LINK_AT_SWITCH, Encoding
from indexer.errors import IndexBusyError, IndexDamagedError, Problem
from indexer.folding import fold_if_due
from indexer.history import History
from indexer.index import PassageIndex
from indexer.knowledge import KnowledgeObject, id_of_path, parse
from indexer.locks import held
from indexer.progress import Progress, unwatched
from indexer.renames import renamed
from indexer.source import ARTICLE_ENDINGS, Content
from indexer.staging import Head, Staging
from indexer.vectors import VectorCache

# Raise when passages, terms or identifiers of an unchanged text come out differently: all is then read again
FORMAT = "8"
# So many deleted articles are remembered by a full build, the latest ones
_MOST_TOMBSTONES = 1_000


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did. ``encoded`` counts texts the model was asked for; ``seconds`` is wall time."""

    objects: int
    passages: int
    encoded: int
    refused: int
    seconds: float
    generation: int
    changed: int
    note: str
    refusals: tuple[Problem, ...]


def update(
    content: Content,
    index: PassageIndex,
    encoder: Encoder,
    cache: VectorCache,
    progress: Progress = unwatched,
    after_switch: Callable[[], None] = lambda: None,
    first: Sequence[str] = (),
) -> Report:
    """Bring the index in step with the content.

    ``after_switch`` is called once everything that changed can be searched, at least by words; of what follows by
    meaning, the articles of the ids ``first`` go before all others. An index that is damaged is made anew. Raises
    IndexBusyError where another process is writing.
    """
    with _sole_writer(index.path.parent):
        index.mend()
        try:
            return _updated(content, index, encoder, cache, progress, after_switch, first)
        except (IndexDamagedError, sqlite3.DatabaseError):
            index.suspect()
            if not index.mend():
                raise
            return _updated(content, index, encoder, cache, progress, after_switch, first)


def _updated(
    content: Content,
    index: PassageIndex,
    encoder: Encoder,
    cache: VectorCache,
    progress: Progress,
    after_switch: Callable[[], None],
    first: Sequence[str],
) -> Report:
    started = time.monotonic()
    build = _Build(content, index, encoder, cache, progress, first)
    build.prepare()
    build.staging.parse(build.history, progress)
    build.encoding.encode_ahead(build.staging.texts())
    changed = build.switch()
    after_switch()
    build.encoding.encode_pending()
    fold_if_due(index)
    refusals = tuple(build.catalogue.refusals())
    return Report(
        objects=build.catalogue.count(),
        passages=index.counts()[0],
        encoded=build.encoding.encoded,
        refused=len({problem.path for problem in refusals}),
        seconds=round(time.monotonic() - started, 2),
        generation=index.generation,
        changed=changed,
        note="; ".join(build.notes),
        refusals=refusals,
    )


@contextmanager
def _sole_writer(data: Path) -> Iterator[None]:
    with held(data / "writer.lock", wait=False) as is_ours:
        if not is_ours:
            raise IndexBusyError(f"another process is writing to {data}", "Wait until it is done, or stop it")
        yield


class _Build:
    """One run over one index: ``prepare``, ``switch``, and the vectors by ``encoding``; ``notes`` on how it went."""

    def __init__(
        self,
        content: Content,
        index: PassageIndex,
        encoder: Encoder,
        cache: VectorCache,
        progress: Progress,
        first: Sequence[str],
    ) -> None:
        self.content, self.index, self.encoder = content, index, encoder
        self.catalogue = Catalogue(index.connection)
        self.connection = index.connection
        self._maker = f"{encoder.identity}:{encoder.max_tokens}:{FORMAT}:{index.language.code}"
        self._rebuilt = index.meta("made_by") != self._maker
        self.encoding = Encoding(index, encoder, cache, progress, first)
        self.catalogue.create_tables()
        self.staging = Staging(content, index, encoder, self._maker)
        self.gone = self.staging.gone
        self.notes: list[str] = []

    @cached_property
    def history(self) -> History:
        """What git tells of what came after the commit that is live; of all, where everything is read anew."""
        return self.content.history(None if self._rebuilt else self.index.meta("revision"))

    def prepare(self) -> None:
        """Drop vectors whose file is damaged."""
        made_by = self.index.meta("made_by")
        if made_by not in {None, self._maker}:
            made, now = _short(str(made_by)), _short(self._maker)
            self.notes.append(f"rebuilding: the index was made by {made}, now it is {now}")
        try:
            self.index.check_base()
        except IndexDamagedError as error:
            self.notes.append(f"{error.problem}; its vectors are put back")
            with writing(self.connection):
                self.index.drop_vectors()

    # -- the switch

    def switch(self) -> int:
        """Everything staged goes live at once, or nothing; gives how many objects changed."""
        rebuilt, history = self._rebuilt, self.history
        self.notes += [history.trouble] if history.trouble else []
        names, deleted = history.latest_names(), self._tombstones(history)
        staged = self.staging.heads()
        with self.index.changing(anew=rebuilt) as change:
            accepted, refusals = accept(staged, self.staging.scan, self.catalogue)
            left = [before for path in self.gone if (before := self.catalogue.at_path(path)) is not None]
            old = {path: self._without_text(path) for path in accepted}
            changed = {path for path, head in accepted.items() if not _same(old[path], head)}
            became = self._became(old, left, names)
            ids = {path: str(head.id) for path, head in accepted.items()}
            moves = {before.id: ids[path] for path, before in became.items() if before.id != ids[path]}
            self._move(change, moves, set(ids.values()))
            for before in left:
                if self.catalogue.path_of_id(before.id) == before.path:
                    self.catalogue.delete(self._tombstone(before, history))
                    change.delete(before.id)
            for path in accepted:
                read, passages = self.staging.read(path)
                knowledge = self._dated(read, became.get(path), history)
                self.catalogue.put(knowledge)
                if change.upsert(owner_of(knowledge), passages):
                    changed.add(path)
            self.catalogue.put_tombstones(deleted)
            self._record(staged, accepted, refusals, names)
            if rebuilt:
                self.index.drop_vectors()
                self.index.set_meta("made_by", self._maker)
                self.index.set_meta("encoder", self.encoder.identity)
            self.encoding.link(self.index.pending(LINK_AT_SWITCH))
            if changed or self.gone or rebuilt:
                self.index.raise_generation()
        return len(changed) + len(self.gone)

    def _without_text(self, path: str) -> KnowledgeObject | None:
        """What is live of a path, but for its body, since those of fifty thousand would fill the memory."""
        before = self.catalogue.at_path(path)
        return before and replace(before, body="")

    def _became(
        self, old: Mapping[str, KnowledgeObject | None], left: Sequence[KnowledgeObject], names: Mapping[str, str]
    ) -> dict[str, KnowledgeObject]:
        """What was live of a path, there or, of files that are back under another name, under the one before.

        ``left`` are those whose files are gone.
        """
        became = {path: before for path, before in old.items() if before is not None}
        if left:
            fresh = {path: self.staging.read(path)[0] for path in old if path not in became}
            became.update((now.path, before) for before, now in renamed(left, fresh, names))
        return became

    def _move(self, change: Change, moves: Mapping[str, str], claimed: set[str]) -> None:
        """Give objects their new ids. One whose new id is still another's is put in anew instead."""
        for old_id, new_id in moves.items():
            if self.catalogue.path_of_id(new_id) is not None:
                change.delete(old_id)
        for old_id, new_id in moves.items():
            change.rename(old_id, new_id)
            self.catalogue.rename(old_id, None if old_id in claimed else new_id)

    def _record(
        self,
        staged: Mapping[str, Head],
        accepted: Collection[str],
        refusals: Sequence[Problem],
        names: Mapping[str, str],
    ) -> None:
        """What the next run compares with, and what became of former names."""
        self.catalogue.set_files(
            (path, FileState(head.stamp, head.revision, tuple(json.loads(head.videos))))
            for path, head in staged.items()
            if path in accepted
        )
        self.catalogue.set_files(self.staging.touched.items())
        self.catalogue.forget_files(self.gone)
        self.catalogue.set_refusals(sorted(set(refusals)))
        for old, new in names.items():
            target = self.catalogue.at_path(new)
            if target and self.catalogue.path_of_id(id_of_path(old)) is None:
                self.catalogue.rename(id_of_path(old), target.id)
        self.staging.clear()
        self.index.set_meta("revision", self.content.revision())

    def _dated(self, knowledge: KnowledgeObject, before: KnowledgeObject | None, history: History) -> KnowledgeObject:
        """With its times: as git has them, else as the file has them that has just changed; ``before`` is what it was.

        A last good version has its own already.
        """
        path = knowledge.path
        if before and before.revision == knowledge.revision and not history.whole:
            return replace(knowledge, created=before.created, updated=before.updated)
        told = history.updated.get(path) or history.fallback
        updated = knowledge.updated or told or self.content.updated(path)
        in_git = history.created.get(path)
        first_seen = before.created if before else in_git or (updated if self.index.generation else None)
        created = in_git if history.whole and in_git else first_seen
        return replace(knowledge, created=created, updated=updated)

    def _tombstone(self, before: KnowledgeObject, history: History) -> Tombstone:
        known = history.deleted.get(before.path)
        if known is None:
            return tombstone_of(before, self.content.revision(), datetime.now(UTC))
        return tombstone_of(before, known.commit, known.at)

    def _tombstones(self, history: History) -> list[Tombstone]:
        """What git knows and the content has no more, so that a link to it can be told from a wrong one."""
        if not history.whole:
            return []
        articles = (one for one in history.deleted.values() if one.path.lower().endswith(ARTICLE_ENDINGS))
        found = []
        for one in sorted(articles, key=lambda one: one.at)[-_MOST_TOMBSTONES:]:
            data = self.content.blob(one.blob)
            knowledge = parse(one.path, data) if data is not None else None
            if isinstance(knowledge, KnowledgeObject):
                found.append(tombstone_of(knowledge, one.commit, one.at))
        return found


def _same(before: KnowledgeObject | None, after: Head) -> bool:
    return before is not None and (before.revision, before.id) == (after.revision, after.id)


def _short(maker: str) -> str:
    model, _, rest = maker.partition(":")
    return f"{model[:12]}:{rest}"
