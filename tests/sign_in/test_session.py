"""The session: how it begins, and everything that ends it."""

from datetime import UTC, datetime, timedelta

from fastapi.testclient import TestClient

from kb_service.desk import Desk
from kb_service.keys import Keys
from kb_service.knowledge_base import KnowledgeBase
from kb_service.page_sessions import PageSessions
from kb_service.signed_in import end_sessions
from tests.browsers import COOKIE, browser_of, field, is_in, kept_in, sign_in, sign_out
from tests.conftest import eventually
from tests.test_gate import key_of


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


def test_who_is_signed_out_while_writing_gets_back_what_was_written(
    base: KnowledgeBase, browser: TestClient, key: str
) -> None:
    sign_in(browser, key)
    token = field(browser.get("/triage"), "token")
    wrote = {"text": "VPN drops <b>& dies", "service": "vpn", "token": token}
    from_page = {"Accept": "text/html", "Referer": "http://localhost/triage?service=vpn"}
    # In another tab somebody else signs in: the form is of no session that there is
    sign_in(browser, key)
    late = browser.post("/triage", data=wrote, headers=from_page)
    assert (late.status_code, "VPN drops &lt;b&gt;&amp; dies" in late.text) == (403, True)
    end_sessions(base.desk, f"key:{base.keys.listed()[0].id}", "test")
    for sent in (wrote, {**wrote, "text": "x" * 400_000}):
        page = browser.post("/triage", data=sent, headers=from_page)
        assert page.status_code == 401
        assert "You are not signed in, or not any more" in page.text
        assert sent["text"].replace("<b>&", "&lt;b&gt;&amp;") in page.text
        assert token not in page.text
        assert "/login?then=/triage%3Fservice%3Dvpn" in page.text
    elsewhere = {**from_page, "Referer": "http://evil.example/x"}
    assert 'href="/login"' in browser.post("/triage", data=wrote, headers=elsewhere).text
    assert "x" * 1_000 not in browser.post("/triage", data={"text": "x" * 600_000}, headers=from_page).text


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
