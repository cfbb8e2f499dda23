"""Keys are made, listed and revoked, and each lets in whom it should."""

import json
import re
import statistics
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kb_service.desk import Desk
from kb_service.keys import KeyRefusedError, Keys
from tests.cli_keys.shell import KEY, Running, here, kb, made, said_by, service, who


def test_a_running_service_takes_a_key_at_once_and_is_open_no_more(tmp_path: Path) -> None:
    running = service(tmp_path)
    with running.running() as client:
        assert client.get("/api/me").json()["id"] == "open"
        key = json.loads(running.kb("keys", "create", "--role", "agent", "--name", "Desk", "--json"))
        assert client.get("/api/me").status_code == 401
        assert who(client, key["key"]).json() == {
            "id": f"key:{key['id']}", "name": "Desk", "role": "agent", "audience": "internal", "groups": [],
            "services": None,
        }  # fmt: skip


def test_the_plain_form_prints_the_key_alone_and_says_the_rest_beside_it(tmp_path: Path) -> None:
    done = kb(tmp_path, "keys", "create", "--role", "agent", "--name", "[red]Ann[/blue]")
    assert done.returncode == 0, done.stderr
    assert KEY.fullmatch(done.stdout.removesuffix("\n"))
    assert "[red]Ann[/blue]" in done.stderr
    assert "not shown again" in done.stderr
    assert done.stdout.strip() not in done.stderr
    assert "the first one" in done.stderr
    assert "the first one" not in here(tmp_path, "keys", "create", "--role", "agent").stderr


def test_a_restored_backup_names_the_keys_that_it_brings(tmp_path: Path) -> None:
    ids = [json.loads(here(tmp_path, "keys", "create", "--role", "agent", "--json").stdout)["id"] for _ in range(2)]
    here(tmp_path, "keys", "revoke", ids[0])
    assert here(tmp_path, "backup", str(tmp_path / "backup.db")).exit_code == 0
    said = here(tmp_path, "restore", str(tmp_path / "backup.db")).stderr
    assert (f"{ids[0]} (" in said, f"{ids[1]} (" in said) == (False, True)


def test_a_key_that_asks_too_often_waits_and_another_is_served(desk: Running) -> None:
    running, client, _ = desk
    eager, other = (made(running, "--role", "agent")["key"] for _ in range(2))
    assert [who(client, eager).status_code for _ in range(6)] == [200] * 6
    stopped = who(client, eager)
    assert stopped.status_code == 429
    assert 1 <= int(stopped.headers["retry-after"]) <= 3600
    assert stopped.headers["content-type"] == "application/problem+json"
    assert who(client, other).status_code == 200


def test_a_revoked_key_is_refused_at_once_and_says_so(desk: Running) -> None:
    running, client, _ = desk
    key = made(running, "--role", "author", "--name", "Ben")
    assert who(client, key["key"]).status_code == 200
    assert "revoked" in running.kb("keys", "revoke", key["id"])
    refused = who(client, key["key"])
    assert refused.status_code == 401
    assert "The key 'Ben' was revoked at" in refused.json()["detail"]


def test_an_expired_key_is_refused_and_says_so(desk: Running) -> None:
    running, client, _ = desk
    key = made(running, "--role", "agent", "--name", "Cleo", "--expires", "1h")
    assert who(client, key["key"]).status_code == 200
    soon = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    with Desk(Path(running.environment["KB_DATA"]) / "desk.db").writing() as connection:
        connection.execute("UPDATE keys SET expires_at = ? WHERE id = ?", (soon, key["id"]))
    refused = who(client, key["key"])
    assert refused.status_code == 401
    assert f"The key 'Cleo' expired at {soon}" in refused.json()["detail"]


def test_the_list_says_the_last_use_and_never_the_secret(desk: Running) -> None:
    running, client, _ = desk
    used, unused = made(running, "--role", "agent"), made(running, "--role", "requester")
    who(client, used["key"])
    plain, told = running.kb("keys", "list"), running.kb("keys", "list", "--json")
    by_id = {one["id"]: one for one in json.loads(told)}
    assert datetime.now(UTC) - datetime.fromisoformat(by_id[used["id"]]["last_used_at"]) < timedelta(minutes=1)
    assert by_id[unused["id"]]["last_used_at"] is None
    assert by_id[used["id"]].keys() == used.keys() - {"key"}
    lines = {line.split()[0]: line for line in plain.splitlines()}
    assert re.search(r", used \d{4}-\d\d-\d\d \d\d:\d\d$", lines[used["id"]])
    assert lines[unused["id"]].endswith("never used")
    for said in (plain, told):
        assert not KEY.search(said)
        assert all(one["key"][12:] not in said for one in (used, unused))


def test_options_take_commas_and_may_be_repeated(tmp_path: Path) -> None:
    running = service(tmp_path)
    key = made(
        running, "--role", "agent", "--services", "VPN, mail", "--services", "Print", "--groups", "HR",
        "--groups", "net,",
    )  # fmt: skip
    assert (key["services"], key["groups"]) == (["VPN", "mail", "Print"], ["HR", "net"])
    page = made(running, "--role", "requester", "--origins", "https://a.example,https://B.example:443/")
    assert page["origins"] == ["https://a.example", "https://b.example"]


