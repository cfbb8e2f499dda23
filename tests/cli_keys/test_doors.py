"""Where a service may listen without a key, and settings that are wrong."""

import signal
from pathlib import Path

import httpx2
import pytest

from kb_service.settings import Settings
from tests import forked
from tests.authors import Service
from tests.cli_keys.shell import here, kb, made, said_by, service
from tests.conftest import eventually

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
    assert f"{warned}. Make one: kb keys create --role admin --data " in started(running)
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
