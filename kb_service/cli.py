"""The command ``kb``: index, search, serve, check, schema.

Exit codes: 0 done, 1 problems found by ``kb check``, 2 wrong use, 3 could not.
"""

import json
import socket
import sqlite3
import sys
from dataclasses import asdict
from enum import StrEnum
from html import unescape
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from indexer.build import Report
from indexer.check import check as find_problems
from indexer.encoder import PlainEncoder
from indexer.errors import KnowledgeBaseError, Problem
from indexer.frontmatter import Audience, KnowledgeType, Tier, json_schema
from indexer.source import WorkingTree
from kb_service.knowledge_base import KnowledgeBase
from kb_service.publishing import Publisher
from kb_service.search import Hit, Query, State, as_json
from kb_service.settings import Settings

app = typer.Typer(
    help="A knowledge base for service desks: index Markdown, search it, serve it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
# A page of log, percent-encoded, is a query too
_LONGEST_REQUEST_LINE = 1024 * 1024
_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)

Content = Annotated[
    Path | None, typer.Option("--content", metavar="DIR", help="The Markdown folder.  [default: KB_CONTENT or content]")
]
Data = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Where the index lives.  [default: KB_DATA or data]")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Format(StrEnum):
    """How ``kb check`` prints."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


@app.command()
def index(content: Content = None, data: Data = None, as_json_: AsJson = False) -> None:
    """Bring the index in step with the content. Safe to interrupt; goes on where it stopped."""
    base = _opened(_settings(content=content, data=data))
    with _Bar(hidden=as_json_) as bar:
        report = base.update(bar)
    if as_json_:
        _print_json(_report_json(report))
        return
    for problem in report.refusals:
        _err.print(f"[red]refused[/red] {escape(str(problem))}")
    if report.note:
        _err.print(escape(report.note))
    _out.print(_report_line(report))


@app.command()
def search(
    query: Annotated[
        list[str], typer.Argument(help="Any text: words, a question, an error code; '-' reads standard input.")
    ],
    types: Annotated[list[str] | None, typer.Option("--type", help="Only this type; may be repeated.")] = None,
    service: Annotated[list[str] | None, typer.Option(help="Only this service; may be repeated.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Only this tag; may be repeated.")] = None,
    tier: Annotated[list[str] | None, typer.Option(help="Only this tier; may be repeated.")] = None,
    state: Annotated[
        str, typer.Option(help="published, draft, review, retired, scheduled, expired or any.")
    ] = "published",
    audience: Annotated[
        str | None, typer.Option(help="public, internal or restricted.  [default: KB_DEFAULT_AUDIENCE or internal]")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100)] = 10,
    content: Content = None,
    data: Data = None,
    as_json_: AsJson = False,
) -> None:
    """Find the right article. No hits is no error."""
    settings = _settings(content=content, data=data)
    given = {
        "type": _each(types, "--type", KnowledgeType),
        "service": service or [],
        "tag": tag or [],
        "tier": _each(tier, "--tier", Tier),
    }
    (wanted_state,) = _each([state], "--state", State)
    (wanted_audience,) = _each([audience or settings.default_audience], "--audience", Audience)
    text = sys.stdin.read() if query == ["-"] else " ".join(query)
    facets = {name: frozenset(values) for name, values in given.items() if values}
    searcher = KnowledgeBase.published(settings).searcher
    results = searcher.search(Query(text, facets, cast(State, wanted_state), cast(Audience, wanted_audience), limit))
    if as_json_:
        _print_json(as_json(results))
        return
    for place, hit in enumerate(results.hits, 1):
        _print_hit(place, hit)
    shown = f"{len(results.hits)} of {results.total}" if results.hits else "No"
    waiting = "" if results.encoded == 1 else f"; {results.encoded:.0%} can be found by meaning yet"
    _out.print(f"[dim]{shown} articles, {results.took_ms} ms{waiting}[/dim]")


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on.  [default: KB_HOST or 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="The port; 0 takes a free one.  [default: KB_PORT or 8000]")] = None,
    content: Content = None,
    data: Data = None,
) -> None:
    """Serve the API and pages. Indexes first where nothing is indexed yet, else beside the answers."""
    import uvicorn

    from kb_service.app import create_app

    settings = _settings(content=content, data=data, host=host, port=port)
    listening = _listen(settings)
    base = _opened(settings)
    WorkingTree(settings.content)
    publisher = Publisher(base)
    if base.index.generation:
        publisher.start()
    else:
        with _Bar() as bar:
            publisher.start(bar)
            publisher.wait_until_live()
    address = f"http://{settings.host}:{listening.getsockname()[1]}"
    passages, wanted, there = base.index.counts()
    _out.print(f"{base.searcher.catalogue.count()} objects, {passages} passages, {there} of {wanted} encoded")
    refusals = base.searcher.catalogue.refusals()
    for problem in refusals:
        _err.print(f"[red]refused[/red] {escape(str(problem))}")
    _out.print(f"Search   {address}/\nAPI      {address}/docs\nReady    {address}/readyz\nCtrl+C stops it.")
    config = uvicorn.Config(
        create_app(base, publisher),
        log_level="warning",
        access_log=False,
        http="h11",
        h11_max_incomplete_event_size=_LONGEST_REQUEST_LINE,
    )
    uvicorn.Server(config).run(sockets=[listening])


@app.command()
def check(
    content: Content = None,
    data: Data = None,
    form: Annotated[Format, typer.Option("--format", help="text, json, or github (annotations).")] = Format.TEXT,
    as_json_: AsJson = False,
) -> None:
    """List every problem of every file that would be refused; exit 1 if there is any."""
    settings = _settings(content=content, data=data)
    problems = find_problems(WorkingTree(settings.content))
    if as_json_ or form is Format.JSON:
        _print_json({"problems": [asdict(problem) for problem in problems]})
    elif form is Format.GITHUB:
        for problem in problems:
            _say(_github(settings.content, problem))
    else:
        for problem in problems:
            _out.print(escape(str(problem)))
        _out.print(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}" if problems else "No problems")
    if problems:
        raise typer.Exit(1)


@app.command()
def schema(content: Content = None, data: Data = None, as_json_: AsJson = False) -> None:  # noqa: ARG001
    """Print the JSON Schema of the front matter, for editors to complete and check from."""
    _print_json(json_schema())


def main() -> None:
    """Run a command; what could not be done is said in one line, with what to do."""
    try:
        app()
    except KnowledgeBaseError as error:
        _err.print(f"[red]kb:[/red] {escape(str(error))}")
        sys.exit(3)
    except sqlite3.Error as error:
        _err.print(f"[red]kb:[/red] the index cannot be used: {error}. Move it away and run 'kb index'")
        sys.exit(3)
    except OSError as error:
        _err.print(f"[red]kb:[/red] {escape(str(error))}. Mend the path or its permissions, or free some space")
        sys.exit(3)
    except KeyboardInterrupt:
        _err.print("Stopped. What was done is kept; the next run goes on from there.")
        sys.exit(3)


class _Bar:
    """A progress bar with counts and an estimate, on standard error and only where somebody looks."""

    def __init__(self, *, hidden: bool = False) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=_err, transient=True, disable=hidden or not _err.is_terminal)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "_Bar":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, what: str, done: int, of: int) -> None:
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task({"read": "Reading", "encode": "Encoding"}[what], total=of)
        self._progress.update(self._tasks[what], completed=done, total=of)


def _settings(**given: Any) -> Settings:
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        said = "; ".join(f"KB_{'_'.join(map(str, one['loc'])).upper()}: {one['msg']}" for one in error.errors())
        raise typer.BadParameter(said) from error


def _opened(settings: Settings) -> KnowledgeBase:
    exported = (settings.cache_folder / "models").exists()
    if settings.encoder == "onnx" and not exported:
        _err.print("[dim]Preparing the model, once: about half a minute[/dim]")
    base = KnowledgeBase(settings)
    if settings.encoder == "onnx" and isinstance(base.encoder, PlainEncoder):
        _err.print(
            f"The export of {settings.model} differs from the original: the plain encoder is used, which is slower"
        )
    return base


def _listen(settings: Settings) -> socket.socket:
    """The listening socket, before anything else is done, so that a taken port is said at once."""
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        raise KnowledgeBaseError(f"cannot listen on {where}: {error.strerror}", "Name another by --port") from error


def _each(values: list[str] | None, option: str, kind: Any) -> list[str]:
    allowed = kind.__args__
    for value in values or []:
        if value not in allowed:
            raise typer.BadParameter(f"{option}: '{value}' is none of {', '.join(allowed)}")
    return values or []


def _print_json(value: Any) -> None:
    _say(json.dumps(value, ensure_ascii=False, indent=2))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _report_json(report: Report) -> dict[str, Any]:
    return asdict(report)


def _report_line(report: Report) -> str:
    return (
        f"{report.objects} objects, {report.passages} passages, {report.encoded} encoded, {report.refused} refused,"
        f" {report.seconds} s"
    )


def _print_hit(place: int, hit: Hit) -> None:
    shape = {"strong": "●", "medium": "◐", "weak": "○"}[hit.confidence]
    section = " > ".join(hit.passage.heading_path[1:]) if hit.passage else ""
    _out.print(f"{place:2}. {shape} [bold]{escape(hit.title)}[/bold]  [dim]{hit.type} · {hit.confidence}[/dim]")
    _out.print(f"    [cyan]{escape(hit.id)}{'#' + hit.anchor if hit.anchor else ''}[/cyan]  {escape(section)}")
    marked = hit.snippet.replace("<mark>", "\0").replace("</mark>", "\1")
    plain = escape(unescape(marked)).replace("\0", "[bold yellow]").replace("\1", "[/bold yellow]")
    if plain:
        _out.print(f"    {plain}")
    _out.print(f"    [dim]{escape('; '.join(reason.text for reason in hit.reasons))}[/dim]")


def _github(content: Path, problem: Problem) -> str:
    """A GitHub Actions annotation; its own characters escaped as its runner asks."""
    message = f"{problem.problem}. {problem.remedy}".replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    path = f"{content}/{problem.path}".replace("%", "%25").replace(",", "%2C").replace(":", "%3A")
    return f"::error file={path},line={problem.line}::{message}"


if __name__ == "__main__":
    main()
