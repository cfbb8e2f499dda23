"""``python -m tests.benchmarks.observing``: what figures, ids and the log add to a request.

In time of the processor, around an application that does nothing, so that it matters little what the machine does else.
"""

import asyncio
import logging
import os
import statistics
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kb_service.api.observing import FailuresAsProblems, Observed
from kb_service.app import create_app
from kb_service.failures import Failures
from kb_service.knowledge_base import KnowledgeBase
from kb_service.logs import JsonLines
from kb_service.metrics import Metrics
from kb_service.settings import Settings

ROUNDS, EACH = 60, 200
_ROUTE = SimpleNamespace(path="/api/search")
_CALLER = SimpleNamespace(id="key:k2m9x4ab")


async def answering(scope: Scope, _receive: Receive, send: Send) -> None:
    """As the routes do it: says which one it is and who asks, then answers."""
    scope["route"], scope["state"]["caller"] = _ROUTE, _CALLER
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": b"{}"})


async def _nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _taken(_message: Message) -> None:
    return


async def asked(app: ASGIApp) -> float:
    """Processor microseconds of one request."""
    headers = [(name.encode(), b"x" * 20) for name in ("host", "accept", "user-agent", "accept-encoding", "x-api-key")]
    started = time.process_time()
    for _ in range(EACH):
        scope: Scope = {
            "type": "http", "method": "GET", "path": "/api/search", "query_string": b"q=restart+the+spooler",
            "root_path": "", "headers": headers, "state": {},
        }  # fmt: skip
        await app(scope, _nothing, _taken)
    return (time.process_time() - started) / EACH * 1e6


async def compare(metrics: Metrics, failures: Failures) -> None:
    """By turns, so that what else the machine does is shared."""
    observed = Observed(FailuresAsProblems(answering, failures), metrics, False)
    requests = logging.getLogger("kb.requests")
    took: dict[str, list[float]] = {"without": [], "figures and id": [], "and a line of JSON": []}
    with Path(os.devnull).open("w") as nowhere:
        handler = logging.StreamHandler(nowhere)
        handler.setFormatter(JsonLines(texts=False))
        requests.addHandler(handler)
        for _ in range(ROUNDS):
            requests.setLevel(logging.WARNING)
            took["without"].append(await asked(answering))
            took["figures and id"].append(await asked(observed))
            requests.setLevel(logging.INFO)
            took["and a line of JSON"].append(await asked(observed))
    least = statistics.median(took["without"])
    for what, each in took.items():
        print(f"{what:20} {statistics.median(each) - least:+6.1f} µs a request")


def lanes(metrics: Metrics) -> float:
    """Processor microseconds of telling how long the lanes of one search took."""
    seconds = {"encoding": 0.002, "words": 0.001, "meaning": 0.0002, "ranking": 0.001}
    started = time.process_time()
    for _ in range(EACH):
        metrics.searched("articles", seconds)
    return (time.process_time() - started) / EACH * 1e6


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        settings = Settings(content=Path(made), data=Path(made) / "data", encoder="hashing")
        state = create_app(KnowledgeBase(settings)).state
        metrics: Metrics = state.metrics
        asyncio.run(compare(metrics, state.failures))
        print(f"{'lanes of a search':20} {statistics.median(lanes(metrics) for _ in range(ROUNDS)):+6.1f} µs")


if __name__ == "__main__":
    main()