@pytest.mark.parametrize(
    ("given", "lasts"),
    [
        ("90d", timedelta(days=90)),
        ("12h", timedelta(hours=12)),
        ("8w", timedelta(weeks=8)),
        ("2126-01-31", datetime(2126, 1, 31, 23, 59, 59, 999999, UTC)),
        ("2126-01-31T18:00", datetime(2126, 1, 31, 18, tzinfo=UTC)),
        ("2126-01-31T18:00+02:00", datetime(2126, 1, 31, 16, tzinfo=UTC)),
    ],
)
def test_a_key_expires_when_it_was_told_to(tmp_path: Path, given: str, lasts: timedelta | datetime) -> None:
    expires = datetime.fromisoformat(made(service(tmp_path), "--role", "agent", "--expires", given)["expires_at"])
    meant = lasts if isinstance(lasts, datetime) else datetime.now(UTC) + lasts
    assert abs(expires - meant) < (timedelta(seconds=20) if isinstance(lasts, timedelta) else timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--role", "agent", "--expires", ""], "'' is no time: write 90d, 12h, 8w"),
        (["--role", "agent", "--expires", "3m"], "'3m' is no time"),
        (["--role", "agent", "--expires", "9999-12-31T23:59-14:00"], "is no time"),
        (["--role", "agent", "--expires", "0h"], "the key would have expired at"),
        (["--role", "agent", "--expires", "2020-01-31"], "the key would have expired at 2020-01-31T23:59"),
        (["--role", "chief"], "'chief' is none of requester, agent, author, admin"),
        ([], "Missing option '--role'"),
        (["--role", "admin", "--services", "VPN"], "an admin sees what is of every service"),
        (["--role", "agent", "--services", " , "], "--services names nothing"),
        (["--role", "agent", "--groups", ""], "--groups names nothing"),
        (["--role", "requester", "--groups", "HR"], "a requester sees what is public, of whatever group"),
        (["--role", "requester", "--origins", "portal"], "'portal' is no origin"),
        (["--role", "agent", "--origins", "https://a.example"], "must not stand in a page"),
        (["--role", "agent", "--name", "a\nb  admin  c"], "must be printable, on one line"),
    ],
)
def test_what_makes_no_sense_is_said_and_no_key_is_made(tmp_path: Path, options: list[str], said: str) -> None:
    Desk(tmp_path / "data" / "desk.db")
    assert said in said_by(here(tmp_path, "keys", "create", *options))
    assert here(tmp_path, "keys", "list", "--json").stdout == "[]\n"


def test_a_time_without_a_zone_is_the_same_wherever_it_is_said(tmp_path: Path) -> None:
    settings = {"TZ": "America/New_York"}
    done = kb(tmp_path, "keys", "create", "--role", "agent", "--json", "--expires", "2126-01-31T18:00", **settings)
    assert json.loads(done.stdout)["expires_at"] == "2126-01-31T18:00:00+00:00"


def test_a_key_that_is_not_there_cannot_be_revoked(tmp_path: Path) -> None:
    Desk(tmp_path / "data" / "desk.db")
    assert "there is no key 'nobody'" in said_by(here(tmp_path, "keys", "revoke", "nobody"))


def test_a_stolen_data_folder_gives_no_key_away(desk: Running) -> None:
    running, client, admin = desk
    keys = [admin["key"], *(made(running, "--role", "agent")["key"] for _ in range(2))]
    for key in keys:
        who(client, key)
    client.get("/api/search", params={"q": "wombat"}, headers={"X-API-Key": keys[1]})
    folder = Path(running.environment["KB_DATA"])
    held = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert folder / "desk.db-wal" in held
    assert any(keys[1][3:11].encode() in one for one in held.values())
    for path, one in held.items():
        for key in keys:
            assert key[12:].encode() not in one, path


def test_a_wrong_key_takes_as_long_to_refuse_as_a_right_one(tmp_path: Path) -> None:
    keys = Keys(Desk(tmp_path / "desk.db"))
    for _ in range(50):
        keys.create("agent", by="test")
    _, right = keys.create("agent", by="test")
    ended, revoked = keys.create("agent", by="test")
    keys.revoke(ended.id, "test")
    given = {
        "right": right, "revoked": revoked, "unknown": "kb_22222222_" + "x" * 43, "wrong": right[:12] + "x" * 43,
        "nearly": right[:-1] + ("a" if right[-1] != "a" else "b"),
    }  # fmt: skip
    taken: dict[str, list[float]] = {name: [] for name in given}
    for _ in range(400):
        for name, one in given.items():
            started = time.perf_counter()
            with suppress(KeyRefusedError):
                keys.verify(one)
            taken[name].append(time.perf_counter() - started)
    medians = {name: statistics.median(times) * 1e6 for name, times in taken.items()}
    print(", ".join(f"{name} {median:.0f} µs" for name, median in medians.items()))
    # One that differs in its last letter as long as one that differs in all, and none much longer than another
    assert medians["nearly"] < 1.5 * medians["wrong"] + 5, medians
    assert max(medians.values()) < 3 * min(medians.values()) + 20, medians
