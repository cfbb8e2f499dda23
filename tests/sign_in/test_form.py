"""The form: where it leads, whom it refuses."""

import time
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from kb_service.knowledge_base import KnowledgeBase
from tests.browsers import ELSEWHERE, browser_of, field, is_in, said, sign_in
from tests.conftest import eventually
from tests.test_gate import bearer, key_of, problem

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
