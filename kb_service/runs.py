"""A runbook as somebody goes through it: which steps were done when, with what filled in, for which incident."""

import json
import sqlite3
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from indexer.errors import KnowledgeBaseError
from kb_service.access import Caller
from kb_service.audit import note
from kb_service.desk import Desk
from kb_service.placeholders import clean

_MOST_FIELDS = 60
_MOST_NAME = 80


class UnknownRunError(KnowledgeBaseError):
    """There is no run of that id, or none for this caller."""

    def __init__(self, run_id: str) -> None:
        super().__init__(f"There is no run '{run_id}'", "Begin one on the page of its runbook")


class RunKeptError(KnowledgeBaseError):
    """The run is a work note of a record already, and stays there."""

    def __init__(self, run_id: str, number: str) -> None:
        super().__init__(f"The run '{run_id}' is kept with {number}", "Begin another for another incident")


class RunEndedError(KnowledgeBaseError):
    """The run is over: what was done stands as it is."""

    def __init__(self, run_id: str) -> None:
        super().__init__(f"The run '{run_id}' has ended", "Go on with it first, by the button on its page")


class RunUnderWayError(KnowledgeBaseError):
    """Something of the run is done, and stays to be seen."""

    def __init__(self, run_id: str) -> None:
        super().__init__(f"Steps of the run '{run_id}' are done, so it is kept", "End it instead")


@dataclass(frozen=True, slots=True)
class Run:
    """One run: ``steps`` are what each says, ``done`` when each was done, by its number from 1."""

    id: str
    article: str
    title: str
    revision: str
    number: str | None
    fields: Mapping[str, str]
    steps: tuple[str, ...]
    done: Mapping[int, datetime]
    at: datetime
    ended_at: datetime | None
    name: str

    @property
    def note(self) -> str:
        """A work note that says what was done, when, by whom and with what."""
        until = max([*self.done.values(), *([self.ended_at] if self.ended_at else [])], default=self.at)
        lines = [
            f"{self.title} (revision {self.revision[:7]}){f', by {self.name}' if self.name else ''}:"
            f" {len(self.done)} of {len(self.steps)} steps done,"
            f" {self.at:%Y-%m-%d %H:%M} to {self._time(until)} UTC{'' if self.ended_at else ', not ended'}."
        ]
        lines += [f"{name}: {value}" for name, value in self.fields.items() if value]
        lines += [
            f"{number}. {step} – {self._time(self.done[number])}"
            if number in self.done
            else f"{number}. {step} – not done"
            for number, step in enumerate(self.steps, 1)
        ]
        return "\n".join(lines)

    def _time(self, at: datetime) -> str:
        """With its day where that is another than the one it began on."""
        return f"{at:%H:%M}" if at.date() == self.at.date() else f"{at:%Y-%m-%d %H:%M}"


