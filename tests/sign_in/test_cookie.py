"""The cookie: what it holds, and which ones are worth nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from kb_service.access import LOCAL
from kb_service.desk import Desk
from kb_service.knowledge_base import KnowledgeBase
from kb_service.page_sessions import PageSessions
from kb_service.restoring import restore
from tests.authors import Service
from tests.browsers import COOKIE, browser_of, is_in, kept_in, sign_in, sign_out
from tests.conftest import eventually
from tests.test_gate import key_of, opened


@pytest.mark.parametrize(
    ("url", "secure", "name"),
    [("", False, "kb_session"), ("https://kb.example.org", True, "__Host-kb_session")],
)
def test_the_cookie_is_for_the_service_alone(tmp_path: Path, url: str, secure: bool, name: str) -> None:
    base = opened(tmp_path, url=url)
    key = key_of(base, "agent")
    browser = browser_of(base, base_url=url or "http://localhost")
    for answer in (browser.get("/login"), sign_in(browser, key), sign_out(browser)):
        assert answer.headers["set-cookie"].startswith(f"{name}=")
        attributes = {one.strip().casefold() for one in answer.headers["set-cookie"].split(";")[1:]}
        assert {"httponly", "samesite=lax", "path=/"} <= attributes
        assert ("secure" in attributes) == secure
        assert not any(one.startswith("domain") for one in attributes)


def test_the_cookie_holds_no_key(browser: TestClient, key: str) -> None:
    sign_in(browser, key)
    told = kept_in(browser.cookies[COOKIE])
    assert key.split("_")[1] not in str(told)
    assert key.split("_", 2)[2][:8] not in str(told)
    assert "agent" not in str(told)


def test_a_cookie_that_was_changed_is_nobodys(base: KnowledgeBase, browser: TestClient, key: str) -> None:
    sign_in(browser, key)
    cookie = browser.cookies[COOKIE]
    sessions = PageSessions(base.desk, 1, 12)
    assert sessions.open(cookie)
    for at, letter in enumerate(cookie):
        assert sessions.open(cookie[:at] + ("A" if letter != "A" else "w") + cookie[at + 1 :]) is None, at
    for other in ("", ".", "..", "x.y.z", cookie[:-3], cookie + "A", cookie * 20, "é" * 9, "null"):
        assert sessions.open(other) is None


def test_a_cookie_of_another_service_is_nobodys(tmp_path: Path, browser: TestClient) -> None:
    other = opened(tmp_path / "other")
    stranger = browser_of(other)
    sign_in(stranger, key_of(other, "admin"))
    browser.cookies.set(COOKIE, stranger.cookies[COOKIE], domain="localhost.local")
    assert is_in(stranger)
    assert not is_in(browser)


def test_a_cookie_that_is_too_old_is_nobodys(base: KnowledgeBase) -> None:
    sessions = PageSessions(base.desk, 1e-9, 12)
    cookie = sessions.seal(sessions.begin())
    eventually(lambda: sessions.open(cookie) is None)
    assert PageSessions(base.desk, 1, 12).open(cookie)


def test_below_a_path_the_cookie_is_for_that_path(tmp_path: Path) -> None:
    base = opened(tmp_path, url="https://example.org/kb")
    browser = browser_of(base, base_url="https://example.org/kb")
    sign_in(browser, key_of(base, "agent"))
    (cookie,) = browser.cookies.jar
    assert (cookie.name, cookie.path, cookie.secure) == ("__Secure-kb_session", "/kb", True)
    assert is_in(browser)


def test_over_tls_a_cookie_that_another_page_could_have_set_is_none(tmp_path: Path) -> None:
    base = opened(tmp_path, url="https://kb.example.org")
    browser = browser_of(base, base_url="https://kb.example.org")
    sign_in(browser, key_of(base, "agent"))
    value = browser.cookies["__Host-kb_session"]
    other = browser_of(base, base_url="https://kb.example.org", headers={"Cookie": f"kb_session={value}"})
    assert not is_in(other)


_OPENING = """
import sys
from pathlib import Path
from kb_service.desk import Desk
from kb_service.page_sessions import PageSessions
print("ready", flush=True)
for line in sys.stdin:
    sessions = PageSessions(Desk(Path(line.strip()) / "desk.db"), 1, 12)
    print(sessions.seal(sessions.begin()), flush=True)
"""


def test_services_that_start_at_once_have_one_secret(tmp_path: Path) -> None:
    folders = [tmp_path / str(n) for n in range(8)]
    processes = [
        subprocess.Popen([sys.executable, "-c", _OPENING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for folder in folders:
            Desk(folder / "desk.db")
            for process in processes:
                assert process.stdin is not None
                process.stdin.write(f"{folder}\n")
                process.stdin.flush()
            cookies = [process.stdout.readline().strip() for process in processes if process.stdout is not None]
            assert all(map(PageSessions(Desk(folder / "desk.db"), 1, 12).open, cookies))
    finally:
        for process in processes:
            process.communicate()
    assert {one.name for one in folders[0].iterdir() if "session" in one.name} == {"session.key"}


def test_the_secret_is_for_its_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        PageSessions(Desk(tmp_path / "desk.db"), 1, 12)
    finally:
        os.umask(before)
    secret = tmp_path / "session.key"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert len(secret.read_bytes()) == 32


def test_a_backup_lets_nobody_in(tmp_path: Path, base: KnowledgeBase, browser: TestClient, key: str) -> None:
    sign_in(browser, key)
    copied = browser.cookies[COOKIE]
    file = tmp_path / "backups" / "desk.backup"
    file.parent.mkdir()
    Service(base.settings.data).kb("backup", str(file))
    assert [one.name for one in file.parent.iterdir()] == [file.name]
    assert base.desk.path.with_name("session.key").read_bytes() not in file.read_bytes()
    assert key.encode() not in file.read_bytes()
    sign_out(browser)
    restore(base.desk, file, LOCAL)
    assert not is_in(browser_of(base, headers={"Cookie": f"{COOKIE}={copied}"}))
