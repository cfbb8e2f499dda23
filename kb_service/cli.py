"""The command ``kb``: what it can do, and how what went wrong is said.

Exit codes: 0 done, 1 problems found by ``kb check``, ``kb preview``, ``kb owners --check`` or ``kb doctor``,
2 wrong use, 3 could not.
"""

import sqlite3
import sys
from dataclasses import asdict
from importlib.metadata import version
from typing import Annotated, Any, cast

import typer
from rich.markup import escape

from indexer import at_rest
from indexer.build import Report
from indexer.disk import disk_error
from indexer.errors import KnowledgeBaseError
from indexer.frontmatter import Audience, KnowledgeType, Tier
from kb_service import (
    cli_check,
    cli_desk,
    cli_doctor,
    cli_eval,
    cli_hook,
    cli_keys,
    cli_owners,
    cli_preview,
    cli_serve,
    cli_triage,
    cli_writing,
)
from kb_service.access import sight_up_to
from kb_service.cli_options import (
    AsJson,
    Content,
    Data,
    Demo,
    demo_desk,
    each_of,
    of_demo,
    opened,
    prepare_model,
    settings_of,
)
from kb_service.knowledge_base import KnowledgeBase
from kb_service.query import Query, State
from kb_service.results import as_json
from kb_service.terminal import Bar, err, out, print_hit, print_json, print_lanes

app = typer.Typer(
    help="A knowledge base for service desks: index Markdown, search it, serve it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(cli_desk.incidents_app, name="incidents")
app.add_typer(cli_hook.hook_app, name="hook")
app.add_typer(cli_keys.keys_app, name="keys")
app.add_typer(cli_keys.callers_app, name="callers")

_MAY_BE_MOVED = "index.db and incidents.db may be moved away and are made anew by 'kb index'; never move desk.db"


def _version(asked: bool) -> None:
    if asked:
        out.print(f"kb {version('kb-service')}")
        raise typer.Exit


@app.callback()
def describe(
    _asked: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """A knowledge base for service desks: index Markdown, search it, serve it."""


@app.command()
def index(content: Content = None, data: Data = None, as_json_: AsJson = False) -> None:
    """Bring the index in step with content and records. Safe to interrupt; goes on where it stopped."""
    base = opened(settings_of(content=content, data=data))
    with Bar(hidden=as_json_) as bar:
        report = base.update(bar)
        base.incident_index.catch_up(bar)
    if as_json_:
        print_json(_report_json(report))
        return
    for problem in report.refusals:
        err.print(f"[red]refused[/red] {escape(str(problem))}")
    if report.note:
        err.print(escape(report.note))
    out.print(_report_line(report))


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
    explain: Annotated[bool, typer.Option("--explain", help="Show what each lane says, side by side.")] = False,
    content: Content = None,
    data: Data = None,
    as_json_: AsJson = False,
) -> None:
    """Find the right article. No hits is no error."""
    settings = settings_of(content=content, data=data)
    given = {
        "type": each_of(types, "--type", KnowledgeType),
        "service": service or [],
        "tag": tag or [],
        "tier": each_of(tier, "--tier", Tier),
    }
    (wanted_state,) = each_of([state], "--state", State)
    (wanted_audience,) = each_of([audience or settings.default_audience], "--audience", Audience)
    text = sys.stdin.read() if query == ["-"] else " ".join(query)
    facets = {name: frozenset(values) for name, values in given.items() if values}
    searcher = KnowledgeBase.published(settings).searcher
    asked = Query(text, facets, cast(State, wanted_state), sight_up_to(cast(Audience, wanted_audience)), limit)
    results = searcher.search(asked)
    if as_json_:
        print_json(as_json(results))
        return
    for note in results.notes:
        out.print(f"[italic]{escape(note)}[/italic]")
    for place, hit in enumerate(results.hits, 1):
        print_hit(place, hit)
    if explain:
        print_lanes(results.hits, searcher.rank(asked))
    shown = f"{len(results.hits)} of {results.total}" if results.hits else "No"
    waiting = "" if results.encoded == 1 else f"; {results.encoded:.0%} can be found by meaning yet"
    out.print(f"[dim]{shown} articles, {results.took_ms} ms{waiting}[/dim]")


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on.  [default: KB_HOST or 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="The port; 0 takes a free one.  [default: KB_PORT or 8000]")] = None,
    workers: Annotated[
        int | None, typer.Option(min=0, help="Processes that search beside it.  [default: KB_WORKERS or 0]")
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show a file as soon as it is saved; open pages load themselves again.")
    ] = False,
    demo: Demo = False,
    content: Content = None,
    data: Data = None,
) -> None:
    """Serve the API and pages and follow the content. Indexes first where nothing is indexed yet."""
    settings = settings_of(content=content, data=data, host=host, port=port, workers=workers)
    cli_serve.run(of_demo(settings) if demo else settings, opened, demo=demo, watch=watch)


