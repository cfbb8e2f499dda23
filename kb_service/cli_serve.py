"""``kb serve``: the service over one knowledge base, its index brought in step beside the answers."""

import logging
import resource
import shlex
import socket
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from rich.markup import escape

from indexer.encoder import WordsAlone
from indexer.errors import EncoderError, KnowledgeBaseError
from kb_service import demo as demo_desk
from kb_service import logs
from kb_service.callers import check_doors
from kb_service.content import is_ref, working_tree
from kb_service.desk import Desk
from kb_service.keys import Keys
from kb_service.knowledge_base import KnowledgeBase
from kb_service.memory import hold_little
from kb_service.publishing import Publisher
from kb_service.settings import Settings
from kb_service.terminal import Bar, err, out
from kb_service.workers import Workers

# A page of log, percent-encoded, is a query too
_LONGEST_REQUEST_LINE = 1024 * 1024
SWITCH_SECONDS = 0.001
_log = logging.getLogger("kb.service")


def run(settings: Settings, opened: Callable[[Settings], KnowledgeBase], *, demo: bool, watch: bool) -> None:
    """Serve until stopped; ``demo`` puts the sample into the record first, ``watch`` shows files as they are saved."""
    import uvicorn

    from kb_service.app import create_app
    from kb_service.ending import REQUEST_SECONDS, Server
    from kb_service.slow_clients import protocol

    logs.configure(settings.log, texts=settings.log_texts)
    hold_little()
    listening = _listen(settings)
    check_doors(settings, lambda: Keys(Desk(settings.data / "desk.db")).any())
    base = _opened(settings, opened)
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
        # The first thing that is tried is a triage, which would know nothing alike yet
        with Bar() as bar:
            base.incident_index.catch_up(bar)
    address = f"http://{settings.host}:{listening.getsockname()[1]}"
    passages, wanted, there = base.index.counts()
    out.print(f"{base.searcher.catalogue.count()} objects, {passages} passages, {there} of {wanted} encoded")
    for problem in base.searcher.catalogue.refusals():
        if settings.log == "json":
            _log.warning("refused %s", problem)
        else:
            err.print(f"[red]refused[/red] {escape(str(problem))}")
    for name, path in (("Search", "/"), ("Incidents", "/incidents"), ("API", "/docs"), ("Ready", "/readyz")):
        out.print(f"{name:10}{address}{path}")
    if settings.provider is None and not base.keys.any():
        open_to = {
            "public": "sees what is public",
            "internal": "sees and changes everything but what is restricted",
            "restricted": "sees and changes everything",
        }[settings.default_audience]
        data = settings.data.parent if demo else settings.data
        of_it = "" if data == Path("data") else f" --data {shlex.quote(str(data))}"
        make_one = f"kb keys create --role admin{' --demo' if demo else ''}{of_it}"
        out.print(f"Open: without a key whoever works at this machine {open_to}. Make one: {make_one}")
    out.print("Ctrl+C stops it.")
    _raise_file_limit()
    # A thread that has been in the model must not wait for 5 ms until another lets it go on
    sys.setswitchinterval(SWITCH_SECONDS)
    app = create_app(base, publisher)
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="warning",
        loop="uvloop",
        access_log=False,
        http=protocol(is_proxy=settings.is_proxy, hung_up=app.state.metrics.shed),
        h11_max_incomplete_event_size=_LONGEST_REQUEST_LINE,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=settings.proxies,
        server_header=False,
        # There are none: one that is begun would be out of reach of the limits
        ws="none",
        timeout_graceful_shutdown=REQUEST_SECONDS,
    )
    with closing(Workers(settings, settings.workers)) as workers:
        app.state.metrics.workers_alive.set_function(lambda: len(workers.pids))
        base.searcher.elsewhere = workers.of("articles")
        base.incident_index.searcher.elsewhere = workers.of("incidents")
        Server(config).serve_until_ended([listening])


def _opened(settings: Settings, opened: Callable[[Settings], KnowledgeBase]) -> KnowledgeBase:
    """What is indexed is found by its words also where the model cannot be opened. Raises KnowledgeBaseError."""
    try:
        return opened(settings)
    except EncoderError as error:
        if not (settings.data / "index.db").exists():
            raise
        err.print(f"[red]kb:[/red] {escape(str(error))}")
        err.print("Until then all is found by its words alone, and nothing new is published: start again after that")
        return KnowledgeBase(settings, WordsAlone(error))


def _raise_file_limit() -> None:
    """As many connections as the system lets us have: each is a file."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


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
