"""Signing in to the pages by a key, and out again; cookies and forms, and what nobody gets round."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from kb_service.access import LOCAL
from kb_service.desk import Desk
from kb_service.keys import Keys
from kb_service.knowledge_base import KnowledgeBase
from kb_service.page_sessions import PageSessions
from kb_service.restoring import restore
from kb_service.web.forms import form
from tests.authors import Service
from tests.browsers import COOKIE, ELSEWHERE, browser_of, field, is_in, kept_in, said, sign_in, sign_out
from tests.client import routes_of
from tests.conftest import eventually
from tests.test_gate import EVIL, bearer, key_of, opened, problem


@pytest.fixture
def base(tmp_path: Path) -> KnowledgeBase:
    return opened(tmp_path)


@pytest.fixture
def key(base: KnowledgeBase) -> str:
    return key_of(base, "agent", name="Desk")


@pytest.fixture
def browser(base: KnowledgeBase, key: str) -> TestClient:
    """Of a service that has a key."""
    assert key
    return browser_of(base)


# The wanted page


WANTED = (
    "/", "/?q=vpn+%26+caf%C3%A9&type=how-to", "/a/vpn", "/a/what%3Fnow?at=abc", "/a/100%25",
    "/incidents?state=open&q=%22a%22%3C%27", "/docs",
)  # fmt: skip


def test_signing_in_leads_to_the_page_that_was_wanted(base: KnowledgeBase, key: str) -> None:
    app = browser_of(base).app
    for wanted in WANTED:
        browser = TestClient(app, "http://localhost", follow_redirects=False)
        sent = browser.get(wanted)
        assert (sent.status_code, sent.headers["location"]) == (303, f"/login?then={quote(wanted, safe='')}")
        page = browser.get(sent.headers["location"])
        back = browser.post("/login", data={"key": key, "token": field(page, "token"), "then": field(page, "then")})
        assert (back.status_code, back.headers["location"]) == (303, wanted)


def test_whoever_comes_with_a_very_long_query_can_sign_in(browser: TestClient, key: str) -> None:
    for long in ("a page of log " * 2000, "ÄÖÜ" * 600, "日本語" * 600):
        browser.cookies.clear()
        sent = browser.get("/", params={"q": long})
        assert sent.headers["location"] == "/login?then=%2F"
        assert sign_in(browser, key, f"/?q={long}").headers["location"] == "/"


def test_programs_are_told_and_not_led_to_a_form(browser: TestClient) -> None:
    for path in ("/api/search?q=vpn", "/media/x.png", "/metrics", "/openapi.json"):
        problem(browser.get(path), 401)
    assert browser.head("/").status_code == 401


def test_no_sign_in_leads_to_another_site(browser: TestClient, key: str) -> None:
    for then in ELSEWHERE:
        page = browser.get("/login", params={"then": then})
        assert field(page, "then") == "/"
        forged = browser.post("/login", data={"key": key, "token": field(page, "token"), "then": then})
        assert (forged.status_code, forged.headers["location"]) == (303, "/"), then


def test_what_looks_like_another_site_stays_a_path_of_ours(browser: TestClient, key: str) -> None:
    for then in ("/.//evil.example", "/a/../..//evil.example", "/x@evil.example", "/a\\..\\\\evil"):
        location = sign_in(browser, key, then).headers["location"]
        assert location.startswith("/")
        assert not location.startswith(("//", "/\\"))
        assert "\\" not in location


# Keys that are refused


def test_a_key_that_is_not_valid_is_refused_above_the_form(base: KnowledgeBase, browser: TestClient, key: str) -> None:
    revoked, secret = base.keys.create("agent", by="test")
    base.keys.revoke(revoked.id, "test")
    short, over = base.keys.create("agent", expires_at=datetime.now(UTC) + timedelta(seconds=0.2), by="test")
    eventually(lambda: not base.keys.existing(short.id).is_live)
    for given, words in {
        "kb_aaaaaaaa_" + "x" * 43: "not known",
        key[:-2]: "not known",
        "hunter2": "begins with 'kb_'",
        "": "begins with 'kb_'",
        secret: "was revoked at",
        over: "expired at",
        key_of(base, "requester", origins=["https://portal.example.org"]): "pages of another site",
    }.items():
        assert words in said(sign_in(browser, given, "/a/vpn"), 401)
        assert not is_in(browser)


def test_after_a_refused_key_the_right_one_leads_to_the_wanted_page(browser: TestClient, key: str) -> None:
    page = sign_in(browser, "kb_wrong", "/a/vpn?at=abc")
    assert "kb_wrong" not in page.text
    again = browser.post(
        "/login", data={"key": f" {key}\n", "token": field(page, "token"), "then": field(page, "then")}
    )
    assert (again.status_code, again.headers["location"]) == (303, "/a/vpn?at=abc")


@pytest.mark.usefixtures("key")
def test_who_guesses_keys_at_the_form_is_stopped_at_that_address(base: KnowledgeBase) -> None:
    # After the turn of a minute what was asked before it counts in part
    eventually(lambda: time.time() % 60 < 55)
    here, there = browser_of(base, client=("10.0.0.1", 1)), browser_of(base, client=("10.0.0.2", 1))
    assert [sign_in(here, "kb_wrong").status_code for _ in range(10)] == [401] * 10
    stopped = sign_in(here, "kb_wrong")
    assert "10 per 1 minute" in said(stopped, 429)
    assert 0 < int(stopped.headers["retry-after"]) <= 60
    problem(here.get("/api/me", headers=bearer("kb_wrong")), 429)
    assert sign_in(there, "kb_wrong").status_code == 401


# The cookie


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


def test_a_sign_in_ends_in_time_whenever_its_cookie_was_made(base: KnowledgeBase, key: str) -> None:
    lasting, short = PageSessions(base.desk, 1, 12), PageSessions(base.desk, 1e-9, 12)
    session = lasting.sign_in(key=key.split("_")[1])
    assert lasting.open(lasting.seal(session)) == session
    again = short.open(short.seal(session))
    assert again is None or again.key is None


def test_a_session_is_new_at_sign_in_and_the_one_before_is_over(browser: TestClient, key: str) -> None:
    browser.get("/login")
    cookies = [browser.cookies[COOKIE]]
    for _ in range(2):
        sign_in(browser, key)
        cookies.append(browser.cookies[COOKIE])
    for name in ("id", "token"):
        assert len({kept_in(one)[name] for one in cookies}) == 3
    for old in cookies[:2]:
        assert not is_in(TestClient(browser.app, "http://localhost", cookies={COOKIE: old}, follow_redirects=False))
    assert is_in(browser)


def test_a_copy_of_the_cookie_is_worth_nothing_after_signing_out(
    base: KnowledgeBase, browser: TestClient, key: str
) -> None:
    sign_in(browser, key)
    thief = browser_of(base, headers={"Cookie": f"{COOKIE}={browser.cookies[COOKIE]}"})
    assert is_in(thief)
    out = sign_out(browser)
    assert (out.status_code, out.headers["location"]) == (303, "/login")
    assert COOKIE not in browser.cookies
    assert not is_in(thief)


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


def test_signing_out_everywhere_ends_every_session_of_the_caller(
    base: KnowledgeBase, browser: TestClient, key: str
) -> None:
    phone, stranger = browser_of(base), browser_of(base)
    sign_in(browser, key)
    sign_in(phone, key)
    sign_in(stranger, key_of(base, "admin"))
    browser.post("/logout", data={"token": field(browser.get("/"), "token"), "everywhere": "yes"})
    assert [is_in(one) for one in (browser, phone, stranger)] == [False, False, True]
    assert base.audit.entries(most=1)[0].action == "signed out everywhere"


def test_a_session_in_which_nothing_is_asked_ends(base: KnowledgeBase, key: str) -> None:
    sessions = PageSessions(base.desk, 1, 12)
    cookie = sessions.seal(sessions.sign_in(key=key.split("_")[1]))
    short = PageSessions(base.desk, 1, 1e-9)
    first = short.open(cookie)
    assert first is not None
    assert first.key, "after a start it counts from the first request"

    def is_over() -> bool:
        session = short.open(cookie)
        return session is not None and session.key is None

    eventually(is_over)
    session = sessions.open(cookie)
    assert session is not None
    assert session.key is None, "it stays over"


def test_browsers_keep_no_page_to_show_after_signing_out(browser: TestClient, key: str) -> None:
    sign_in(browser, key)
    for path in ("/", "/?q=vpn", "/a/vpn", "/a/none", "/incidents", "/login"):
        assert browser.get(path).headers["cache-control"] == "no-store"


def test_whoever_signed_in_by_a_key_is_out_when_it_is_revoked(
    base: KnowledgeBase, browser: TestClient, key: str
) -> None:
    sign_in(browser, key)
    assert is_in(browser)
    elsewhere = Keys(Desk(base.desk.path))
    elsewhere.revoke(key.split("_")[1], "test")
    assert not is_in(browser)


def test_whoever_signed_in_by_a_key_is_out_when_it_expires(base: KnowledgeBase, browser: TestClient) -> None:
    sign_in(browser, key_of(base, "agent", expires_at=datetime.now(UTC) + timedelta(hours=1)))
    assert is_in(browser)
    with base.desk.writing() as connection:
        connection.execute("UPDATE keys SET expires_at = ?", ((datetime.now(UTC) - timedelta(seconds=1)).isoformat(),))
    assert not is_in(browser)


# The secret of the cookies

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


# What a page of another site cannot do


def unsafe(browser: TestClient) -> Iterator[tuple[str, str, Dependant]]:
    """Every method and address of the service that may change something, but git's webhook, which is signed."""
    app = browser.app
    assert isinstance(app, FastAPI)
    others = {
        getattr(one, "path", ""): getattr(one, "methods", None) or {"GET"}
        for one in app.routes
        if not isinstance(one, APIRoute)
    }
    assert all(methods <= {"GET", "HEAD"} for methods in others.values()), "a route that the routers do not know"
    for route in routes_of(app):
        for method in (route.methods or set()) - {"GET", "HEAD", "OPTIONS"}:
            if route.path != "/hooks/git":
                yield method, route.path.replace("{number}", "INC1").replace("{", "").replace("}", ""), route.dependant


