"""What pages show and take once somebody is signed in; no other site acts by the cookie."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from kb_service.knowledge_base import KnowledgeBase
from kb_service.web.forms import form
from tests.browsers import browser_of, field, is_in, said, sign_in
from tests.client import routes_of
from tests.test_gate import EVIL, bearer, key_of, opened, problem


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


def test_who_signs_out_when_the_session_is_over_already_is_out(tmp_path: Path) -> None:
    base = opened(tmp_path, anonymous=True)
    key_of(base, "agent")
    browser = browser_of(base)
    for path, leads_to in (("/logout", "/login"), ("/sessions", "/sessions")):
        browser.cookies.clear()
        sent = browser.post(path, headers={"Origin": str(browser.base_url)}, follow_redirects=False)
        assert (sent.status_code, sent.headers["location"]) == (303, leads_to)


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
