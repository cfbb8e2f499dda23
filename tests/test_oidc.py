"""Tokens and sign-in of an OpenID Connect provider, which runs on loopback."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from kb_service.access import NotForCallerError, Sight
from kb_service.oidc import Oidc
from kb_service.provider import Proof, Provider, ProviderError, TokenRefusedError
from tests.oidc_provider import CLIENT, SECRET, OidcProvider, open_provider

BACK = "http://127.0.0.1:8000/login/oidc"


@pytest.fixture(scope="module")
def running() -> Iterator[OidcProvider]:
    with open_provider() as provider:
        yield provider


@pytest.fixture
def provider(running: OidcProvider) -> OidcProvider:
    running.claims = {"groups": ["desk", "hr"], "name": "Ann Other"}
    return running


@pytest.fixture
def oidc(provider: OidcProvider) -> Oidc:
    roles = {"desk": "agent", "editors": "author", "portal": "requester"}
    return Oidc(Provider(provider.issuer, "kb", CLIENT, SECRET, roles=roles))  # type: ignore[arg-type]


def test_a_token_names_its_bearer_with_role_and_groups(oidc: Oidc, provider: OidcProvider) -> None:
    ann = oidc.caller(provider.token())
    assert (ann.id, ann.name, ann.role) == ("oidc:ann", "Ann Other", "agent")
    assert ann.sight == Sight("restricted", frozenset({"desk", "hr"}))
    assert oidc.caller(provider.token(groups=["portal", "editors"])).role == "author", "the highest of several"
    assert oidc.caller(provider.token(groups="portal", name=None)).sight == Sight("public")
    assert oidc.caller(provider.token(aud=["other", "kb"])).name == "Ann Other"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": "another-service"},
        {"aud": None},
        {"exp": None},
        {"exp": int(time.time()) - 120},
        {"nbf": int(time.time()) + 600},
        {"sub": None},
    ],
)
def test_a_token_that_is_not_for_here_is_refused(oidc: Oidc, provider: OidcProvider, claims: dict[str, Any]) -> None:
    with pytest.raises(TokenRefusedError):
        oidc.caller(provider.token(**claims))


def test_a_token_that_the_provider_did_not_sign_is_refused(oidc: Oidc, provider: OidcProvider) -> None:
    foreign = RSAKey.generate_key(2048, {"kid": str(provider.key.kid)})
    shared = jwt.encode({"alg": "HS256"}, {"sub": "ann"}, OctKey.import_key("x" * 32))
    head, _, rest = provider.token().partition(".")
    unsigned = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).decode().rstrip("=")
    changed = json.loads(base64.urlsafe_b64decode(rest.partition(".")[0] + "=="))
    changed["groups"] = ["editors"]
    body = base64.urlsafe_b64encode(json.dumps(changed).encode()).decode().rstrip("=")
    for token in (
        provider.token(key=foreign), shared, f"{unsigned}.{rest.partition('.')[0]}.", "x", "a.b.c", "x" * 100_000,
        f"{head}.{body}.{rest.partition('.')[2]}",
    ):  # fmt: skip
        with pytest.raises(TokenRefusedError):
            oidc.caller(token)


def test_who_is_in_no_group_of_ours_has_no_role(oidc: Oidc, provider: OidcProvider) -> None:
    for groups in (["kitchen"], [], None, {"desk": 1}):
        with pytest.raises(NotForCallerError, match="in no group that has a role"):
            oidc.caller(provider.token(groups=groups))


def test_a_new_key_is_fetched_but_not_by_every_bad_token(
    oidc: Oidc, provider: OidcProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    oidc.caller(provider.token())
    asked, old = provider.asked_for_keys, provider.key
    provider.key = RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True)
    for _ in range(20):
        with pytest.raises(TokenRefusedError):
            oidc.caller("a.b.c")
    assert provider.asked_for_keys == asked
    monkeypatch.setattr("kb_service.oidc._FETCH_AGAIN_SECONDS", 0.0)
    assert oidc.caller(provider.token()).id == "oidc:ann"
    assert provider.asked_for_keys == asked + 1
    with pytest.raises(TokenRefusedError):
        oidc.caller(provider.token(key=old))


def test_a_fetch_that_fails_costs_nobody_the_new_key(
    oidc: Oidc, provider: OidcProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    oidc.caller(provider.token())
    provider.key = RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True)
    monkeypatch.setattr(oidc, "_fetched", float("-inf"))
    with monkeypatch.context() as patched:
        patched.setattr("kb_service.oidc._TIMEOUT_SECONDS", 0.0)
        with pytest.raises(ProviderError):
            oidc.caller(provider.token())
    monkeypatch.setattr(oidc, "_failed", float("-inf"))
    assert oidc.caller(provider.token()).id == "oidc:ann"


def test_who_comes_while_the_new_key_is_fetched_waits_for_it(
    oidc: Oidc, provider: OidcProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    oidc.caller(provider.token())
    asked = provider.asked_for_keys
    provider.key = RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True)
    monkeypatch.setattr(oidc, "_fetched", float("-inf"))
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(oidc.caller, [provider.token()] * 8))
    assert {one.id for one in found} == {"oidc:ann"}
    assert provider.asked_for_keys == asked + 1


def test_a_sign_in_by_the_browser(oidc: Oidc) -> None:
    address, begun = oidc.begin(BACK)
    sent = httpx2.get(address, follow_redirects=False)
    came_back = parse_qs(urlsplit(sent.headers["location"]).query)
    assert came_back["state"] == [begun.state]
    (code,) = came_back["code"]
    with pytest.raises(TokenRefusedError, match="the code is not good"):
        oidc.finish(BACK, code, replace(begun, verifier="somebody else's" * 4))
    sent = httpx2.get(address, follow_redirects=False)
    (code,) = parse_qs(urlsplit(sent.headers["location"]).query)["code"]
    ann, groups, proof = oidc.finish(BACK, code, begun)
    assert ann.name == "Ann Other"
    assert groups == {"desk", "hr"}
    assert proof == Proof(strength="", at=0)
    with pytest.raises(TokenRefusedError, match="the code is not good"):
        oidc.finish(BACK, code, begun)
    sent = httpx2.get(address, follow_redirects=False)
    (code,) = parse_qs(urlsplit(sent.headers["location"]).query)["code"]
    with pytest.raises(TokenRefusedError, match="not the one that was begun here"):
        oidc.finish(BACK, code, replace(begun, nonce="another"))


def test_a_sign_in_leaves_its_verifier_at_home(oidc: Oidc) -> None:
    (address, one), (_, other) = oidc.begin(BACK), oidc.begin(BACK)
    asked = parse_qs(urlsplit(address).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert one.verifier not in address
    for name in ("state", "nonce", "verifier"):
        assert len(getattr(one, name)) >= 30
        assert getattr(one, name) != getattr(other, name)


@pytest.mark.parametrize("claims", [{"aud": "another-client"}, {"iss": "https://elsewhere.example"}, {"nonce": None}])
def test_a_sign_in_that_is_not_for_here_is_refused(oidc: Oidc, provider: OidcProvider, claims: dict[str, Any]) -> None:
    address, begun = oidc.begin(BACK)
    sent = httpx2.get(address, follow_redirects=False)
    (code,) = parse_qs(urlsplit(sent.headers["location"]).query)["code"]
    provider.codes[code]["nonce"] = claims.get("nonce", begun.nonce)
    provider.claims |= claims
    with pytest.raises(TokenRefusedError):
        oidc.finish(BACK, code, begun)


UNREADABLE: list[Any] = [
    {"kty": "EC", "crv": "P-224", "x": "AQ", "y": "AQ", "kid": "1"},
    {"kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ", "kid": "2"},
    {"kty": "OKP", "crv": "Ed999", "x": "AQ", "kid": "3"},
    {"kty": "RSA", "kid": "4"},
    {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AQ", "kid": "5"},
    {"kty": ["RSA"], "kid": "6"},
    {"kid": "7"},
    "x",
    None,
]


@contextmanager
def with_keys(folder: Path, *others: Any) -> Iterator[OidcProvider]:
    """A provider that has these keys before its own."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        made = OidcProvider(f"http://127.0.0.1:{server.server_port}", claims={"groups": "desk"})
        (folder / ".well-known").mkdir()
        told = {"issuer": made.issuer, "jwks_uri": f"{made.issuer}/keys"}
        (folder / ".well-known" / "openid-configuration").write_text(json.dumps(told))
        (folder / "keys").write_text(json.dumps({"keys": [*others, made.key.as_dict(private=False)]}))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("other", UNREADABLE)
def test_a_key_that_cannot_be_read_shuts_nobody_out(tmp_path: Path, other: Any) -> None:
    with with_keys(tmp_path, other) as provider:
        oidc = Oidc(Provider(provider.issuer, "kb", roles={"desk": "agent"}))
        assert oidc.caller(provider.token()).role == "agent"


def test_keys_of_which_none_can_be_read_are_said(tmp_path: Path) -> None:
    with with_keys(tmp_path) as provider:
        (tmp_path / "keys").write_text(json.dumps({"keys": UNREADABLE}))
        with pytest.raises(ProviderError, match="no key that can be read"):
            Oidc(Provider(provider.issuer, "kb")).caller(provider.token())


def test_a_provider_that_cannot_be_asked_is_said() -> None:
    oidc = Oidc(Provider("http://127.0.0.1:1", "kb"))
    with pytest.raises(ProviderError, match=r"cannot be asked: .* Try again; look at KB_OIDC_ISSUER"):
        oidc.caller("a.b.c")


def test_a_provider_that_is_another_is_said(provider: OidcProvider) -> None:
    with pytest.raises(ProviderError, match="to the letter"):
        Oidc(Provider(provider.issuer + "/", "kb")).caller("a.b.c")
