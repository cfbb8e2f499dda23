"""A client of the service over a knowledge base, asking as a browser on the same machine would."""

import atexit
from collections.abc import Iterator
from functools import cache
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from kb_service.app import create_app
from kb_service.knowledge_base import KnowledgeBase
from kb_service.publishing import Publisher


def client_of(base: KnowledgeBase, publisher: Publisher | None = None, **given: Any) -> TestClient:
    """Errors of the service come as the answers that its callers get."""
    app = create_app(base, publisher)
    client = TestClient(app, **{"base_url": "http://localhost", "raise_server_exceptions": False, **given})
    client.portal = _portal()
    return client


@cache
def _portal() -> BlockingPortal:
    """One event loop for all clients but those of a ``with``; one for each request takes as long as what is asked."""
    began = start_blocking_portal()
    portal = began.__enter__()
    atexit.register(began.__exit__, None, None, None)
    return portal


def routes_of(app: FastAPI) -> Iterator[APIRoute]:
    """Every route of ours: all but the description of the API and the files that are the same for everybody."""
    yield from (route for route in app.routes if isinstance(route, APIRoute))
