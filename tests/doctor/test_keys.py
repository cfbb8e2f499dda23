"""kb doctor on who can come in."""

import time

import pytest

from tests.doctor.house import House, execute


def key(house: House, **columns: str) -> None:
    row = {
        "id": "abc", "hash": "x", "name": "Desk tool", "role": "agent", "services": "[]", "groups": "[]",
        "origins": "[]", "created_at": "2020-01-01T00:00:00+00:00", "created_by": "test",
        "last_used_at": time.strftime("%Y-%m-%dT00:00:00+00:00"), **columns,
    }  # fmt: skip
    values = ", ".join(f"'{value}'" for value in row.values())
    execute(house.data / "desk.db", f"INSERT INTO keys ({', '.join(row)}) VALUES ({values})")


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (
            {"expires_at": "2021-01-01T00:00:00+00:00"},
            r"abc \(agent, Desk tool\) expired 2021-01-01 00:00 UTC, was used",
        ),
        (
            {"expires_at": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() + 9 * 86_400))},
            "abc .* expires",
        ),
        ({"last_used_at": "2021-01-01T00:00:00+00:00"}, "is valid, but was used last 2021-01-01"),
    ],
)
def test_a_key_that_ends_or_nobody_uses_is_named_until_it_is_revoked(
    house: House, columns: dict[str, str], said: str
) -> None:
    key(house, **columns)
    house.do(house.only("keys", "warning", said))
    assert house.wrong() == []


def test_who_can_come_in_and_who_cannot(house: House) -> None:
    path = house.data / "desk.db"
    execute(path, "UPDATE keys SET role = 'agent'")
    house.only("keys", "warning", "no valid key is an admin's")
    execute(path, "UPDATE keys SET revoked_at = '2026-01-01T00:00:00+00:00'")
    remedy = house.only("keys", "error", "no key is valid any more")
    house.do(remedy)
    assert house.wrong() == []
    execute(path, "DELETE FROM keys")
    house.settings.update(KB_HOST="0.0.0.0", KB_URL="https://kb.example.org", KB_PROXIES="10.0.0.7")  # noqa: S104
    house.do(house.only("keys", "error", "other machines could use the service"))
    assert house.wrong() == []
