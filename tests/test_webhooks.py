"""Webhooks of git servers: signed, ours, new, about the ref that is followed."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from kb_service import KnowledgeBase, Settings
from kb_service.publishing import Publisher
from kb_service.webhooks import (
    ForeignWebhookError,
    ReplayedWebhookError,
    Replays,
    UnsignedWebhookError,
    check_repository,
    read_webhook,
)
from tests.client import client_of
from tests.conftest import Desk, eventually
from tests.written import article

SECRET = "a long secret"  # noqa: S105
PUSH = {
    "ref": "refs/heads/main",
    "after": "1" * 40,
    "repository": {"full_name": "acme/kb", "clone_url": "https://git.example/acme/kb.git"},
}


def signature(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def signed(server: str, body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {
        "github": {"X-Hub-Signature-256": f"sha256={signature(body, secret)}", "X-GitHub-Event": "push"},
        "gitea": {"X-Gitea-Signature": signature(body, secret), "X-Gitea-Event": "push"},
        "forgejo": {"X-Forgejo-Signature": signature(body, secret), "X-Forgejo-Event": "push"},
        "gitlab": {"X-Gitlab-Token": secret, "X-Gitlab-Event": "Push Hook", "X-Gitlab-Event-UUID": signature(body)},
    }[server]


SERVERS = ("github", "gitea", "forgejo", "gitlab")


@pytest.fixture
def publisher(desk: Desk) -> Publisher:
    desk.write("a.md", article("VPN", "first words"))
    settings = Settings(
        content=desk.content, data=desk.data, encoder="hashing", poll_seconds=0,
        hook_secret=SECRET, hook_repository="https://git.example/acme/kb", content_ref=None,
    )  # fmt: skip
    base = KnowledgeBase(settings)
    base.update()
    return Publisher(base)


@pytest.fixture
def client(publisher: Publisher) -> Iterator[TestClient]:
    with client_of(publisher.knowledge_base, publisher) as opened:
        yield opened


def post(client: TestClient, body: Any, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = client.post("/hooks/git", content=data, headers={"Content-Type": "application/json", **headers})
    said: dict[str, Any] = answer.json()
    return answer.status_code, said


@pytest.mark.parametrize("server", SERVERS)
def test_a_push_is_live_and_its_replay_refused(
    client: TestClient, desk: Desk, publisher: Publisher, server: str
) -> None:
    publisher.start()
    publisher.wait_until_live()
    desk.write("a.md", article("VPN", "second words"))
    body = json.dumps(PUSH).encode()
    assert post(client, body, signed(server, body)) == (202, {"status": "accepted"})
    eventually(lambda: "second" in client.get("/api/articles/a").json()["body"])
    eventually(lambda: (client.get("/api/publishing").json()["last"] or {}).get("why") == "webhook")
    status, said = post(client, body, signed(server, body))
    assert (status, "taken before" in said["detail"]) == (409, True)


@pytest.mark.parametrize("server", SERVERS)
def test_a_wrong_signature_is_refused(client: TestClient, server: str) -> None:
    body = json.dumps(PUSH).encode()
    for headers in (signed(server, body, "another secret"), {}, {"X-Hub-Signature-256": "sha256="}):
        status, said = post(client, body, headers)
        assert status == 401
        assert {"type", "title", "status", "detail"} <= said.keys()
        assert SECRET not in said["detail"]
    if server != "gitlab":
        assert post(client, body + b" ", signed(server, body))[0] == 401, "a changed body"


def test_a_replay_under_another_delivery_name_is_refused(client: TestClient) -> None:
    body = json.dumps(PUSH).encode()
    first, second = ({**signed("github", body), "X-GitHub-Delivery": name} for name in ("one", "two"))
    assert post(client, body, first)[0] == 202
    assert post(client, body, second)[0] == 409, "the delivery's name is not signed"


@pytest.mark.parametrize(
    ("repository", "status"),
    [
        ({"full_name": "acme/kb"}, 202),
        ({"clone_url": "https://GIT.example/acme/kb.git"}, 202),
        ({"ssh_url": "git@git.example:acme/kb.git"}, 202),
        ({"ssh_url": "ssh://git@git.example:2222/acme/kb.git"}, 202),
        ({"full_name": "evil/kb"}, 403),
        ({"full_name": "kb"}, 403),
        ({"clone_url": "https://evil.example/acme/kb.git"}, 403),
        ({"clone_url": "https://git.example/acme/kb-other.git"}, 403),
        ({}, 403),
        (None, 403),
        (["acme/kb"], 403),
    ],
)
def test_only_our_repository_is_followed(client: TestClient, repository: Any, status: int) -> None:
    body = json.dumps({**PUSH, "repository": repository}).encode()
    assert post(client, body, signed("github", body))[0] == status


@pytest.mark.parametrize(
    ("name", "ours", "same"),
    [
        ("acme/kb", "/srv/git/acme/kb.git", True),
        ("https://git.example/acme/kb", "/srv/git/acme/kb.git", True),
        ("file:///srv/git/kb.git", "/srv/git/kb.git", True),
        ("/srv/git/kb.git", "/srv/git/kb.git", True),
        ("/srv/git/other.git", "/srv/git/kb.git", False),
        ("acme/kb", "https://user:pass@git.example/acme/kb.git", True),
        ("kb", "https://git.example/acme/kb.git", False),
        ("cme/kb", "/srv/git/acme/kb.git", False),
    ],
)
def test_names_of_one_repository(name: str, ours: str, *, same: bool) -> None:
    body = json.dumps({"repository": {"clone_url": name}}).encode()
    webhook, _ = read_webhook({"x-gitlab-token": SECRET}, body, SECRET)
    if same:
        check_repository(webhook, ours)
    else:
        with pytest.raises(ForeignWebhookError, match="KB_HOOK_REPOSITORY"):
            check_repository(webhook, ours)


def test_what_is_no_push_is_no_error(client: TestClient) -> None:
    body = json.dumps({**PUSH, "zen": "…"}).encode()
    assert post(client, body, {**signed("github", body), "X-GitHub-Event": "ping"}) == (202, {"status": "pong"})
    body = json.dumps({**PUSH, "issue": 1}).encode()
    status, said = post(client, body, {**signed("github", body), "X-GitHub-Event": "issues"})
    assert (status, said["status"]) == (202, "ignored")


@pytest.mark.parametrize("body", [b"", b"[]", b"payload=%7B%7D", b"[" * 100_000, b"\xff", b"null"])
def test_what_cannot_be_read_is_said(client: TestClient, body: bytes) -> None:
    status, said = post(client, body, signed("github", body))
    assert (status, "application/json" in said["detail"]) == (400, True)


def test_another_ref_is_ignored(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(publisher, "publish", asked.append)
    settings = publisher.knowledge_base.settings.model_copy(update={"content_ref": "main"})
    publisher.knowledge_base.settings = settings
    with client_of(publisher.knowledge_base, publisher) as client:
        for number, (ref, status) in enumerate((("refs/heads/draft", "ignored"), ("refs/heads/main", "accepted"))):
            body = json.dumps({**PUSH, "ref": ref, "n": number}).encode()
            assert post(client, body, signed("github", body))[1]["status"] == status
        assert asked == ["webhook"]


def test_without_a_secret_no_webhook_is_taken(desk: Desk) -> None:
    base = KnowledgeBase(Settings(content=desk.content, data=desk.data, encoder="hashing"))
    with client_of(base) as client:
        status, said = post(client, PUSH, signed("github", b""))
    assert (status, "KB_HOOK_SECRET" in said["detail"]) == (403, True)


def test_the_oldest_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb_service.webhooks.MOST_REMEMBERED", 2)
    replays = Replays()
    for key in ("a", "b", "c"):
        replays.take(key)
    replays.take("a")
    with pytest.raises(ReplayedWebhookError):
        replays.take("c")


def test_a_body_is_read_only_when_its_signature_is_right() -> None:
    with pytest.raises(UnsignedWebhookError, match="not signed"):
        read_webhook({}, b"not JSON", SECRET)


def test_a_signature_that_is_no_ascii_is_only_wrong() -> None:
    with pytest.raises(UnsignedWebhookError, match="wrong"):
        read_webhook({"x-hub-signature-256": "sha256=\xe9"}, b"{}", SECRET)
