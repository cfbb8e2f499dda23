"""What is published beside the passages: the objects themselves, by id, alias and path, and what was refused.

Tables of the index file, so that a publish switches all of it in one transaction. Derived, like the index.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from indexer.errors import Problem
from indexer.frontmatter import Audience, FrontMatter, KnowledgeType, Tier, audiences_of
from indexer.knowledge import KnowledgeObject
from indexer.retrieval import Owner
from indexer.row_checks import crc_of, require_intact

TABLES = """
CREATE TABLE IF NOT EXISTS objects (
  id TEXT PRIMARY KEY, path TEXT NOT NULL UNIQUE, card TEXT NOT NULL, card_crc INTEGER NOT NULL, object TEXT NOT NULL,
  object_crc INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS files (
  path TEXT PRIMARY KEY, stamp TEXT NOT NULL, revision TEXT NOT NULL, videos TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS aliases (alias TEXT PRIMARY KEY, id TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deleted (
  id TEXT PRIMARY KEY, path TEXT NOT NULL, title TEXT NOT NULL, audience TEXT NOT NULL, groups TEXT NOT NULL,
  services TEXT NOT NULL, revision TEXT NOT NULL, after TEXT, at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refusals (path TEXT, line INTEGER, problem TEXT, remedy TEXT);
CREATE TABLE IF NOT EXISTS staged (
  path TEXT PRIMARY KEY, stamp TEXT NOT NULL, revision TEXT NOT NULL, videos TEXT NOT NULL, problems TEXT NOT NULL,
  id TEXT, object TEXT, passages TEXT, crc INTEGER NOT NULL
);
"""


@dataclass(frozen=True, slots=True)
class FileState:
    """A file as it was last read: its stamp, the revision read, and the transcripts its videos could have."""

    stamp: str
    revision: str
    videos: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A deleted article: for whom it was, its last revision, and the first commit known to be without it."""

    id: str
    path: str
    title: str
    audience: Audience
    groups: tuple[str, ...]
    services: tuple[str, ...]
    revision: str
    after: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Card:
    """What a list shows of an object."""

    id: str
    title: str
    type: KnowledgeType
    summary: str
    tier: Tier | None
    services: tuple[str, ...]


class Catalogue:
    """The tables over one connection. Writing methods belong inside one transaction of the caller's.

    What reads objects or cards raises IndexDamagedError where one is not as it was written.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def create_tables(self) -> None:
        """Make the tables where there are none; outside any transaction."""
        self._connection.executescript(TABLES)

    def get(self, object_id: str) -> KnowledgeObject | None:
        """The published object of an id, or of an id it once had."""
        return next(self.named(object_id), None)

    def named(self, object_id: str) -> Iterator[KnowledgeObject]:
        """The object of an id, then the one that once had it: who may not see the first is led to the second."""
        for condition in ("id = ?", "id = (SELECT id FROM aliases WHERE alias = ?)"):
            if found := self._object(condition, object_id):
                yield found

    def at_path(self, path: str) -> KnowledgeObject | None:
        return self._object("path = ?", path)

    def _object(self, condition: str, value: str) -> KnowledgeObject | None:
        return next(self._objects(f"WHERE {condition}", (value,)), None)

    def _objects(self, which: str, values: Sequence[str] = ()) -> Iterator[KnowledgeObject]:
        for text, crc in self._connection.execute(f"SELECT object, object_crc FROM objects {which}", values):
            require_intact(crc, text)
            yield object_from_json(text)

    def names_of(self, object_id: str) -> list[str]:
        """An object's id and the ids it once had."""
        rows = self._connection.execute("SELECT alias FROM aliases WHERE id = ? ORDER BY alias", (object_id,))
        return [object_id, *(alias for (alias,) in rows)]

    def cards(self, ids: Sequence[str]) -> dict[str, Card]:
        """What a list shows of the published objects of these ids."""
        marks = ",".join("?" * len(ids))
        rows = self._connection.execute(f"SELECT id, card, card_crc FROM objects WHERE id IN ({marks})", ids)
        cards = {}
        for object_id, text, crc in rows:
            require_intact(crc, text)
            title, kind, summary, tier, services = json.loads(text)
            cards[object_id] = Card(object_id, title, kind, summary, tier, tuple(services))
        return cards

    def titles(self, ids: Iterable[str]) -> dict[str, str]:
        """Titles by id, of those that are published."""
        return {card.id: card.title for card in self.cards(list(dict.fromkeys(ids))).values()}

    def objects(self) -> Iterator[KnowledgeObject]:
        return self._objects("ORDER BY id")

    def latest(self) -> Iterator[KnowledgeObject]:
        """All objects, the one that was changed last first."""
        return self._objects("ORDER BY json_extract(object, '$.updated') DESC, id")

    def ending(self, start: datetime, end: datetime) -> Iterator[KnowledgeObject]:
        """The objects whose time ends between two times, or that are due for review by the later; the first first."""
        rows = self._connection.execute(
            "SELECT object, object_crc, datetime(json_extract(object, '$.valid_to')) AS ends,"
            " datetime(json_extract(object, '$.review_by')) AS review FROM objects"
            " WHERE min(coalesce(ends, '9'), coalesce(review, '9')) <= datetime(:end)"
            " AND coalesce(ends, '9') >= datetime(:start) ORDER BY min(coalesce(ends, '9'), coalesce(review, '9')), id",
            {"start": start.isoformat(), "end": end.isoformat()},
        )
        for text, crc, _, _ in rows:
            require_intact(crc, text)
            yield object_from_json(text)

    def count(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM objects").fetchone()[0])

    def files(self) -> dict[str, FileState]:
        rows = self._connection.execute("SELECT path, stamp, revision, videos FROM files")
        # Few have any, and all are looked at whenever anything may have changed
        return {
            path: FileState(stamp, revision, () if videos == "[]" else tuple(json.loads(videos)))
            for path, stamp, revision, videos in rows
        }

    def path_of_id(self, object_id: str) -> str | None:
        row = self._connection.execute("SELECT path FROM objects WHERE id = ?", (object_id,)).fetchone()
        return None if row is None else str(row[0])

    def odd_ids(self) -> list[tuple[str, str]]:
        """Path and id of the objects whose ids are not all ASCII."""
        return list(self._connection.execute("SELECT path, id FROM objects WHERE id GLOB '*[^' || char(1) || '-~]*'"))

    def refusals(self) -> list[Problem]:
        rows = self._connection.execute("SELECT path, line, problem, remedy FROM refusals ORDER BY path, line, problem")
        return [Problem(*row) for row in rows]

    def tombstone(self, object_id: str) -> Tombstone | None:
        """What is known of a deleted object, by its id or one that it once had."""
        row = self._connection.execute(
            "SELECT id, path, title, audience, groups, services, revision, after, at FROM deleted"
            " WHERE id IN (?, (SELECT id FROM aliases WHERE alias = ?)) ORDER BY id = ? DESC",
            (object_id,) * 3,
        ).fetchone()
        if row is None:
            return None
        object_id, path, title, audience, *told, revision, after, at = row
        groups, services = (tuple(json.loads(one)) for one in told)
        return Tombstone(
            object_id, path, title, audience, groups, services, revision, after, datetime.fromisoformat(at)
        )

    def put(self, knowledge: KnowledgeObject) -> None:
        self._connection.execute("DELETE FROM objects WHERE path = ? AND id <> ?", (knowledge.path, knowledge.id))
        card, text = _card_to_json(knowledge), object_to_json(knowledge)
        self._connection.execute(
            "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?)",
            (knowledge.id, knowledge.path, card, crc_of(card), text, crc_of(text)),
        )
        self._connection.execute("DELETE FROM deleted WHERE id = ?", (knowledge.id,))

    def delete(self, tombstone: Tombstone) -> None:
        """Put a tombstone in an object's place."""
        self._connection.execute("DELETE FROM objects WHERE id = ?", (tombstone.id,))
        self.put_tombstones([tombstone])

    def put_tombstones(self, tombstones: Iterable[Tombstone]) -> None:
        """Remember what was deleted, but for ids that are live again."""
        self._connection.executemany(
            "INSERT OR REPLACE INTO deleted"
            " SELECT :id, :path, :title, :audience, :groups, :services, :revision, :after, :at"
            " WHERE NOT EXISTS (SELECT 1 FROM objects WHERE id = :id)",
            (
                {
                    **asdict(one),
                    "groups": json.dumps(one.groups),
                    "services": json.dumps(one.services),
                    "at": one.at.isoformat(),
                }
                for one in tombstones
            ),
        )

    def rename(self, old_id: str, new_id: str | None) -> None:
        """Take an id away from its object. It leads to the new one from now on, and so does whatever led to it.

        ``new_id`` None: another object takes the id, so that it leads nowhere else.
        """
        self._connection.execute("DELETE FROM objects WHERE id = ?", (old_id,))
        if new_id is not None:
            self._connection.execute("UPDATE aliases SET id = ? WHERE id = ?", (new_id, old_id))
            self._connection.execute("INSERT OR REPLACE INTO aliases VALUES (?, ?)", (old_id, new_id))
            self._connection.execute("DELETE FROM aliases WHERE alias = id")

    def set_files(self, files: Iterable[tuple[str, FileState]]) -> None:
        self._connection.executemany(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)",
            ((path, state.stamp, state.revision, json.dumps(state.videos)) for path, state in files),
        )

    def forget_files(self, paths: Iterable[str]) -> None:
        self._connection.executemany("DELETE FROM files WHERE path = ?", ((path,) for path in paths))

    def set_refusals(self, problems: Iterable[Problem]) -> None:
        self._connection.execute("DELETE FROM refusals")
        self._connection.executemany(
            "INSERT INTO refusals VALUES (?, ?, ?, ?)",
            ((problem.path, problem.line, problem.problem, problem.remedy) for problem in problems),
        )


def owner_of(knowledge: KnowledgeObject) -> Owner:
    """An object as the index filters it."""
    facets = {
        "type": (knowledge.type,),
        "state": (knowledge.workflow_state,),
        "service": knowledge.services,
        "tag": knowledge.tags,
        "tier": (knowledge.tier,) if knowledge.tier else (),
    }
    audiences = audiences_of(knowledge.audience, knowledge.groups)
    return Owner(knowledge.id, audiences, facets, knowledge.valid_from, knowledge.valid_to)


def in_force(knowledge: KnowledgeObject | FrontMatter, at: datetime) -> bool:
    """Whether it is published and within its dates at a time: requesters may open nothing else."""
    started = knowledge.valid_from is None or knowledge.valid_from <= at
    over = knowledge.valid_to is not None and knowledge.valid_to < at
    return knowledge.workflow_state == "published" and started and not over


def tombstone_of(knowledge: KnowledgeObject, after: str | None, at: datetime) -> Tombstone:
    """The tombstone of an object that is gone as of a commit; never public where requesters could not open it then."""
    audience = "internal" if knowledge.audience == "public" and not in_force(knowledge, at) else knowledge.audience
    return Tombstone(
        knowledge.id, knowledge.path, knowledge.title, audience, knowledge.groups, knowledge.services,
        knowledge.revision, after, at,
    )  # fmt: skip


def object_to_json(knowledge: KnowledgeObject) -> str:
    return json.dumps(knowledge, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    """What JSON has no form for: a part of an object by its fields, a moment as ISO 8601 has it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {name: getattr(value, name) for name in _field_names(type(value))}
    return value.isoformat()


@cache
def _field_names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _card_to_json(knowledge: KnowledgeObject) -> str:
    """Its fields in the order of a card's, but for the id."""
    told = (knowledge.title, knowledge.type, knowledge.summary, knowledge.tier, knowledge.services)
    return json.dumps(told, ensure_ascii=False)


def object_from_json(text: str) -> KnowledgeObject:
    values: dict[str, Any] = json.loads(text)
    for name in ("valid_from", "valid_to", "created", "updated"):
        values[name] = values[name] and datetime.fromisoformat(values[name])
    values["review_by"] = values["review_by"] and date.fromisoformat(values["review_by"])
    names = _field_names(KnowledgeObject)
    known: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items() if name in names
    }
    return KnowledgeObject(**known)
