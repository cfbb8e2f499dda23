"""A key's whole life through the shell, beside a service that runs; who may come in when ``kb serve`` starts."""

import json
import os
import re
import signal
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner, Result

from kb_service.cli import app
from kb_service.desk import Desk
from kb_service.keys import KeyRefusedError, Keys
from kb_service.page_sessions import PageSessions, Person
from kb_service.settings import Settings
from tests import forked
from tests.authors import Service
from tests.conftest import eventually

KEY = re.compile(r"kb_[a-z2-9]{8}_[\w-]{43}")


def content(folder: Path) -> Path:
    made = folder / "content"
    made.mkdir(exist_ok=True)
    (made / "vpn.md").write_text("---\ntitle: VPN drops\naudience: public\n---\nRestart the wombat client.\n")
    (made / "pay.md").write_text("---\ntitle: Payroll stops\n---\nRestart the wombat server.\n")
    return made


def service(folder: Path, **settings: str) -> Service:
    return Service(folder / "data", KB_CONTENT=str(content(folder)), **settings)


def kb(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """A command as a process of its own, whatever comes of it."""
    environment = {**os.environ, **service(folder, **settings).environment}
    return forked.kb(arguments, environment)


def here(folder: Path, *arguments: str, **settings: str) -> Result:
    """A command in this process, which is quicker: what is said in the end is its standard error's."""
    environment = {"KB_DATA": str(folder / "data"), "COLUMNS": "400", **settings}
    return CliRunner().invoke(app, arguments, env=environment)


def said_by(result: Result) -> str:
    assert result.exit_code != 0
    assert result.stdout == ""
    return f"{result.stderr} {result.exception}"


def made(running: Service, *options: str) -> dict[str, Any]:
    result = here(Path(running.environment["KB_DATA"]).parent, "keys", "create", "--json", *options)
    assert result.exit_code == 0, result.output
    body: dict[str, Any] = json.loads(result.stdout)
    return body


def audited(running: Service, *options: str) -> Any:
    return json.loads(here(Path(running.environment["KB_DATA"]).parent, "audit", "--json", *options).stdout)


def who(client: httpx2.Client, key: str) -> httpx2.Response:
    return client.get("/api/me", headers={"Authorization": f"Bearer {key}"})


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


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, httpx2.Client, dict[str, Any]]]:
    """A running service of six requests an hour and key, and its admin's key."""
    running = service(tmp_path_factory.mktemp("desk"), KB_RATE_KEY="6/hour")
    key = made(running, "--role", "admin", "--name", "[red]Ann[/blue]")
    with running.running() as client:
        yield running, client, key


Running = tuple[Service, httpx2.Client, dict[str, Any]]


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


def test_what_became_of_a_key_is_audited_in_a_chain(desk: Running) -> None:
    running, _, _ = desk
    key = made(running, "--role", "agent", "--name", "Dora")
    for _ in range(2):
        assert here(Path(running.environment["KB_DATA"]).parent, "keys", "revoke", key["id"]).exit_code == 0
    entries = audited(running, "--subject", key["id"])
    assert [(one["action"], one["detail"]) for one in entries] == [
        ("key revoked", {"name": "Dora", "role": "agent"}), ("key created", {"name": "Dora", "role": "agent"}),
    ]  # fmt: skip
    assert entries[0]["actor"].startswith("local:")
    plain = running.kb("audit", "--subject", key["id"]).splitlines()
    assert [re.sub(r"^\S+ \S+  local:\S+  ", "", line) for line in plain] == [
        f"key revoked  {key['id']}  (name Dora, role agent)", f"key created  {key['id']}  (name Dora, role agent)",
    ]  # fmt: skip
    counted = audited(running, "--verify")["entries"]
    assert running.kb("audit", "--verify") == f"{counted} entries, each as it was written\n"


