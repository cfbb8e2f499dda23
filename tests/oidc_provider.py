"""A small OpenID Connect provider on loopback, for what signs people in by one."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "kb", "client-secret"


@dataclass
class OidcProvider:
    """Its keys, who is signed in there, and how often it was asked for its keys."""

    issuer: str
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True))
    claims: dict[str, Any] = field(default_factory=dict)
    asked_for_keys: int = 0
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    says_when: bool = True

    def token(self, *, key: RSAKey | None = None, alg: str = "RS256", **claims: Any) -> str:
        """A token of who is signed in, with other claims where given."""
        signed_by, now = key or self.key, int(time.time())
        said = {"iss": self.issuer, "aud": "kb", "sub": "ann", "iat": now, "exp": now + 300, **self.claims, **claims}
        return jwt.encode(
            {"alg": alg, "kid": signed_by.kid}, {k: v for k, v in said.items() if v is not None}, signed_by
        )


@contextmanager
def open_provider() -> Iterator[OidcProvider]:
    """A provider that answers while the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if parts.path == "/.well-known/openid-configuration":
                names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
                found = {name: f"{here.issuer}/{path}" for name, path in names.items()}
                self._answer({"issuer": here.issuer, **found})
            elif parts.path == "/keys":
                here.asked_for_keys += 1
                self._answer({"keys": [here.key.as_dict(private=False)]})
            elif parts.path == "/authorize":
                code = secrets.token_hex(8)
                here.codes[code] = asked
                self.send_response(302)
                self.send_header(
                    "Location", f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"
                )
                self.end_headers()
            else:
                self._answer({"error": "not found"}, 404)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            given = {name: values[0] for name, values in parse_qs(body).items()}
            begun = here.codes.pop(given.get("code", ""), None)
            digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            client = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
            if self.headers["Authorization"] != f"Basic {client}":
                self._answer({"error": "invalid_client"}, 401)
            elif (
                begun is None or begun["code_challenge"] != challenge or begun["redirect_uri"] != given["redirect_uri"]
            ):
                self._answer({"error": "invalid_grant", "error_description": "the code is not good"}, 400)
            else:
                proved_at = int(time.time()) if here.says_when and begun.get("max_age") == "0" else None
                token = here.token(nonce=begun["nonce"], auth_time=proved_at)
                self._answer({"access_token": "opaque", "token_type": "Bearer", "id_token": token})

        def _answer(self, said: object, status: int = 200) -> None:
            data = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    here = OidcProvider(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