def test_every_form_brings_the_token_of_its_session(browser: TestClient, base: KnowledgeBase, key: str) -> None:
    sign_in(browser, key)
    stranger = browser_of(base)
    another = field(stranger.get("/login"), "token")
    pages = [(method, path, needs) for method, path, needs in unsafe(browser) if not path.startswith("/api/")]
    assert {path for _, path, _ in pages} >= {"/login", "/logout"}
    for method, path, needs in pages:
        assert form in {one.call for one in needs.dependencies}, path
        for given in ({}, {"token": ""}, {"token": another}, {"token": "é"}):
            assert "not of your session" in said(browser.request(method, path, data={"key": key, **given}), 403)
    assert is_in(browser)


def test_a_form_that_comes_too_late_is_answered_with_a_new_one(browser: TestClient, key: str) -> None:
    token = field(browser.get("/login"), "token")
    browser.cookies.clear()
    late = browser.post("/login", data={"key": key, "token": token})
    assert "not of your session" in said(late, 403)
    assert browser.post("/login", data={"key": key, "token": field(late, "token")}).status_code == 303
    assert is_in(browser)


def test_scripts_bring_the_token_of_the_session_and_keys_need_none(base: KnowledgeBase, browser: TestClient) -> None:
    admin = key_of(base, "admin")
    sign_in(browser, admin)
    token = field(browser.get("/"), "token")
    by_key = browser_of(base, headers=bearer(admin))
    routes = [(method, path) for method, path, _ in unsafe(browser) if path.startswith("/api/")]
    assert len(routes) >= 8
    for method, path in routes:
        for headers in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": f"{token}x"}, {"X-CSRF-Token": "é".encode()}):
            assert "not of your session" in problem(browser.request(method, path, headers=headers), 403)  # type: ignore[arg-type]
        for answer in (browser.request(method, path, headers={"X-CSRF-Token": token}), by_key.request(method, path)):
            assert answer.status_code in {404, 415, 422}, (path, answer.text)


