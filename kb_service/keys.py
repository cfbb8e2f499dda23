"""API keys: made, listed, known again, revoked. Only hashes are kept, so that a stolen record gives no key away.

A key is 32 random bytes behind a short public name, ``kb_NAME_SECRET``. So much chance needs no slow hash: SHA-256 of
it cannot be tried out (NIST SP 800-63B, 3.1.2: look-up secrets of at least 112 bits).
"""

import hashlib
import hmac
import json
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from indexer.errors import KnowledgeBaseError
from kb_service.access import ROLES, Caller, Role, sight_of
from kb_service.audit import note
from kb_service.desk import Desk

PREFIX = "kb_"
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
_NAME_LENGTH = 8
_LONGEST = 128
_PORTS = {"http": 80, "https": 443}
# Of no key: what an unknown one is compared with, so that refusing it takes as long
_NO_HASH = hashlib.sha256(secrets.token_bytes(32)).digest()
# "Last used" is kept to the minute, so that no search waits for the disk
_USE_NOTED = timedelta(minutes=1)


class KeyRefusedError(KnowledgeBaseError):
    """The key is not known, or not valid any more."""


class InvalidKeyError(KnowledgeBaseError):
    """A key that is asked for makes no sense."""


class UnknownKeyError(KnowledgeBaseError):
    """There is no key of that id."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"there is no key '{key_id}'", "'kb keys list' lists them")


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is kept: everything but its secret.

    With ``origins`` it is publishable: it may stand in a page, and is taken from pages of these origins only.
    """

    id: str
    name: str
    role: Role
    services: tuple[str, ...]
    groups: tuple[str, ...]
    origins: tuple[str, ...]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    @property
    def is_live(self) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > datetime.now(UTC))

    @property
    def caller(self) -> Caller:
        sight = sight_of(self.role, self.groups, self.services)
        # A key that stands in a page is everybody's who opens that
        return Caller(f"key:{self.id}", self.name, self.role, sight, is_shared=bool(self.origins))


