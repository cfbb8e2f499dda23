"""A person at a browser: what is on the pages, and signing in to them."""

import re
from html import unescape
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response
from itsdangerous import URLSafeTimedSerializer

from kb_service.knowledge_base import KnowledgeBase
from tests.client import client_of

COOKIE = "kb_session"
# Where a sign-in must never lead
ELSEWHERE = (
    "//evil.example", "/\\evil.example", "\\\\evil.example", "///evil.example", "https://evil.example",
    "https:evil.example", "HTTPS:/evil.example", "javascript:alert(1)", "data:text/html,x", "evil.example",
    "@evil.example", "/\t/evil.example", "\t//evil.example", " //evil.example", "/\n/evil.example",
    "/\r\nSet-Cookie: a=b", "/\x00", "/\x7f/evil.example", "/\u2028/evil.example", "/\u202e", "/\xa0/evil.example",
    "", ".", "?q=x",
)  # fmt: skip


def foreign_script(page: str) -> list[str]:
    """Whatever a page would run but files of the service itself: scripts in it, and attributes that are code."""
    own = re.sub(r'<script type="module" src="/static/[a-z]+\.js"></script>', "", page)
    return re.findall(r"<script[^>]*>|<[^>]*\son\w+=[^>]*>|javascript:[^\"]*", own, re.IGNORECASE)


def browser_of(base: KnowledgeBase, **given: Any) -> TestClient:
    return client_of(base, follow_redirects=False, **given)


def field(page: Response, name: str) -> str:
    """What a form of a page would send along by itself."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found, page.text
    return unescape(found[1])


def sign_in(browser: TestClient, key: str, then: str = "/") -> Response:
    """As a person does it: the form, with the key typed in."""
    page = browser.get("/login", params={"then": then})
    return browser.post("/login", data={"key": key, "token": field(page, "token"), "then": field(page, "then")})


def is_in(browser: TestClient) -> bool:
    answer = browser.get("/")
    assert answer.status_code in {200, 303}
    return answer.status_code == 200


def said(page: Response, status: int) -> str:
    """Refused on the page, in words above the form."""
    assert page.status_code == status, page.text
    assert page.headers["content-type"].startswith("text/html")
    words, mark, _ = page.text.partition('<form class="sign-in"')
    found = re.search(r'role="alert">([^<]+)<', words)
    assert mark, page.text
    assert found, page.text
    return unescape(found[1])


def kept_in(cookie: str) -> dict[str, Any]:
    """What anybody can read of a cookie."""
    _, told = URLSafeTimedSerializer("of no matter").loads_unsafe(cookie)
    assert isinstance(told, dict)
    return told


def sign_out(browser: TestClient) -> Response:
    return browser.post("/logout", data={"token": field(browser.get("/"), "token")})