@pytest.mark.parametrize("origin", [EVIL, "null", "http://localhost.evil.example", "http://localhost:81", ""])
def test_a_page_of_another_site_changes_nothing_by_the_cookie(
    base: KnowledgeBase, browser: TestClient, origin: str
) -> None:
    sign_in(browser, key_of(base, "admin"))
    token = field(browser.get("/"), "token")
    for method, path, _ in unsafe(browser):
        # Even with a token, had it got hold of one
        answer = browser.request(method, path, headers={"Origin": origin, "X-CSRF-Token": token}, data={"token": token})
        assert "may not change anything here" in problem(answer, 403), path
    assert is_in(browser)


def test_a_form_of_ours_is_sent_with_our_origin(browser: TestClient, key: str) -> None:
    page = browser.get("/login")
    fields = {"key": key, "token": field(page, "token")}
    assert browser.post("/login", data=fields, headers={"Origin": "http://localhost"}).status_code == 303


# The pages


def test_pages_say_who_one_is(base: KnowledgeBase, browser: TestClient) -> None:
    sign_in(browser, key_of(base, "agent", name="<b>Desk"))
    for path in ("/", "/a/vpn", "/a/none", "/incidents", "/incidents/INC1"):
        page = browser.get(path)
        assert "&lt;b&gt;Desk (agent)" in page.text
        assert '<form action="/logout" method="post">' in page.text
        assert 'href="/incidents"' in page.text


def test_requesters_have_no_incidents(base: KnowledgeBase, browser: TestClient) -> None:
    sign_in(browser, key_of(base, "requester"))
    assert "/incidents" not in browser.get("/?q=vpn").text
    for path in ("/incidents", "/incidents/INC1", "/incidents?audience=internal"):
        assert browser.get(path).status_code == 403


def test_an_open_service_asks_nobody_to_sign_in(base: KnowledgeBase) -> None:
    browser = browser_of(base)
    assert is_in(browser)
    assert "/login" not in browser.get("/").text
    assert "Nobody needs to" in browser.get("/login").text


def test_no_page_has_anything_inline(browser: TestClient, key: str) -> None:
    pages = [browser.get("/login"), sign_in(browser, "kb_wrong")]
    sign_in(browser, key)
    pages += [browser.get(path) for path in ("/?q=vpn", "/a/vpn", "/incidents")]
    for page in pages:
        policy = dict(part.strip().partition(" ")[::2] for part in page.headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["form-action"] == policy["style-src"] == "'self'"
        assert "unsafe" not in str(policy)
        assert not re.search(r"<style|<script(?![^>]* src=)|\sstyle=|\son[a-z]+=|javascript:", page.text)
