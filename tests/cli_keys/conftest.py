"""A running service with keys."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.authors import Service
from tests.cli_keys.shell import made, service


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, httpx2.Client, dict[str, Any]]]:
    """A running service of six requests an hour and key, and its admin's key."""
    running = service(tmp_path_factory.mktemp("desk"), KB_RATE_KEY="6/hour")
    key = made(running, "--role", "admin", "--name", "[red]Ann[/blue]")
    with running.running() as client:
        yield running, client, key
