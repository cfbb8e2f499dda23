"""``kb serve``: the service over one knowledge base, its index brought in step beside the answers."""

import socket
from collections.abc import Callable

from rich.markup import escape

from indexer.errors import KnowledgeBaseError
from kb_service import demo as demo_desk
from kb_service.content import is_ref, working_tree
from kb_service.knowledge_base import KnowledgeBase
from kb_service.publishing import Publisher
from kb_service.settings import Settings
from kb_service.terminal import Bar, err, out

# A page of log, percent-encoded, is a query too
_LONGEST_REQUEST_LINE = 1024 * 1024


def run(settings: Settings, opened: Callable[[Settings], KnowledgeBase], *, demo: bool, watch: bool) -> None:
    """Serve until stopped; ``demo`` puts the sample into the record first, ``watch`` shows files as they are saved."""
    import uvicorn

    from kb_service.app import create_app

    listening = _listen(settings)
    base = opened(settings)
    if not is_ref(settings):
        working_tree(settings)
    elif watch:
        raise KnowledgeBaseError("--watch is for files as they lie, but a git ref is followed", "Leave out one of them")
    publisher = Publisher(base, watch=watch)
    if base.index.generation:
        publisher.start()
    else:
        with Bar() as bar:
            publisher.start(bar)
            publisher.wait_until_live()
    if demo:
        out.print(f"{demo_desk.load(base.desk, base.searcher.catalogue)} sample records in {settings.data}")
    address = f"http://{settings.host}:{listening.getsockname()[1]}"
    passages, wanted, there = base.index.counts()
    out.print(f"{base.searcher.catalogue.count()} objects, {passages} passages, {there} of {wanted} encoded")
    for problem in base.searcher.catalogue.refusals():
        err.print(f"[red]refused[/red] {escape(str(problem))}")
    for name, path in (("Search", "/"), ("Incidents", "/incidents"), ("API", "/docs"), ("Ready", "/readyz")):
        out.print(f"{name:10}{address}{path}")
    out.print("Ctrl+C stops it.")
    config = uvicorn.Config(
        create_app(base, publisher),
        log_level="warning",
        access_log=False,
        http="h11",
        h11_max_incomplete_event_size=_LONGEST_REQUEST_LINE,
    )
    uvicorn.Server(config).run(sockets=[listening])


def _listen(settings: Settings) -> socket.socket:
    """The listening socket, before anything else is done, so that a taken port is said at once."""
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        listening = socket.create_server((settings.host, settings.port), family=family, backlog=2048)
        # Else an answer on a connection kept open waits 40 ms for the acknowledgement of the one before
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        raise KnowledgeBaseError(f"cannot listen on {where}: {error.strerror}", "Name another by --port") from error
