"""Who is signed in to the pages: a signed cookie names the session, the desk's record says whose it is.

Nothing of the cookie can be changed without the service's secret. It holds the token that every form must bring back,
and never a key.
"""

import hashlib
import hmac
import json
import os
import secrets
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from itsdangerous import BadSignature, URLSafeTimedSerializer

from indexer.disk import about
from indexer.errors import KnowledgeBaseError
from kb_service.desk import Desk

_BYTES = 32
_LONGEST_COOKIE = 4096
# Of so many sessions it is known when something was asked last
_MOST_REMEMBERED = 100_000
# With what else a cookie holds while one is at the provider: browsers drop one that is longer than a cookie may be
_LONGEST_PAGE = 2000
# Who proved so lately who it is may end other sessions
FRESH = timedelta(minutes=10)


class ForeignFormError(KnowledgeBaseError):
    """A form, or a script, brought no token of the session that it came with."""

    def __init__(self) -> None:
        super().__init__("This form is not of your session, or the session is over", "Load the page again, then send")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as the OpenID Connect provider named them at sign-in: what that makes of them here may change.

    ``proved_at`` is when they last proved there who they are, in seconds since 1970; 0 where that is not said.
    """

    id: str
    name: str
    issuer: str
    groups: tuple[str, ...]
    strength: str = ""
    proved_at: int = 0


@dataclass(frozen=True, slots=True)
class PageSession:
    """A browser: signed in by the key of that id or as a person, or not yet. ``token`` is what its forms bring back.

    ``at`` is when it was signed in.

    ``begun`` is what must come back from a sign-in at the provider, ``then`` the page that was wanted before it.
    """

    id: str
    token: str
    key: str | None = None
    person: Person | None = None
    begun: Mapping[str, str] | None = None
    then: str = "/"
    at: datetime | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether somebody proved lately who it is: by the key, or at the provider."""
        proved = self.at if self.person is None else datetime.fromtimestamp(self.person.proved_at, UTC)
        return proved is not None and datetime.now(UTC) - proved < FRESH

    def check(self, token: str) -> None:
        """Raises ForeignFormError unless the token is this session's."""
        if not hmac.compare_digest(self.token.encode(), token.encode("utf-8", "replace")):
            raise ForeignFormError


class PageSessions:
    """Makes, reads and ends the sessions of a desk's pages."""

    def __init__(self, desk: Desk, hours: float, idle_hours: float) -> None:
        """One lasts so many ``hours``, and so many without a request; where the service was begun anew, from then on.

        The secret is made beside the record the first time, and is no part of it: a backup lets nobody in.
        """
        self._desk, self._lasts, self._idle_seconds = desk, timedelta(hours=hours), idle_hours * 3600
        secret = _secret(desk.path.with_name("session.key"))
        self._signer = URLSafeTimedSerializer(
            secret, salt="kb page session", signer_kwargs={"digest_method": hashlib.sha256}
        )
        self._asked: dict[str, float] = {}
        self._lock = threading.Lock()

    @property
    def seconds(self) -> int:
        """How long a session lasts."""
        return int(self._lasts.total_seconds())

    def begin(self) -> PageSession:
        """A session of one who is not signed in yet: only the cookie tells of it."""
        return PageSession(secrets.token_urlsafe(16), secrets.token_urlsafe(24))

    def sign_in(self, *, key: str | None = None, person: Person | None = None, browser: str = "") -> PageSession:
        """A new session of a key or a person, in a browser of that name."""
        now = datetime.now(UTC)
        session = replace(self.begin(), key=key, person=person, at=now)
        with self._desk.writing() as connection:
            connection.execute("DELETE FROM signed_in WHERE at < ?", ((now - self._lasts).isoformat(),))
            told = json.dumps(asdict(person)) if person else None
            connection.execute(
                "INSERT INTO signed_in (id, key, person, at, browser) VALUES (?, ?, ?, ?, ?)",
                (session.id, key, told, now.isoformat(), browser),
            )
        return session

    def seal(self, session: PageSession) -> str:
        """The cookie's value."""
        told = {"id": session.id, "token": session.token, "begun": session.begun, "then": session.then}
        return str(self._signer.dumps(told))

    def open(self, cookie: str) -> PageSession | None:
        """The session of a cookie's value; None where it is none of ours or too old. Signed out is not signed in."""
        if len(cookie) > _LONGEST_COOKIE:
            return None
        try:
            values: dict[str, Any]
            values, signed = self._signer.loads(cookie, return_timestamp=True)
        except BadSignature:
            return None
        # One of a time to come is of before the clock was set back, and signed by us
        if datetime.now(UTC) - signed > self._lasts:
            return None
        row = self._desk.connection.execute(
            "SELECT key, person, at FROM signed_in WHERE id = ? AND at >= ?",
            (values["id"], (datetime.now(UTC) - self._lasts).isoformat()),
        ).fetchone()
        if row and self._is_idle(values["id"]):
            row = None
        told = json.loads(row["person"]) if row and row["person"] else None
        return PageSession(
            **values,
            key=row["key"] if row else None,
            person=_person(told) if told else None,
            at=datetime.fromisoformat(row["at"]) if row else None,
        )

    def _is_idle(self, session_id: str) -> bool:
        """Whether nothing was asked in a session for too long; what is asked now counts."""
        now = time.monotonic()
        with self._lock:
            is_idle = now - self._asked.pop(session_id, now) > self._idle_seconds
            if not is_idle:
                self._asked[session_id] = now
                if len(self._asked) > _MOST_REMEMBERED:
                    del self._asked[next(iter(self._asked))]
        if is_idle:
            with self._desk.writing() as connection:
                connection.execute("DELETE FROM signed_in WHERE id = ?", (session_id,))
        return is_idle

    def end(self, session: PageSession) -> None:
        """From now on its cookie is worth nothing, wherever a copy of it is."""
        with self._desk.writing() as connection:
            connection.execute("DELETE FROM signed_in WHERE id = ?", (session.id,))


def _person(told: Mapping[str, Any]) -> Person:
    groups = tuple(told["groups"])
    strength, proved_at = told.get("strength", ""), told.get("proved_at", 0)
    return Person(told["id"], told["name"], told.get("issuer", ""), groups, strength, proved_at)


def wanted_page(text: str) -> str:
    """A page of ours that one comes back to; "/" for another site's (``//evil``, ``/\\evil``) or a very long one."""
    is_ours = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable()
    return text if is_ours and len(quote(text, safe="/?&=+%")) <= _LONGEST_PAGE else "/"


def _secret(path: Path) -> bytes:
    """The secret of a data folder, for its owner only; several processes that begin at once end up with one."""
    if not path.exists():
        part = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        try:
            with about(part), os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secrets.token_bytes(_BYTES))
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                path.hardlink_to(part)
        finally:
            part.unlink(missing_ok=True)
    secret = path.read_bytes()
    if len(secret) < _BYTES:
        raise KnowledgeBaseError(f"{path} is no secret of {_BYTES} bytes", "Delete it: all have to sign in again then")
    return secret