class Runs:
    """The runs of a desk. Each tick is on disk before it is acknowledged."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def begin(
        self, article: str, title: str, revision: str, steps: Sequence[str], number: str | None, by: Caller
    ) -> str:
        """Gives the run's id. ``number`` is that of a record that is there."""
        run_id = uuid.uuid4().hex
        now = datetime.now(UTC).isoformat()
        name = by.name if by.is_somebody else ""
        row = (run_id, article, title, revision, number, json.dumps(list(steps)), now, name, by.id)
        with self._desk.writing() as connection:
            connection.execute(
                "INSERT INTO runs (id, article, title, revision, number, fields, steps, done, at, name, caller)"
                " VALUES (?, ?, ?, ?, ?, '{}', ?, '{}', ?, ?, ?)",
                row,
            )
            if number is not None:
                note(connection, by.id, "runbook begun", number, {"article": article, "revision": revision})
        return run_id

    def get(self, run_id: str) -> Run:
        """Raises UnknownRunError."""
        row = self._desk.connection.execute("SELECT * FROM runs WHERE id = ?", (run_id,)).fetchone()
        if row is None:
            raise UnknownRunError(run_id)
        return _run(row)

    def of_incident(self, number: str) -> list[Run]:
        """Oldest first."""
        rows = self._desk.connection.execute("SELECT * FROM runs WHERE number = ? ORDER BY at, id", (number,))
        return [_run(row) for row in rows]

    def open_by(self, caller: str, article: str) -> list[Run]:
        """What somebody has begun of an article and not ended, latest first."""
        rows = self._desk.connection.execute(
            "SELECT * FROM runs WHERE caller = ? AND article = ? AND ended_at IS NULL ORDER BY at DESC, id",
            (caller, article),
        )
        return [_run(row) for row in rows]

    def tick(self, run_id: str, step: int, *, done: bool) -> None:
        """Say that a step is done, or that it is not after all. Raises UnknownRunError, RunEndedError."""
        with self._desk.writing() as connection:
            run = self._going_on(run_id)
            if not 1 <= step <= len(run.steps):
                raise UnknownRunError(f"{run_id}, step {step}")
            times = {number: at.isoformat() for number, at in run.done.items() if number != step}
            if done:
                times[step] = (run.done.get(step) or datetime.now(UTC)).isoformat()
            connection.execute("UPDATE runs SET done = ? WHERE id = ?", (json.dumps(times), run_id))

    def fill(self, run_id: str, fields: Mapping[str, str]) -> None:
        """Keep what the commands are filled in with; what is empty is filled in no more.

        Raises UnknownRunError, RunEndedError.
        """
        with self._desk.writing() as connection:
            said = {clean(name)[:_MOST_NAME]: clean(value) for name, value in fields.items()}
            filled = ((name, value) for name, value in {**self._going_on(run_id).fields, **said}.items() if value)
            known = dict(islice(filled, _MOST_FIELDS))
            connection.execute(
                "UPDATE runs SET fields = ? WHERE id = ?", (json.dumps(known, ensure_ascii=False), run_id)
            )

    def end(self, run_id: str, *, ended: bool) -> None:
        """Say that it is over, or that it goes on. Raises UnknownRunError."""
        with self._desk.writing() as connection:
            self.get(run_id)
            at = datetime.now(UTC).isoformat() if ended else None
            connection.execute("UPDATE runs SET ended_at = ? WHERE id = ?", (at, run_id))

    def discard(self, run_id: str, by: Caller) -> None:
        """Take back one that was begun and of which nothing is done. Raises UnknownRunError, RunUnderWayError."""
        with self._desk.writing() as connection:
            run = self.get(run_id)
            if run.done:
                raise RunUnderWayError(run_id)
            connection.execute("DELETE FROM runs WHERE id = ?", (run_id,))
            if run.number is not None:
                detail = {"article": run.article, "revision": run.revision}
                note(connection, by.id, "runbook discarded", run.number, detail)

    def keep_with(self, run_id: str, number: str, by: Caller) -> None:
        """Keep it as a work note of a record that is there. Raises UnknownRunError, RunKeptError."""
        with self._desk.writing() as connection:
            run = self.get(run_id)
            if run.number is not None:
                raise RunKeptError(run_id, run.number)
            connection.execute("UPDATE runs SET number = ? WHERE id = ?", (number, run_id))
            note(connection, by.id, "runbook kept", number, {"article": run.article, "revision": run.revision})

    def _going_on(self, run_id: str) -> Run:
        run = self.get(run_id)
        if run.ended_at is not None:
            raise RunEndedError(run_id)
        return run


def _run(row: sqlite3.Row) -> Run:
    values = {name: row[name] for name in ("id", "article", "title", "revision", "number", "name")}
    return Run(
        **values,
        fields=json.loads(row["fields"]),
        steps=tuple(json.loads(row["steps"])),
        done={int(step): datetime.fromisoformat(at) for step, at in json.loads(row["done"]).items()},
        at=datetime.fromisoformat(row["at"]),
        ended_at=datetime.fromisoformat(row["ended_at"]) if row["ended_at"] else None,
    )
