"""API keys: shown once, kept as a hash, known again, ended."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kb_service.access import EVERYTHING, INTERNAL, PUBLIC, Role, Sight
from kb_service.audit import Audit
from kb_service.desk import Desk
from kb_service.keys import InvalidKeyError, KeyRefusedError, Keys, UnknownKeyError, origin_of

LATER = datetime(2126, 1, 1, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "desk.db")


@pytest.fixture
def keys(desk: Desk) -> Keys:
    return Keys(desk)


@pytest.mark.parametrize(
    ("role", "groups", "sight"),
    [
        ("requester", (), PUBLIC),
        ("agent", (), INTERNAL),
        ("author", (), INTERNAL),
        ("author", ("hr",), Sight("restricted", frozenset({"hr"}))),
        ("admin", (), EVERYTHING),
    ],
)
def test_a_key_is_known_again_with_what_it_may_see(
    keys: Keys, role: Role, groups: tuple[str, ...], sight: Sight
) -> None:
    made, given = keys.create(role, name="VPN portal", groups=groups, expires_at=LATER, by="cli")
    known = keys.verify(given)
    assert known == made
    assert (known.caller.id, known.caller.role, known.caller.sight) == (f"key:{made.id}", role, sight)


def test_a_key_of_services_sees_what_concerns_them_and_what_concerns_none(keys: Keys) -> None:
    _, given = keys.create("agent", services=["VPN"], by="cli")
    sight = keys.verify(given).caller.sight
    assert [sight.concerns(one) for one in (("vpn", "mail"), ("mail",), ())] == [True, False, True]


def test_a_stolen_record_gives_no_key_away(keys: Keys, desk: Desk, tmp_path: Path) -> None:
    made, given = keys.create("admin", by="cli")
    desk.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert made.id.encode() in held
    assert given.removeprefix(f"kb_{made.id}_").encode() not in held


def test_an_ended_key_is_refused_and_says_why(keys: Keys, desk: Desk) -> None:
    made, given = keys.create("agent", name="Ann", by="cli")
    keys.revoke(made.id, "cli")
    keys.revoke(made.id, "cli")
    with pytest.raises(KeyRefusedError, match="'Ann' was revoked"):
        keys.verify(given)
    old, passed = keys.create("agent", name="Ben", expires_at=datetime.now(UTC) + timedelta(hours=1), by="cli")
    desk.connection.execute("UPDATE keys SET expires_at = '2026-01-01T00:00:00+00:00' WHERE id = ?", (old.id,))
    with pytest.raises(KeyRefusedError, match="'Ben' expired at 2026-01-01"):
        keys.verify(passed)
    assert [key.is_live for key in keys.listed()] == [False, False]
    assert keys.any(), "a service whose keys have all ended is not open again"
    assert [entry.action for entry in Audit(desk).entries()] == ["key created", "key revoked", "key created"]
    with pytest.raises(UnknownKeyError):
        keys.revoke("nobody", "cli")


@pytest.mark.parametrize(
    "wrong", ["", "kb_", "kb__", "x" * 1_000_000, "kb_\udc80_x", "key", "kb_{id}_", "kb_{id}_{s}x"]
)
def test_what_is_no_key_is_refused(keys: Keys, wrong: str) -> None:
    made, given = keys.create("agent", by="cli")
    said = wrong.replace("{id}", made.id).replace("{s}", given.rpartition("_")[2])
    with pytest.raises(KeyRefusedError, match="The key is not known"):
        keys.verify(said)


def test_the_last_use_is_kept_to_the_minute(keys: Keys, desk: Desk) -> None:
    made, given = keys.create("agent", by="cli")
    keys.used(keys.verify(given))
    first = keys.verify(given).last_used_at
    assert first is not None
    keys.used(keys.verify(given))
    assert keys.verify(given).last_used_at == first
    earlier = (first - timedelta(minutes=2)).isoformat()
    desk.connection.execute("UPDATE keys SET last_used_at = ? WHERE id = ?", (earlier, made.id))
    keys.used(keys.verify(given))
    assert (keys.verify(given).last_used_at or first) >= first


def test_what_makes_no_sense_is_refused(keys: Keys) -> None:
    with pytest.raises(InvalidKeyError, match="would have expired"):
        keys.create("agent", expires_at=datetime(2020, 1, 1, tzinfo=UTC), by="cli")
    with pytest.raises(InvalidKeyError, match="must not stand in a page"):
        keys.create("agent", origins=["https://portal.example"], by="cli")
    with pytest.raises(InvalidKeyError, match="of whatever group"):
        keys.create("requester", groups=["hr"], by="cli")
    assert keys.listed() == []


def test_origins_of_live_keys(keys: Keys) -> None:
    made, _ = keys.create("requester", origins=["https://Portal.example:443/", "http://localhost:5000"], by="cli")
    keys.create("requester", by="cli")
    assert keys.origins() == {"https://portal.example", "http://localhost:5000"}
    keys.revoke(made.id, "cli")
    assert keys.origins() == frozenset()


@pytest.mark.parametrize(
    "wrong", ["portal.example", "https://", "ftp://a", "https://a/b", "https://a?b", "*", "https://a:x"]
)
def test_what_is_no_origin(wrong: str) -> None:
    with pytest.raises(InvalidKeyError, match="is no origin"):
        origin_of(wrong)