class Keys:
    """The keys of a desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def create(
        self,
        role: Role,
        *,
        name: str = "",
        services: Sequence[str] = (),
        groups: Sequence[str] = (),
        origins: Sequence[str] = (),
        expires_at: datetime | None = None,
        by: str,
    ) -> tuple[Key, str]:
        """A new key, and its secret text, which is never to be had again. Raises InvalidKeyError."""
        now = datetime.now(UTC)
        if role not in ROLES:
            raise InvalidKeyError(f"there is no role '{role}'", f"Name one of {', '.join(ROLES)}")
        if expires_at is not None and expires_at <= now:
            raise InvalidKeyError(f"the key would have expired at {expires_at.isoformat()}", "Name a later time")
        if services and role == "admin":
            raise InvalidKeyError("an admin sees what is of every service", "Leave the services out")
        if groups and role == "requester":
            raise InvalidKeyError("a requester sees what is public, of whatever group", "Leave the groups out")
        if origins and role != "requester":
            raise InvalidKeyError(f"a key of the role '{role}' must not stand in a page", "Leave the origins out")
        if not all(one.isprintable() for one in (name, *services, *groups)):
            raise InvalidKeyError("a name must be printable, on one line", "Leave control characters out")
        bound = tuple(origin_of(one) for one in origins)
        key_id = "".join(secrets.choice(_LETTERS) for _ in range(_NAME_LENGTH))
        given = f"{PREFIX}{key_id}_{secrets.token_urlsafe(32)}"
        made = Key(
            key_id, name or f"{role} {key_id}", role, tuple(services), tuple(groups), bound, now, by, expires_at,
            None, None,
        )  # fmt: skip
        with self._desk.writing() as connection:
            connection.execute(
                "INSERT INTO keys (id, hash, name, role, services, groups, origins, created_at, created_by, expires_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    key_id, _hash(given), made.name, role, json.dumps(made.services), json.dumps(made.groups),
                    json.dumps(bound), now.isoformat(), by, expires_at.isoformat() if expires_at else None,
                ),
            )  # fmt: skip
            note(connection, by, "key created", key_id, {"role": role, "name": made.name})
        return made, given

    def verify(self, given: str) -> Key:
        """The key of its secret text. A wrong one takes as long as a right one. Raises KeyRefusedError."""
        key_id = given[len(PREFIX) :].partition("_")[0][:_NAME_LENGTH].encode("ascii", "replace").decode()
        row = self._desk.connection.execute("SELECT * FROM keys WHERE id = ?", (key_id,)).fetchone()
        right = hmac.compare_digest(_hash(given), bytes(row["hash"]) if row else _NO_HASH)
        if row is None or not right:
            raise KeyRefusedError("The key is not known", "Send one made by 'kb keys create', whole")
        key = _key(row)
        if key.revoked_at is not None:
            raise KeyRefusedError(
                f"The key '{key.name}' was revoked at {key.revoked_at.isoformat()}", "Ask for another"
            )
        if not key.is_live and key.expires_at is not None:
            raise KeyRefusedError(f"The key '{key.name}' expired at {key.expires_at.isoformat()}", "Ask for another")
        return key

    def used(self, key: Key) -> None:
        """Keep that a key was used now, to the minute; dropped where all is busy."""
        now = datetime.now(UTC)
        if key.last_used_at is None or now - key.last_used_at >= _USE_NOTED:
            with self._desk.in_passing() as connection:
                connection.execute("UPDATE keys SET last_used_at = ? WHERE id = ?", (now.isoformat(), key.id))

    def get(self, key_id: str) -> Key | None:
        row = self._desk.connection.execute("SELECT * FROM keys WHERE id = ?", (key_id,)).fetchone()
        return None if row is None else _key(row)

    def existing(self, key_id: str) -> Key:
        """Raises UnknownKeyError."""
        key = self.get(key_id)
        if key is None:
            raise UnknownKeyError(key_id)
        return key

    def listed(self) -> list[Key]:
        """Every key there ever was, the oldest first."""
        return listed(self._desk.connection)

    def any(self) -> bool:
        """Whether there ever was a key: one that is revoked opens nothing again."""
        return self._desk.connection.execute("SELECT 1 FROM keys LIMIT 1").fetchone() is not None

    def origins(self) -> frozenset[str]:
        """The origins of all keys that are live: pages there may ask."""
        rows = self._desk.connection.execute("SELECT * FROM keys WHERE origins <> '[]'")
        return frozenset(origin for key in map(_key, rows) if key.is_live for origin in key.origins)

    def revoke(self, key_id: str, by: str) -> Key:
        """End a key at once. Raises UnknownKeyError; one that is revoked stays as it is."""
        with self._desk.writing() as connection:
            known = self.existing(key_id)
            if known.revoked_at is None:
                now = datetime.now(UTC).isoformat()
                connection.execute("UPDATE keys SET revoked_at = ? WHERE id = ?", (now, key_id))
                note(connection, by, "key revoked", key_id, {"role": known.role, "name": known.name})
            return self.existing(key_id)


def listed(connection: sqlite3.Connection) -> list[Key]:
    """Every key of a record there ever was, the oldest first. Its rows have names."""
    return [_key(row) for row in connection.execute("SELECT * FROM keys ORDER BY created_at, id")]


def origin_of(text: str) -> str:
    """An origin as browsers send it: scheme, host, and port unless it is the scheme's own. Raises InvalidKeyError."""
    try:
        parts = urlsplit(text.strip())
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    if parts.scheme not in _PORTS or not host or parts.path.strip("/") or parts.query or parts.fragment:
        raise InvalidKeyError(f"'{text}' is no origin", "Write it as https://portal.example.org")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port not in {None, _PORTS[parts.scheme]} else "")


def _hash(given: str) -> bytes:
    return hashlib.sha256(given[:_LONGEST].encode("utf-8", "replace")).digest()


def _key(row: sqlite3.Row) -> Key:
    moments = (row[name] and datetime.fromisoformat(row[name]) for name in ("expires_at", "revoked_at", "last_used_at"))
    services, groups, origins = (tuple(json.loads(row[name])) for name in ("services", "groups", "origins"))
    return Key(
        row["id"], row["name"], row["role"], services, groups, origins, datetime.fromisoformat(row["created_at"]),
        row["created_by"], *moments,
    )  # fmt: skip
