"""Signing in to the pages through an OpenID Connect provider: who one is then, and what is refused."""

import re
import secrets
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from pydantic import ValidationError

from kb_service.knowledge_base import KnowledgeBase
from tests.browsers import COOKIE, ELSEWHERE, browser_of, field, is_in, kept_in, said, sign_in, sign_out
from tests.oidc_provider import CLIENT, SECRET, OidcProvider, open_provider
from tests.test_gate import key_of, opened

ROLES_OF = {"desk": "agent", "admins": "admin", "portal": "requester"}


@pytest.fixture(scope="module")
def running() -> Iterator[OidcProvider]:
    with open_provider() as made:
        yield made


@pytest.fixture
def provider(running: OidcProvider) -> OidcProvider:
    running.claims, running.says_when = {"groups": ["desk", "hr"], "name": "Ann Other"}, True
    return running


def with_provider(folder: Path, issuer: str, **given: Any) -> KnowledgeBase:
    named = {"oidc_issuer": issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET, "oidc_roles": ROLES_OF}
    return opened(folder, **{**named, **given})


@pytest.fixture
def person(tmp_path: Path, provider: OidcProvider) -> TestClient:
    """A browser, before its person has signed in."""
    return browser_of(with_provider(tmp_path, provider.issuer))


def sent_back(browser: TestClient, then: str = "/") -> str:
    """Off to the provider, where one is known already: the address that it sends one back to."""
    off = browser.get("/login/provider", params={"then": then})
    assert off.status_code == 303, off.text
    back = httpx2.get(off.headers["location"], follow_redirects=False).headers["location"]
    assert back.startswith("http://localhost/login/callback?")
    return str(back)


def test_a_person_signs_in_through_the_provider(person: TestClient) -> None:
    page = person.get(person.get("/a/vpn?at=abc").headers["location"])
    link = re.search(r'href="(/login/provider[^"]+)">Sign in through 127.0.0.1<', page.text)
    assert link
    off = person.get(unescape(link[1]))
    back = httpx2.get(off.headers["location"], follow_redirects=False).headers["location"]
    came = person.get(back)
    assert (came.status_code, came.headers["location"]) == (303, "/a/vpn?at=abc")
    assert "Ann Other (agent)" in person.get("/").text
    assert person.get("/a/pay").status_code == 200, "of the group HR"
    sign_out(person)
    assert not is_in(person)


def test_the_provider_leads_to_no_other_site(person: TestClient) -> None:
    for then in (*ELSEWHERE[:4], "/" + "é" * 3000):
        assert person.get(sent_back(person, then)).headers["location"] == "/"


def test_the_cookie_of_a_sign_in_that_has_begun_is_one_that_browsers_keep(person: TestClient) -> None:
    # The longest that is kept, which nothing makes shorter
    wanted = "/?q=" + secrets.token_urlsafe(1497)
    assert len(person.get("/login/provider", params={"then": wanted}).headers["set-cookie"]) < 4096
    assert person.get(sent_back(person, wanted)).headers["location"] == wanted


def test_the_cookie_holds_of_a_sign_in_that_has_begun_what_must_come_back(person: TestClient) -> None:
    address = person.get("/login/provider").headers["location"]
    kept = kept_in(person.cookies[COOKIE])
    assert set(kept["begun"]) == {"state", "nonce", "verifier"}
    assert address not in str(kept)


def test_a_sign_in_that_this_browser_did_not_begin_is_refused(person: TestClient) -> None:
    attacker = browser_of(person.app.state.knowledge_base)  # type: ignore[attr-defined]
    theirs = sent_back(attacker)
    for address in (theirs, "/login/callback", "/login/callback?code=x&state="):
        assert "not begun here" in said(person.get(address), 400)
    sent_back(person)
    assert "not begun here" in said(person.get(theirs), 400)
    assert not is_in(person)


def test_a_sign_in_comes_back_once(person: TestClient) -> None:
    back = sent_back(person)
    assert person.get(back).status_code == 303
    assert "not begun here" in said(person.get(back), 400)
    assert is_in(person)


@pytest.mark.parametrize("name", ["nonce", "code_challenge"])
def test_a_code_of_another_sign_in_is_refused(person: TestClient, provider: OidcProvider, name: str) -> None:
    back = sent_back(person)
    other = sent_back(browser_of(person.app.state.knowledge_base))  # type: ignore[attr-defined]
    code, others = (re.search("code=([^&]+)", one)[1] for one in (back, other))  # type: ignore[index]
    provider.codes[code][name] = provider.codes[others][name]
    assert "Sign in again" in said(person.get(back), 401)
    assert not is_in(person)


