"""A repository in which an article has a past, and the service that tells of it."""

from collections.abc import Callable
from typing import Any

from kb_service import KnowledgeBase, Settings
from tests.authored import Authored
from tests.client import client_of
from tests.conftest import Desk

Git = Callable[..., str]
PICTURE = b"\x89PNG old"


class Told:
    """An author's repository and the service over it."""

    def __init__(self, desk: Desk, git: Git) -> None:
        self.author = Authored(desk, git)
        settings = Settings(content=self.author.bare, data=desk.data / "service", encoder="hashing", poll_seconds=0)
        self.base = KnowledgeBase(settings)
        self.client = client_of(self.base)
        self.first = ""

    def push(self, subject: str, date: str, *, force: bool = False) -> str:
        commit = self.author.push(subject, date=f"{date}T12:00:00Z", force=force)
        self.base.update()
        return commit

    def get(self, address: str, status: int = 200) -> dict[str, Any]:
        answer = self.client.get(address)
        assert answer.status_code == status, answer.text
        body: dict[str, Any] = answer.json()
        return body