def test_the_audit_log_is_told_by_when_and_by_whom(desk: Running) -> None:
    running, _, _ = desk
    for _ in range(3):
        made(running, "--role", "agent")
    everything = audited(running, "--limit", "1000")
    actor = everything[0]["actor"]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    for options, told in (
        (["--actor", actor, "--limit", "1000"], [one for one in everything if one["actor"] == actor]),
        (["--actor", "nobody"], []),
        (["--since", everything[2]["at"]], everything[:3]),
        (["--since", "1h"], everything),
        (["--since", datetime.now(UTC).date().isoformat()], everything),
        (["--since", tomorrow], []),
        (["--limit", "2"], everything[:2]),
    ):
        assert audited(running, *options) == told, options


def test_an_altered_audit_log_is_said(tmp_path: Path) -> None:
    made(service(tmp_path), "--role", "agent")
    with closing(Desk(tmp_path / "data" / "desk.db").connection) as connection:
        connection.execute("DROP TRIGGER audit_is_never_changed")
        connection.execute("UPDATE audit SET actor = 'nobody'")
    assert "not as it was written from entry 1 on" in said_by(here(tmp_path, "audit", "--verify"))


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
    assert said in said_by(here(tmp_path, "keys", "create", *options))
    assert here(tmp_path, "keys", "list", "--json").stdout == "[]\n"


def test_a_time_without_a_zone_is_the_same_wherever_it_is_said(tmp_path: Path) -> None:
    settings = {"TZ": "America/New_York"}
    done = kb(tmp_path, "keys", "create", "--role", "agent", "--json", "--expires", "2126-01-31T18:00", **settings)
    assert json.loads(done.stdout)["expires_at"] == "2126-01-31T18:00:00+00:00"


def test_a_key_that_is_not_there_cannot_be_revoked(tmp_path: Path) -> None:
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


BEYOND: list[tuple[list[str], dict[str, str], str]] = [
    ([], {"KB_URL": "https://kb.example.org"}, "by https://kb.example.org"),
    ([], {"KB_HOSTS": "localhost, kb.example.org"}, "by localhost, kb.example.org"),
    ([], {"KB_PROXIES": "127.0.0.1"}, "by 127.0.0.1"),
    (["--host", "0.0.0.0"], {"KB_ANONYMOUS": "true"}, "by 0.0.0.0"),  # noqa: S104
]


@pytest.mark.parametrize(("options", "settings", "said"), BEYOND)
def test_beyond_loopback_nothing_starts_without_a_key(
    tmp_path: Path, options: list[str], settings: dict[str, str], said: str
) -> None:
    done = kb(tmp_path, "serve", *options, **settings)
    assert done.returncode == 3, done.stderr
    assert f"other machines could use the service ({said}" in done.stderr
    assert "Make a key first: kb keys create --role admin" in done.stderr
    assert "http://" not in done.stdout


def test_beyond_loopback_it_starts_with_a_key_and_asks_for_it(tmp_path: Path) -> None:
    running = service(tmp_path, KB_HOST="0.0.0.0")  # noqa: S104
    key = made(running, "--role", "agent")["key"]
    with running.running() as client:
        port = client.base_url.port
        for address in (f"http://127.0.0.1:{port}", f"http://127.0.0.2:{port}"):
            assert httpx2.get(f"{address}/api/me").status_code == 401
            assert httpx2.get(f"{address}/api/me", headers={"X-API-Key": key}).status_code == 200


def started(running: Service) -> str:
    """What it says until it serves."""
    run = forked.begin(["serve"], running.environment)
    eventually(lambda: "Ctrl+C stops it.\n" in run.said())
    run.send_signal(signal.SIGTERM)
    run.wait()
    return run.said()


def test_on_loopback_without_a_key_it_says_that_it_is_open(tmp_path: Path) -> None:
    running = service(tmp_path)
    warned = "Open: without a key whoever works at this machine sees and changes everything but what is restricted"
    assert f"{warned}. Make one: kb keys create --role admin" in started(running)
    made(running, "--role", "agent")
    assert "Open" not in started(running)


