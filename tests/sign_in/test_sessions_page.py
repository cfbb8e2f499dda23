"""Where one is signed in: every browser by its name, and each ended from another."""

import re
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from kb_service.knowledge_base import KnowledgeBase
from kb_service.page_sessions import FRESH
from kb_service.signed_in import browser_named
from tests.browsers import browser_of, field, is_in, kept_in, sign_in
from tests.test_gate import key_of

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)
EDGE = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 "
    "Safari/537.36 Edg/138.0.0.0"
)


def told(browser: TestClient) -> list[tuple[str, str]]:
    """The browsers that the page lists, the latest first, and which is this one."""
    return re.findall(
        r"<li><strong>([^<]+)</strong>(?: <span class=\"meta\">(this one))?", browser.get("/sessions").text
    )


def test_each_browser_is_named_and_one_is_ended_from_another(base: KnowledgeBase, key: str) -> None:
    desk, phone, other = (browser_of(base, headers={"User-Agent": one}) for one in (FIREFOX, SAFARI, EDGE))
    sign_in(desk, key)
    sign_in(phone, key)
    sign_in(other, key_of(base, "admin", name="Somebody else"))
    assert told(desk) == [("Safari on iPhone", ""), ("Firefox on Windows", "this one")]
    assert told(phone) == [("Safari on iPhone", "this one"), ("Firefox on Windows", "")]
    assert told(other) == [("Edge on macOS", "this one")]
    page = desk.get("/sessions")
    assert kept_in(phone.cookies["kb_session"])["id"] not in page.text
    ended = desk.post("/sessions", data={"token": field(page, "token"), "session": field(page, "session")})
    assert (ended.status_code, ended.headers["location"]) == (303, "/sessions")
    assert [is_in(one) for one in (desk, phone, other)] == [True, False, True]
    assert told(desk) == [("Firefox on Windows", "this one")]
    (entry,) = base.audit.entries(most=1)
    assert (entry.action, entry.detail) == ("signed out", {"sessions": 1})


def test_nobody_ends_a_session_of_somebody_else(base: KnowledgeBase, key: str) -> None:
    ann, ben = browser_of(base), browser_of(base)
    sign_in(ann, key)
    sign_in(ben, key_of(base, "admin"))
    of_ann = field(ann.get("/sessions"), "session")
    ben.post("/sessions", data={"token": field(ben.get("/sessions"), "token"), "session": of_ann})
    assert is_in(ann)
    assert ben.post("/sessions", data={"token": "a guess", "session": of_ann}).status_code == 403


def test_to_end_the_own_session_is_to_sign_out(base: KnowledgeBase, key: str) -> None:
    browser = browser_of(base)
    sign_in(browser, key)
    page = browser.get("/sessions")
    browser.post("/sessions", data={"token": field(page, "token"), "session": field(page, "session")})
    assert browser.get("/sessions").headers["location"] == "/login?then=%2Fsessions"


def begun_long_ago(base: KnowledgeBase) -> None:
    """Every session, as far as the record knows."""
    with base.desk.writing() as connection:
        connection.execute("UPDATE signed_in SET at = ?", ((datetime.now(UTC) - FRESH).isoformat(),))


def test_to_end_another_one_says_once_more_who_one_is(base: KnowledgeBase, key: str) -> None:
    desk, phone = browser_of(base), browser_of(base)
    sign_in(phone, key)
    of_phone = field(phone.get("/sessions"), "session")
    sign_in(desk, key)
    begun_long_ago(base)
    page = desk.get("/sessions")
    assert page.text.count(">Sign out</button>") == 2, "at the top, and of this browser"
    token = field(page, "token")
    for path, data in (("/sessions", {"session": of_phone}), ("/logout", {"everywhere": "yes"})):
        answer = desk.post(path, data={"token": token, **data})
        assert (answer.status_code, answer.headers["location"]) == (303, "/sessions")
    assert is_in(phone)
    assert is_in(desk)
    assert 'href="/login?then=/sessions">Sign in again<' in page.text
    assert sign_in(desk, key, "/sessions").headers["location"] == "/sessions"
    desk.post("/sessions", data={"token": field(desk.get("/sessions"), "token"), "session": of_phone})
    assert not is_in(phone)


def test_the_own_session_may_always_be_ended(base: KnowledgeBase, key: str) -> None:
    for path in ("/sessions", "/logout"):
        browser = browser_of(base)
        sign_in(browser, key)
        begun_long_ago(base)
        page = browser.get("/sessions")
        browser.post(path, data={"token": field(page, "token"), "session": field(page, "session")})
        assert not is_in(browser)


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        (FIREFOX, "Firefox on Windows"), (SAFARI, "Safari on iPhone"), (EDGE, "Edge on macOS"), ("curl/8.5.0", ""),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0 Safari/537.36",
         "Chrome on Linux"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0 Mobile Safari/537.36",
         "Chrome on Android"),
        ("Mozilla/5.0 (Haiku) Firefox/140.0", "Firefox"), ("", ""),
    ],
)  # fmt: skip
def test_a_browser_is_called_as_people_call_it(sent: str, name: str) -> None:
    assert browser_named(sent) == name