def test_who_guesses_codes_is_stopped_at_that_address(tmp_path: Path, provider: OidcProvider) -> None:
    person = browser_of(with_provider(tmp_path, provider.issuer, rate_refused="3/hour"))
    state = re.search("state=([^&]+)", sent_back(person))[1]  # type: ignore[index]
    guesses = [person.get(f"/login/callback?state={state}&code=x{number}") for number in range(4)]
    assert [one.status_code for one in guesses] == [401, 401, 401, 429]
    assert "3 per 1 hour" in said(guesses[-1], 429)
    assert 0 < int(guesses[-1].headers["retry-after"]) <= 3600


def test_what_the_provider_refuses_is_said(person: TestClient) -> None:
    state = re.search("state=([^&]+)", sent_back(person))[1]  # type: ignore[index]
    for given, words in {
        "error=access_denied": "access_denied",
        "error=x&error_description=Not+%3Cb%3Etoday": "Not <b>today",
        "": "refused the sign-in",
    }.items():
        assert words in said(person.get(f"/login/callback?state={state}&{given}"), 401)
    assert not is_in(person)


def test_who_is_in_no_group_of_ours_is_told_so(person: TestClient, provider: OidcProvider) -> None:
    provider.claims = {"groups": ["kitchen"], "name": "Ann <i>Other"}
    assert "Ann <i>Other is in no group" in said(person.get(sent_back(person, "/a/vpn")), 403)
    assert not is_in(person)


def test_a_provider_that_is_down_is_said_and_keys_still_work(tmp_path: Path) -> None:
    base = with_provider(tmp_path, "http://127.0.0.1:1")
    browser = browser_of(base)
    assert "cannot be asked" in said(browser.get("/login/provider?then=/a/vpn"), 503)
    assert sign_in(browser, key_of(base, "agent")).status_code == 303


def test_a_provider_that_goes_down_meanwhile_is_said(tmp_path: Path) -> None:
    with open_provider() as provider:
        browser = browser_of(with_provider(tmp_path, provider.issuer))
        back = sent_back(browser)
    assert "cannot be asked" in said(browser.get(back), 503)


def test_a_person_in_many_groups_signs_in_and_finds(person: TestClient, provider: OidcProvider) -> None:
    many = [
        f"CN=Group {n:03} of a long name, OU=Applications and Services, OU=Groups, DC=example, DC=org"
        for n in range(300)
    ]
    provider.claims = {"groups": [*many, "desk", "HR"], "name": "Ann Other"}
    back = person.get(sent_back(person))
    assert back.status_code == 303, back.text
    assert len(back.headers["set-cookie"]) < 1000
    assert person.get("/a/pay").status_code == 200
    assert 'href="/a/pay"' in person.get("/?q=restart+server").text


def test_beginning_a_sign_in_does_not_sign_one_out(tmp_path: Path, provider: OidcProvider) -> None:
    base = with_provider(tmp_path, provider.issuer)
    browser = browser_of(base)
    sign_in(browser, key_of(base, "requester", name="Portal"))
    back = sent_back(browser)
    assert "Portal (requester)" in browser.get("/").text, "a page of another site can lead there"
    browser.get(back)
    assert "Ann Other (agent)" in browser.get("/").text


def test_without_the_provider_nobody_is_signed_in_through_it(tmp_path: Path, provider: OidcProvider) -> None:
    base = with_provider(tmp_path, provider.issuer)
    key_of(base, "agent")
    person = browser_of(base)
    person.get(sent_back(person))
    assert is_in(person)
    for issuer in ("", "http://127.0.0.1:1"):
        assert not is_in(with_settings(person, oidc_issuer=issuer))


def with_settings(browser: TestClient, **changed: Any) -> TestClient:
    """The same browser, after the service was started again with other settings."""
    before = browser.app.state.knowledge_base.settings  # type: ignore[attr-defined]
    again = KnowledgeBase(before.model_copy(update=changed))
    return browser_of(again, headers={"Cookie": f"{COOKIE}={browser.cookies[COOKIE]}"})


