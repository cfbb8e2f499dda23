"""A service that wants a key, and a browser that has none yet."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from kb_service.knowledge_base import KnowledgeBase
from tests.browsers import browser_of
from tests.test_gate import key_of, opened


@pytest.fixture
def base(tmp_path: Path) -> KnowledgeBase:
    return opened(tmp_path)


@pytest.fixture
def key(base: KnowledgeBase) -> str:
    return key_of(base, "agent", name="Desk")


@pytest.fixture
def browser(base: KnowledgeBase, key: str) -> TestClient:
    """Of a service that has a key."""
    assert key
    return browser_of(base)
