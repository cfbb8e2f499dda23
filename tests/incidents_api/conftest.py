"""A service with one article and no record yet."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fastapi.testclient import TestClient

from kb_service import KnowledgeBase, Settings
from tests.client import client_of
from tests.conftest import Desk


@contextmanager
def opened(desk: Desk) -> Iterator[TestClient]:
    desk.write("runbooks/vpn.md", "---\ntitle: VPN drops\naliases: [tunnel]\n---\n## Steps\n\nRenew the lease.\n")
    base = KnowledgeBase(Settings(content=desk.content, data=desk.data, encoder="hashing"))
    base.update()
    with client_of(base) as client:
        yield client


@pytest.fixture
def client(desk: Desk) -> Iterator[TestClient]:
    with opened(desk) as client:
        yield client


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """For tests that look at nothing but a record of their own."""
    with opened(Desk(tmp_path_factory.mktemp("shared") / "desk")) as client:
        yield client


@pytest.fixture
def number() -> str:
    return f"INC{uuid.uuid4().hex}"