app.command()(cli_check.check)
app.command()(cli_preview.preview)


@app.command("eval")
def evaluate(
    folder: cli_eval.Folder,
    kind: cli_eval.As = "articles",
    by: cli_eval.By = None,
    run_file: cli_eval.RunFile = None,
    compare: cli_eval.Compare = None,
    unanswerable: cli_eval.Unanswerable = None,
    evidence: cli_eval.WithEvidence = False,
    leave_out: cli_eval.LeaveOut = None,
    data: Data = None,
    as_json_: AsJson = False,
) -> None:
    """Measure the search on a labelled set: nDCG@10 and others with intervals, each lane alone, speed, confidence."""
    settings = settings_of(data=data)
    prepare_model(settings)
    cli_eval.run(
        settings, folder, cli_eval.kind_of(kind), by, run_file, compare, unanswerable, evidence, leave_out, as_json_
    )


@app.command()
def triage(
    said: Annotated[list[str], typer.Argument(help="A record's number, or what came in; '-' reads standard input.")],
    service: Annotated[str | None, typer.Option(help="The service it is about.")] = None,
    demo: Demo = False,
    content: Content = None,
    data: Data = None,
    as_json_: AsJson = False,
) -> None:
    """Triage an incident: articles, related incidents, a flood, a problem, whom to hand it to."""
    settings = settings_of(content=content, data=data)
    base = KnowledgeBase.published(demo_desk(settings) if demo else settings)
    text = sys.stdin.read() if said == ["-"] else " ".join(said)
    cli_triage.run(base, text, service, as_json_=as_json_)


for command in (
    cli_desk.backup,
    cli_desk.restore,
    cli_doctor.doctor,
    cli_check.schema,
    cli_writing.new,
    cli_writing.draft,
    cli_owners.stale,
    cli_owners.owners,
    cli_keys.audit,
    cli_keys.retention,
):
    app.command()(command)


def main() -> None:
    """All that a process does: run a command, and leave the data folder as it says."""
    with at_rest.to_the_end():
        run()


def run() -> None:
    """Run a command; what could not be done is said in one line, with what to do."""
    try:
        app()
    except KnowledgeBaseError as error:
        err.print(f"[red]kb:[/red] {escape(str(error))}")
        sys.exit(3)
    except sqlite3.Error as error:
        where = ", ".join(getattr(error, "__notes__", ())) or "a file of the data folder"
        said = disk_error(error) or f"{where} cannot be used: {error}. {_MAY_BE_MOVED}"
        err.print(f"[red]kb:[/red] {escape(str(said))}")
        sys.exit(3)
    except OSError as error:
        said = disk_error(error) or f"{error}. Mend the path or its permissions, or free some space"
        err.print(f"[red]kb:[/red] {escape(str(said))}")
        sys.exit(3)
    except KeyboardInterrupt:
        err.print("Stopped. What was done is kept; the next run goes on from there.")
        sys.exit(3)


def _report_json(report: Report) -> dict[str, Any]:
    return asdict(report)


def _report_line(report: Report) -> str:
    return (
        f"{report.objects} objects, {report.passages} passages, {report.encoded} encoded, {report.refused} refused,"
        f" {report.seconds} s"
    )


if __name__ == "__main__":
    main()
