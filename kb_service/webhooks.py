"""What a git server says by webhook: is it signed, is it our repository, was it said before, and is it about our ref.

Formats: GitHub (``X-Hub-Signature-256``: HMAC-SHA256 of the body), Gitea and Forgejo (``X-Gitea-Signature``, the same
without its prefix), GitLab (``X-Gitlab-Token``: the secret itself). Each server's documentation of webhooks.
"""

import hashlib
import hmac
import json
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from indexer.errors import KnowledgeBaseError

EventKind = Literal["push", "ping", "other"]
MOST_REMEMBERED = 10_000

_SIGNATURES = (("x-hub-signature-256", "sha256="), ("x-gitea-signature", ""), ("x-forgejo-signature", ""))
_TOKEN = "x-gitlab-token"  # noqa: S105 (the name of a header)
_EVENTS = ("x-github-event", "x-gitea-event", "x-forgejo-event", "x-gitlab-event")
_DELIVERIES = ("x-gitlab-event-uuid", "x-gitlab-webhook-uuid", "idempotency-key")
_KINDS: Mapping[str, EventKind] = {"push": "push", "push hook": "push", "tag push hook": "push", "ping": "ping"}


class WebhookRefusedError(KnowledgeBaseError):
    """A webhook that is not followed."""


class UnsignedWebhookError(WebhookRefusedError):
    """Its signature or token is missing or wrong."""


class ForeignWebhookError(WebhookRefusedError):
    """It is of another repository."""


class ReplayedWebhookError(WebhookRefusedError):
    """It was taken before."""


class BrokenWebhookError(WebhookRefusedError):
    """It is signed, but says nothing that can be read."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """What a signed request says. ``ref`` is a full name, as in ``refs/heads/main``; None where it names none."""

    kind: EventKind
    ref: str | None
    names: tuple[str, ...]


class Replays:
    """The last webhooks taken, by what makes each one itself."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str) -> None:
        """Raises ReplayedWebhookError."""
        with self._lock:
            if key in self._seen:
                raise ReplayedWebhookError("this webhook was taken before", "Push again, or wait for the next look")
            self._seen[key] = None
            while len(self._seen) > MOST_REMEMBERED:
                self._seen.popitem(last=False)


def read_webhook(headers: Mapping[str, str], body: bytes, secret: str) -> tuple[Webhook, str]:
    """A signed request, and the key that tells it from all others; header names in lower case.

    Raises UnsignedWebhookError and BrokenWebhookError.
    """
    key = _verified(headers, body, secret)
    try:
        said = json.loads(body)
        if not isinstance(said, dict):
            raise TypeError("an object is expected")
    except (ValueError, TypeError, RecursionError) as error:
        raise BrokenWebhookError(f"the body is not JSON: {error}", "Choose application/json at the server") from error
    event = next((headers[name] for name in _EVENTS if name in headers), "").lower()
    ref = said.get("ref")
    return Webhook(_KINDS.get(event, "other"), ref if isinstance(ref, str) else None, tuple(_names(said))), key


def check_repository(webhook: Webhook, ours: str) -> None:
    """Raises ForeignWebhookError where no name of the webhook's repository is ours.

    A name without a host, ours or theirs, matches the end of a path: ``acme/kb`` is ``https://git.example/acme/kb.git``.
    """
    if not any(_same(_located(name), _located(ours)) for name in webhook.names):
        said = webhook.names[0] if webhook.names else "no repository"
        raise ForeignWebhookError(
            f"the webhook is of {said!r}, not of the repository that is followed",
            "Set KB_HOOK_REPOSITORY where it is the same one under another name",
        )


def _verified(headers: Mapping[str, str], body: bytes, secret: str) -> str:
    """The key of a request whose signature or token is right."""
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    for name, prefix in _SIGNATURES:
        if name in headers:
            if hmac.compare_digest(headers[name].encode(), f"{prefix}{expected}".encode()):
                # The signature, as what else a request says of itself is not signed
                return expected
            raise UnsignedWebhookError(f"the signature in {name} is wrong", "Give both sides the same KB_HOOK_SECRET")
    if _TOKEN in headers:
        if not hmac.compare_digest(headers[_TOKEN].encode(), secret.encode()):
            raise UnsignedWebhookError(f"the token in {_TOKEN} is wrong", "Give both sides the same KB_HOOK_SECRET")
        return next((f"{name} {headers[name]}" for name in _DELIVERIES if name in headers), expected)
    raise UnsignedWebhookError("the webhook is not signed", "Set KB_HOOK_SECRET as its secret at the git server")


def _names(said: Mapping[str, Any]) -> Iterator[str]:
    """Every name and URL that the request gives its repository."""
    for part, keys in (
        (
            "repository",
            ("full_name", "clone_url", "ssh_url", "git_url", "html_url", "git_http_url", "git_ssh_url", "url"),
        ),
        ("project", ("path_with_namespace", "git_http_url", "git_ssh_url", "http_url", "ssh_url", "web_url", "url")),
    ):
        repository = said.get(part)
        if isinstance(repository, dict):
            yield from (repository[key] for key in keys if isinstance(repository.get(key), str))


def _located(name: str) -> tuple[str, str]:
    """Host and path of a repository's name, in lower case; no host where it has none."""
    text = name.strip().lower().rstrip("/").removesuffix(".git").rstrip("/")
    url = re.match(r"\w[\w+.-]*://(?:[^/@]*@)?([^/:]*)(?::\d+)?(/.*)?$", text)
    ssh = re.match(r"(?:[^/@:]+@)?([^/:]+):(?!//)(.+)$", text)
    host, path = (url[1], url[2] or "") if url else (ssh[1], ssh[2]) if ssh else ("", text)
    return host, path.strip("/")


def _same(theirs: tuple[str, str], ours: tuple[str, str]) -> bool:
    (their_host, their_path), (our_host, our_path) = theirs, ours
    if not their_path or not our_path:
        return False
    if their_host and our_host:
        return (their_host, their_path) == (our_host, our_path)
    return f"/{our_path}".endswith(f"/{their_path}") if not our_host else f"/{our_path}" == f"/{their_path}"
