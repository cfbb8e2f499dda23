"""Desks to ask, and such as a test may change."""

from pathlib import Path

import pytest

from kb_service.knowledge_base import KnowledgeBase
from kb_service.settings import Settings
from tests.client import client_of
from tests.services.sides import Side, side


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Side:
    return side(tmp_path_factory.mktemp("whole"), whole=True)


@pytest.fixture(scope="session")
def less(tmp_path_factory: pytest.TempPathFactory) -> Side:
    return side(tmp_path_factory.mktemp("less"), whole=False)


@pytest.fixture
def own(tmp_path: Path) -> tuple[Side, Side]:
    """Two that a test may change."""
    return side(tmp_path / "whole", whole=True), side(tmp_path / "less", whole=False)


@pytest.fixture
def desk(tmp_path: Path) -> Side:
    (tmp_path / "content").mkdir()
    (tmp_path / "content" / "vpn.md").write_text("---\ntitle: VPN\n---\nRenew the lease.\n", "utf-8")
    base = KnowledgeBase(Settings(content=tmp_path / "content", data=tmp_path / "data", encoder="hashing"))
    base.update()
    _, key = base.keys.create("agent", name="ann", by="test")
    return Side(base, client_of(base), key)