def test_whoever_shows_nothing_sees_what_is_public_where_that_is_wanted(tmp_path: Path) -> None:
    running = service(tmp_path, KB_ANONYMOUS="true", KB_RATE_ADDRESS="none")
    made(running, "--role", "agent")
    with running.running() as client:
        assert client.get("/api/me").json()["role"] == "requester"
        found = client.get("/api/search", params={"q": "restart wombat"}).json()["hits"]
        assert [hit["id"] for hit in found] == ["vpn"]
        assert client.get("/api/incidents").status_code == 403
        assert client.get("/api/me", headers={"X-API-Key": "kb_wrong"}).status_code == 401


SSO = {"KB_OIDC_ISSUER": "https://sso.example.org", "KB_OIDC_CLIENT_ID": "kb"}
WRONG = [
    ({"KB_RATE_KEY": "many"}, "KB_RATE_KEY: write one rate, as in 600/minute"),
    ({"KB_RATE_KEY": "0/minute"}, "KB_RATE_KEY: nobody could ask anything"),
    ({"KB_RATE_ADDRESS": "5/fortnight"}, "KB_RATE_ADDRESS: write one rate"),
    ({"KB_RATE_REFUSED": "5/minute; 9/second"}, "KB_RATE_REFUSED: write one rate"),
    ({"KB_PROXIES": "10.0.0.1, proxy"}, "KB_PROXIES: 'proxy' does not appear to be"),
    ({"KB_PROXIES": "*"}, "KB_PROXIES: '*' does not appear to be"),
    ({"KB_URL": "kb.example.org"}, "KB_URL: 'kb.example.org' is no origin"),
    ({"KB_HOSTS": "https://kb.example.org"}, "KB_HOSTS: 'https://kb.example.org' is no host name"),
    ({"KB_HOSTS": "kb.example.org:8000"}, "KB_HOSTS: 'kb.example.org:8000' is no host name"),
    ({"KB_ANONYMOUS": "perhaps"}, "KB_ANONYMOUS: "),
    ({"KB_SESSION_HOURS": "0"}, "KB_SESSION_HOURS: "),
    ({**SSO, "KB_OIDC_ISSUER": "http://sso.example.org"}, "KB_OIDC_ISSUER: it must be an https:// address"),
    ({"KB_OIDC_ISSUER": "https://sso.example.org"}, "KB_OIDC_ISSUER: with it KB_OIDC_AUDIENCE or KB_OIDC_CLIENT_ID"),
    (SSO, "KB_OIDC_ROLES: with an issuer it is needed"),
    ({**SSO, "KB_OIDC_ROLES": "{Desk: agent}"}, "KB_OIDC_ROLES: it is not JSON"),
    ({**SSO, "KB_OIDC_ROLES": '{"Desk": "chief"}'}, "KB_OIDC_ROLES: 'Desk': Input should be 'requester'"),
    ({**SSO, "KB_OIDC_ROLES": '["Desk"]'}, "KB_OIDC_ROLES: "),
]


@pytest.mark.parametrize(("settings", "said"), WRONG)
def test_a_setting_with_a_wrong_value_is_said_by_name(tmp_path: Path, settings: dict[str, str], said: str) -> None:
    result = here(tmp_path, "serve", **settings)
    assert result.exit_code == 2
    assert f"Invalid value: {said}" in said_by(result)


def test_a_wrong_setting_is_said_without_a_traceback(tmp_path: Path) -> None:
    done = kb(tmp_path, "keys", "list", KB_OIDC_ROLES="{Desk: agent}")
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)


def test_a_rate_may_be_none() -> None:
    assert Settings(rate_key="none", rate_address="none").rate_key == ""


def test_a_caller_is_signed_out_everywhere(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "data" / "desk.db")
    sessions = PageSessions(desk, 12, 12)
    cookies = [sessions.seal(sessions.sign_in(person=Person(f"oidc:{name}", name, "", ()))) for name in ("ann", "bob")]
    result = here(tmp_path, "callers", "sign-out", "oidc:ann")
    assert result.stdout == "oidc:ann: 1 sessions ended\n"
    signed_in = [session is not None and session.person is not None for session in map(sessions.open, cookies)]
    assert signed_in == [False, True]
