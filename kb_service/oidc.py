"""Bearer tokens and sign-in by an OpenID Connect provider: whom it names, and which of our roles their groups have.

OpenID Connect Core 1.0 and Discovery 1.0; the code flow with PKCE (RFC 7636). Only signatures by a private key of the
provider's count: a shared secret, or none, would let anybody be anybody.
"""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx2
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import OAuth2Client, OAuthError
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet

from kb_service.access import Caller, NotForCallerError
from kb_service.provider import Proof, Provider, ProviderError, SignIn, TokenRefusedError

_SIGNED_BY = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
_LEEWAY_SECONDS = 60
_TIMEOUT_SECONDS = 5.0
# A token signed by a key that is not known yet has the keys fetched again, but not by every such token
_FETCH_AGAIN_SECONDS = 60.0
_TRY_AGAIN_SECONDS = 2.0
_TURN_SECONDS = 1.0
# Of somebody in hundreds of groups with long names
_LONGEST_TOKEN = 128 * 1024


class Oidc:
    """One provider. Serves all threads; asks it for its keys at the first token."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._lock = threading.Lock()
        self._found: dict[str, Any] = {}
        self._keys: KeySet | None = None
        self._fetched = self._failed = float("-inf")

    def caller(self, token: str) -> Caller:
        """Whom a bearer token names. Raises TokenRefusedError, NotForCallerError, ProviderError."""
        if not self.provider.audience:
            raise TokenRefusedError("bearer tokens are not taken here", "Set KB_OIDC_AUDIENCE to take them")
        claims = self._claims(token, self.provider.audience)
        return self._caller(claims, self._groups(claims))

    def begin(self, redirect_uri: str, *, again: bool = False) -> tuple[str, SignIn]:
        """Where to send the browser, and what must come back with it.

        ``again``: also who is signed in there must prove who it is. Raises ProviderError.
        """
        verifier, nonce = generate_token(64), generate_token(32)
        with self._client(redirect_uri) as client:
            asked = {"acr_values": " ".join(self.provider.strengths)} if self.provider.strengths else {}
            asked |= {"prompt": "login", "max_age": "0"} if again else {}
            url, state = client.create_authorization_url(
                self._endpoint("authorization_endpoint"), code_verifier=verifier, nonce=nonce, **asked
            )
        return url, SignIn(state, nonce, verifier)

    def finish(self, redirect_uri: str, code: str, begun: SignIn) -> tuple[Caller, frozenset[str], Proof]:
        """Who came back with a code, all of their groups, whether they have a role here or not, and the proof.

        Raises TokenRefusedError, NotForCallerError, ProviderError.
        """
        try:
            with self._client(redirect_uri) as client:
                answer = client.fetch_token(
                    self._endpoint("token_endpoint"),
                    code=code,
                    code_verifier=begun.verifier,
                    grant_type="authorization_code",
                )
        except OAuthError as error:
            said = error.description or error.error
            raise TokenRefusedError(f"the provider refused the sign-in: {said}", "Sign in again") from error
        except (httpx2.HTTPError, ValueError) as error:
            raise self._unable(error) from error
        claims = self._claims(str(answer.get("id_token") or ""), self.provider.client_id)
        if claims.get("nonce") != begun.nonce:
            raise TokenRefusedError("the sign-in is not the one that was begun here", "Sign in again")
        groups = self._groups(claims)
        at = claims.get("auth_time")
        proof = Proof(_strength(claims), int(at) if isinstance(at, int | float) else 0)
        return self._caller(claims, groups), groups, proof

    def _client(self, redirect_uri: str) -> OAuth2Client:
        return OAuth2Client(
            self.provider.client_id,
            self.provider.client_secret or None,
            token_endpoint_auth_method="client_secret_basic" if self.provider.client_secret else "none",
            scope="openid profile email",
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            timeout=_TIMEOUT_SECONDS,
        )

    def _groups(self, claims: Mapping[str, Any]) -> frozenset[str]:
        given = claims.get(self.provider.groups_claim)
        return frozenset(map(str, given if isinstance(given, list) else [given] if given else []))

    def _caller(self, claims: Mapping[str, Any], groups: frozenset[str]) -> Caller:
        name = next(
            (str(claims[one]) for one in ("name", "preferred_username", "email") if claims.get(one)), claims["sub"]
        )
        caller = self.provider.caller_of(f"oidc:{claims['sub']}", name, groups)
        if caller is None:
            raise NotForCallerError(f"{name} is in no group that has a role here", "Ask an administrator to map one")
        return caller

    def _claims(self, token: str, audience: str) -> dict[str, Any]:
        if len(token) > _LONGEST_TOKEN:
            raise TokenRefusedError("the token is too long to be one", "Sign in again")
        wanted = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": self.provider.issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        try:
            claims = self._decoded(token)
            wanted.validate(claims)
        except (JoseError, ValueError) as error:
            raise TokenRefusedError(f"the token is not valid: {error}", "Sign in again for another") from error
        if not self.provider.is_strong_enough(_strength(claims)):
            wanted_ways = " or ".join(self.provider.strengths)
            raise TokenRefusedError(
                f"the provider says of how you signed in '{_strength(claims)}', and {wanted_ways} is wanted here",
                "Sign in there with the second factor; whoever runs the provider can ask for it, for this client",
            )
        return claims

    def _decoded(self, token: str) -> dict[str, Any]:
        """Signed by a key of the provider's, which may have come since its keys were fetched last."""
        keys = self._key_set()
        try:
            return jwt.decode(token, keys, algorithms=_SIGNED_BY).claims
        except (JoseError, ValueError):
            if keys is self._keys and time.monotonic() - self._fetched < _FETCH_AGAIN_SECONDS:
                raise
        return jwt.decode(token, self._key_set(other_than=keys), algorithms=_SIGNED_BY).claims

    def _key_set(self, other_than: KeySet | None = None) -> KeySet:
        """The keys as they are known, or, where they are to be others, as the provider has them now."""
        known = self._keys
        if known is not None and known is not other_than:
            return known
        with self._turn():
            # Who waited for the turn may find them fetched
            if self._keys is None or self._keys is other_than:
                found = self._get(self._endpoint_of(self._discovered(), "jwks_uri"))
                given = found.get("keys")
                keys = [key for one in given if (key := _key(one))] if isinstance(given, list) else []
                if not keys:
                    self._failed = time.monotonic()
                    said = f"{self.provider.issuer} has no key that can be read"
                    raise ProviderError(said, "Look at the jwks_uri that it names")
                self._keys, self._fetched = KeySet(keys), time.monotonic()
            return self._keys

    def _endpoint(self, name: str) -> str:
        with self._turn():
            return self._endpoint_of(self._discovered(), name)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One request at a time asks the provider. Where it hangs, the others are told and wait no longer."""
        if not self._lock.acquire(timeout=_TURN_SECONDS):
            raise ProviderError(f"{self.provider.issuer} takes long to answer", "Try again in a moment")
        try:
            yield
        finally:
            self._lock.release()

    def _endpoint_of(self, found: Mapping[str, Any], name: str) -> str:
        address = found.get(name)
        if not isinstance(address, str):
            raise ProviderError(f"{self.provider.issuer} names no {name}", "Look at KB_OIDC_ISSUER")
        return address

    def _discovered(self) -> dict[str, Any]:
        if not self._found:
            found = self._get(self.provider.issuer.rstrip("/") + "/.well-known/openid-configuration")
            if found.get("issuer") != self.provider.issuer:
                said = f"{self.provider.issuer} says that it is {found.get('issuer')!r}"
                raise ProviderError(said, "Set KB_OIDC_ISSUER to what it says, to the letter")
            self._found = found
        return self._found

    def _get(self, address: str) -> dict[str, Any]:
        """Raises ProviderError; what has just failed is not tried again by every request."""
        if time.monotonic() - self._failed < _TRY_AGAIN_SECONDS:
            raise ProviderError(f"{self.provider.issuer} could not be asked a moment ago", "Try again in a moment")
        try:
            answer = httpx2.get(address, timeout=_TIMEOUT_SECONDS, follow_redirects=False).raise_for_status().json()
        except (httpx2.HTTPError, ValueError) as error:
            self._failed = time.monotonic()
            raise self._unable(error) from error
        if not isinstance(answer, dict):
            raise ProviderError(f"{address} answers with no JSON object", "Look at KB_OIDC_ISSUER")
        return answer

    def _unable(self, error: Exception) -> ProviderError:
        return ProviderError(f"{self.provider.issuer} cannot be asked: {error}", "Try again; look at KB_OIDC_ISSUER")


def _strength(claims: Mapping[str, Any]) -> str:
    """How one signed in at the provider: its Authentication Context Class Reference (OpenID Connect Core 1.0, 2)."""
    return str(claims.get("acr", ""))


def _key(given: Any) -> Key | None:
    """A key that signatures may be by; None for one of another kind, which must not make the others worth nothing."""
    try:
        return None if given.get("use") == "enc" else JWKRegistry.import_key(given)
    except (JoseError, KeyError, TypeError, AttributeError, ValueError):
        return None
