"""A client of the service over a knowledge base, asking as a browser on the same machine would."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from kb_service.app import create_app
from kb_service.knowledge_base import KnowledgeBase
from kb_service.publishing import Publisher


def client_of(base: KnowledgeBase, publisher: Publisher | None = None, **given: Any) -> TestClient:
    """Errors of the service come as the answers that its callers get."""
    app = create_app(base, publisher)
    return TestClient(app, **{"base_url": "http://localhost", "raise_server_exceptions": False, **given})


def routes_of(app: FastAPI) -> Iterator[APIRoute]:
    """Every route of ours: all but the description of the API and the files that are the same for everybody."""
    yield from (route for route in app.routes if isinstance(route, APIRoute))
