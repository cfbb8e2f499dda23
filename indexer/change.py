"""What one transaction changes of an index: owners with their passages are put in, renamed and taken out."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from indexer import names, postings, spelling
from indexer.database import writing, writing_anew
from indexer.language import Language
from indexer.passages import Passage, Role
from indexer.postings import Scope
from indexer.prepared import Prepared, terms_of
from indexer.retrieval import Owner
from indexer.row_checks import crc_of, require_intact
from indexer.spelling import Recorded

# So many changes are remembered for readers who hold an earlier generation
_MOST_REMEMBERED = 100_000
_PASSAGES = "SELECT key, role, heading_path, anchor, text, has_vector, owner, crc FROM passages"
_Row = tuple[int, Role, str, str, str, int, int, int]


@contextmanager
def changing(connection: sqlite3.Connection, language: Language, *, anew: bool = False) -> Iterator["Change"]:
    """One transaction. ``anew``: everything is put in once more, since what is recorded of a text has changed.

    What is not put in then stays, and its words are read again.
    """
    with writing_anew(connection) if anew else writing(connection):
        change = Change(connection, language, anew)
        yield change
        change._end()


class Change:
    """Made by ``changing``."""

    def __init__(self, connection: sqlite3.Connection, language: Language, anew: bool) -> None:
        self._connection, self._language, self._anew = connection, language, anew
        self._lists = postings.Changes(connection)
        self._spelled = Recorded(set)
        self._put: set[int] = set()
        self._scopes: dict[frozenset[str], Scope] = {}
        last = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'passages'").fetchone()
        self._last = int(last[0]) if last else 0
        self._dead = 0
        if anew:
            postings.clear(connection)

    def upsert(self, owner: Owner, passages: Sequence[Prepared]) -> int:
        """Put an owner and exactly these passages in place of what it had; gives how many came or went.

        Those that are as before stay untouched, with their vectors, but where it is for other audiences now.
        """
        scope = self._scope(owner.audiences)
        known = self._connection.execute("SELECT key, scope FROM owners WHERE id = ?", (owner.id,)).fetchone()
        times = [moment.timestamp() if moment else None for moment in (owner.valid_from, owner.valid_to)]
        facets = json.dumps({name: list(values) for name, values in owner.facets.items()}, ensure_ascii=False)
        (key,) = self._connection.execute(
            "INSERT INTO owners (id, scope, facets, valid_from, valid_to) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id)"
            " DO UPDATE SET (scope, facets, valid_from, valid_to) = (excluded.scope, excluded.facets,"
            " excluded.valid_from, excluded.valid_to) RETURNING key",
            (owner.id, scope, facets, *times),
        ).fetchone()
        self._put.add(key)
        kept: dict[tuple[Role, str, str, str], list[_Row]] = {}
        if known is not None:
            for row in self._connection.execute(f"{_PASSAGES} WHERE owner = ? ORDER BY number DESC", (key,)):
                kept.setdefault(row[1:5], []).append(row)
        gone: list[_Row] = []
        if self._anew or (known is not None and known[1] != scope):
            gone = [row for rows in kept.values() for row in rows]
            kept.clear()
        stay: list[tuple[int, int]] = []
        come: list[tuple[int, str, Prepared]] = []
        for number, one in enumerate(passages):
            path = json.dumps(one.passage.heading_path, ensure_ascii=False)
            same = kept.get((one.passage.role, path, one.passage.anchor, one.passage.text))
            if same:
                stay.append((number, same.pop()[0]))
            else:
                come.append((number, path, one))
        gone += [row for rows in kept.values() for row in rows]
        self._connection.executemany("UPDATE passages SET number = ? WHERE key = ?", stay)
        if gone:
            self._forget(known[1], gone)
        self._insert(key, scope, come)
        return len(come) + len(gone)

    def delete(self, owner_id: str) -> None:
        """Take an owner out with its passages. Nothing where there is no such owner."""
        row = self._connection.execute("SELECT key, scope FROM owners WHERE id = ?", (owner_id,)).fetchone()
        if row is not None:
            key, scope = row
            self._forget(scope, self._connection.execute(f"{_PASSAGES} WHERE owner = ?", (key,)).fetchall())
            self._connection.execute("DELETE FROM owners WHERE key = ?", (key,))
            self._put.add(key)

    def rename(self, old_id: str, new_id: str) -> None:
        """The same owner under another id; its passages keep their vectors. Nothing where there is no such owner."""
        row = self._connection.execute(
            "UPDATE owners SET id = ? WHERE id = ? RETURNING key", (new_id, old_id)
        ).fetchone()
        if row is not None:
            self._put.add(row[0])

    def clear(self) -> None:
        """Take out every owner with its passages. Nothing is put in after that in the same transaction."""
        self._put.update(key for (key,) in self._connection.execute("SELECT key FROM owners"))
        for table in ("names", "identifiers", "passages", "owners", "spellings", "endings", "scopes"):
            self._connection.execute(f"DELETE FROM {table}")
        postings.clear(self._connection)

    def _end(self) -> None:
        if self._anew:
            rows = self._connection.execute(
                "SELECT o.key, o.scope, p.key, p.role, p.heading_path, p.anchor, p.text, 0, p.owner, p.crc"
                " FROM passages p JOIN owners o ON o.key = p.owner ORDER BY p.key"
            )
            for owner, scope, *row in rows:
                if owner not in self._put:
                    self._lists.add(scope, row[0], " ".join(self._terms_of(tuple(row))))
        self._lists.write()
        if self._dead:
            # What is dead in the files of vectors is counted here, as to look for it would take a while
            self._connection.execute(
                "INSERT INTO meta VALUES ('dead', ?) ON CONFLICT DO UPDATE SET value = value + excluded.value",
                (self._dead,),
            )
        self._connection.executemany("INSERT INTO changed (owner) VALUES (?)", ((key,) for key in sorted(self._put)))
        self._connection.execute(
            "DELETE FROM changed WHERE seq <= (SELECT max(seq) FROM changed) - ?", (_MOST_REMEMBERED,)
        )

    def _scope(self, audiences: frozenset[str]) -> Scope:
        """The number of the scope of these audiences, a new one where there is none."""
        if audiences not in self._scopes:
            text = json.dumps(sorted(audiences))
            self._connection.execute("INSERT OR IGNORE INTO scopes (audiences) VALUES (?)", (text,))
            (key,) = self._connection.execute("SELECT key FROM scopes WHERE audiences = ?", (text,)).fetchone()
            self._scopes[audiences] = key
        return self._scopes[audiences]

    def _insert(self, owner: int, scope: Scope, come: Sequence[tuple[int, str, Prepared]]) -> None:
        """Put new passages of an owner in: the number of each, its heading path as it is kept, and what is in it."""
        rows = [(key, number, path, one, one.passage) for key, (number, path, one) in enumerate(come, self._last + 1)]
        self._last += len(rows)
        self._connection.executemany(
            "INSERT INTO passages (key, owner, number, role, heading_path, anchor, text, length, text_hash, crc)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    key,
                    owner,
                    number,
                    said.role,
                    path,
                    said.anchor,
                    said.text,
                    one.count,
                    one.text_hash,
                    crc_of(key, owner, said.role, path, said.anchor, said.text),
                )
                for key, number, path, one, said in rows
            ),
        )
        for key, _, _, one, _ in rows:
            self._lists.add(scope, key, one.terms)
        said_so = (one.spellings for _, _, one in come)
        spelling.record(self._connection, scope, said_so, self._spelled, has_compounds=bool(self._language.joins))
        named = (
            (key, said.text if said.role == "title" else said.heading_path[-1])
            for key, _, _, _, said in rows
            if said.role in {"title", "term"}
        )
        names.add_names(self._connection, scope, ((key, name) for key, name in named if name), self._language)
        self._connection.executemany(
            "INSERT OR IGNORE INTO identifiers VALUES (?, ?, ?)",
            ((code, scope, key) for key, _, _, one, _ in rows for code in one.identifiers),
        )

    def _forget(self, scope: Scope, rows: Iterable[_Row]) -> None:
        gone = []
        for row in rows:
            gone.append((row[0],))
            self._dead += row[5]
            # Of an index that is made anew every list is
            if not self._anew:
                self._lists.take_out(scope, row[0], self._terms_of(row))
        for statement in (
            "DELETE FROM names WHERE rowid = ?",
            "DELETE FROM identifiers WHERE passage = ?",
            "DELETE FROM passages WHERE key = ?",
        ):
            self._connection.executemany(statement, gone)

    def _terms_of(self, row: _Row) -> list[str]:
        key, role, heading_path, anchor, text, _, owner, crc = row
        require_intact(crc, key, owner, role, heading_path, anchor, text)
        passage = Passage(str(key), "", tuple(json.loads(heading_path)), anchor, text, role)
        return terms_of(passage, self._language)