def test_a_role_is_what_the_settings_make_of_a_person_s_groups_now(person: TestClient, provider: OidcProvider) -> None:
    provider.claims = {"groups": ["admins", "hr"], "name": "Ann Other"}
    person.get(sent_back(person))
    assert "Ann Other (admin)" in person.get("/").text
    agent = with_settings(person, oidc_roles={"admins": "agent"})
    assert "Ann Other (agent)" in agent.get("/").text
    assert agent.get("/a/pay").status_code == 200, "of the group HR, which has no role"
    requester = with_settings(person, oidc_roles={"hr": "requester"})
    assert "Ann Other (requester)" in requester.get("/").text
    assert requester.get("/a/pay").status_code == 404
    assert not is_in(with_settings(person, oidc_roles={"desk": "agent"}))


def test_a_sign_in_without_the_second_factor_is_refused(tmp_path: Path, provider: OidcProvider) -> None:
    person = browser_of(with_provider(tmp_path, provider.issuer, oidc_acr="phr mfa", oidc_audience="kb"))
    provider.claims["acr"] = "password"
    off = person.get("/login/provider").headers["location"]
    assert parse_qs(urlsplit(off).query)["acr_values"] == ["phr mfa"]
    refused = said(person.get(sent_back(person)), 401)
    assert refused.startswith("the provider says of how you signed in 'password', and phr or mfa is wanted here")
    token = {"Authorization": f"Bearer {provider.token()}"}
    assert person.get("/api/me", headers=token).status_code == 401
    provider.claims["acr"] = "mfa"
    person.get(sent_back(person))
    assert is_in(person)
    token = {"Authorization": f"Bearer {provider.token()}"}
    assert person.get("/api/me", headers=token).status_code == 200


def test_a_sign_in_of_before_the_second_factor_was_asked_for_counts_no_more(person: TestClient) -> None:
    person.get(sent_back(person))
    assert is_in(person)
    assert not is_in(with_settings(person, oidc_acr="mfa"))


def again(browser: TestClient) -> Response:
    """Off to the provider once more, to prove there who one is, and back: where that leads."""
    link = re.search(r'href="(/login/provider[^"]+)">Sign in again<', browser.get("/sessions").text)
    assert link
    off = browser.get(unescape(link[1])).headers["location"]
    asked = parse_qs(urlsplit(off).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])
    return browser.get(httpx2.get(off, follow_redirects=False).headers["location"])


@pytest.mark.parametrize("says_when", [True, False])
def test_who_ends_another_session_proves_at_the_provider_who_it_is(
    tmp_path: Path, provider: OidcProvider, *, says_when: bool
) -> None:
    base = with_provider(tmp_path, provider.issuer)
    desk, phone = browser_of(base), browser_of(base)
    for browser in (desk, phone):
        browser.get(sent_back(browser))
    of_phone = field(phone.get("/sessions"), "session")
    desk.post("/sessions", data={"token": field(desk.get("/sessions"), "token"), "session": of_phone})
    assert is_in(phone), "the provider may have let one in without a word"
    provider.says_when = says_when
    assert again(desk).headers["location"] == "/sessions?tried=true"
    page = desk.get("/sessions?tried=true")
    assert ("The provider does not say that you signed in there just now" in page.text) is not says_when
    desk.post("/sessions", data={"token": field(page, "token"), "session": of_phone})
    assert is_in(phone) is not says_when


def test_where_keys_are_for_programs_only_nobody_is_let_into_the_pages_by_one(
    tmp_path: Path, provider: OidcProvider
) -> None:
    base = with_provider(tmp_path, provider.issuer)
    key = key_of(base, "agent")
    browser = browser_of(base)
    sign_in(browser, key)
    assert is_in(browser)
    token = kept_in(browser.cookies[COOKIE])["token"]
    browser = with_settings(browser, key_sign_in=False)
    assert not is_in(browser), "not by a sign-in of before either"
    page = browser.get("/login")
    assert "Sign in through 127.0.0.1" in page.text
    assert 'name="key"' not in page.text
    anyway = browser.post("/login", data={"key": key, "token": token, "then": "/"})
    assert anyway.status_code == 403
    assert "Keys are for programs here: sign in through the provider" in anyway.text
    assert browser.get("/api/me", headers={"Authorization": f"Bearer {key}"}).status_code == 200


def test_without_keys_and_without_a_provider_nobody_could_come_in(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="KB_KEY_SIGN_IN: without it KB_OIDC_ISSUER and KB_OIDC_CLIENT_ID"):
        opened(tmp_path, key_sign_in=False)
