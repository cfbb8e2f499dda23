"""``kb incidents``, ``kb backup`` and ``kb restore``: the desk's record from the shell."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.markup import escape

from indexer.disk import whole
from indexer.errors import KnowledgeBaseError
from kb_service import restoring
from kb_service.access import LOCAL
from kb_service.cli_options import AsJson, Data, opened, record_of, settings_of, with_record
from kb_service.desk import Desk
from kb_service.exports import write_csv, write_jsonl
from kb_service.imports import read_rows
from kb_service.incidents import LineReport
from kb_service.keys import Keys
from kb_service.knowledge_base import KnowledgeBase
from kb_service.terminal import Bar, err, out, print_json

incidents_app = typer.Typer(help="The desk's records: import, export, erase.", no_args_is_help=True)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise typer.BadParameter(f"no time zone is called '{name}': name one such as Europe/Berlin") from None


File = Annotated[Path, typer.Argument(metavar="FILE")]
Preset = Annotated[str | None, typer.Option(help="Whose export it is: servicenow, jira or zendesk.")]
Zone = Annotated[
    ZoneInfo | None,
    typer.Option(
        "--zone", metavar="NAME", parser=_zone,
        help="Of times that name none, such as Europe/Berlin.  [default: UTC]",
    ),
]  # fmt: skip
MapFile = Annotated[
    Path | None, typer.Option("--map", metavar="FILE", help='JSON: our field to its column, {"number": "Ticket"}.')
]


@incidents_app.command("import")
def import_incidents(
    file: File,
    preset: Preset = None,
    mapping: MapFile = None,
    zone: Zone = None,
    data: Data = None,
    as_json_: AsJson = False,
) -> None:
    """Put the records of a JSONL, JSON or CSV file. Bad rows are listed and make exit 1; may be repeated."""
    if import_file(opened(settings_of(data=data)), file, preset, mapping, zone, as_json_=as_json_):
        raise typer.Exit(1)


@incidents_app.command("export")
def export_incidents(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]")] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format", help="jsonl (whole), or csv (without articles).  [default: by the file's ending, else jsonl]"
        ),
    ] = None,
    data: Data = None,
) -> None:
    """Write every record, to a file or to standard output."""
    form = form or ("csv" if file and file.suffix.lower() == ".csv" else "jsonl")
    write = {"jsonl": write_jsonl, "csv": write_csv}.get(form)
    if write is None:
        raise typer.BadParameter(f"--format: '{form}' is none of jsonl, csv")
    base = opened(with_record(settings_of(data=data)))
    if file is None:
        write(sys.stdout, base.incidents, base.attachments)
        return
    if not file.parent.is_dir():
        raise KnowledgeBaseError(f"there is no folder {file.parent}", "Make it, or name a file in another")
    with whole(file) as part, part.open("w", encoding="utf-8", newline="") as stream:
        count = write(stream, base.incidents, base.attachments)
    err.print(f"{count} records in {escape(str(file))}")


@incidents_app.command("erase")
def erase_incident(number: str, data: Data = None) -> None:
    """Delete a record out of every file: facts, searches, words and vectors too. Not out of backups."""
    base = opened(with_record(settings_of(data=data)))
    # One that was stopped half-way is erased to its end
    if not base.incidents.was_erased(number):
        number = base.incidents.erase(number).number
    base.incident_index.erase()
    out.print(f"{number} is erased: record, facts, searches, words and vectors. Backups made before still hold it")


def backup(file: File, data: Data = None) -> None:
    """Copy the desk's record to a new file, whole, while the service runs."""
    desk = record_of(settings_of(data=data))
    desk.backup(file)
    out.print(f"{desk.path} is copied to {file}")


def restore(
    file: File,
    data: Data = None,
    as_it_is: Annotated[
        bool, typer.Option("--as-it-is", help="Take rows that are not as they were written for what they are.")
    ] = False,
) -> None:
    """Put a backup in the record's place, while the service runs; what was there is kept beside it."""
    desk = Desk(settings_of(data=data).data / "desk.db")
    restored = restoring.restore(desk, file, LOCAL, as_it_is=as_it_is)
    out.print(f"{desk.path} is restored from {file}; as it was before, it is kept in {restored.kept}")
    if again := [*restored.erased, *restored.forgotten]:
        err.print(escape(f"Erased or forgotten since, and so once more: {', '.join(again)}"))
        err.print("To have one back all the same, restore the file into an empty folder (--data) and export it there")
    err.print("Delete that when it is not needed any more: neither retention nor erasing looks into it")
    if live := [f"{key.id} ({key.name})" if key.name else key.id for key in Keys(desk).listed() if key.is_live]:
        err.print(escape(f"Keys that are valid now: {', '.join(live)}. Revoke what must not be: kb keys revoke ID"))


def import_file(
    base: KnowledgeBase,
    file: Path,
    preset: str | None,
    mapping: Path | None,
    zone: ZoneInfo | None = None,
    *,
    as_json_: bool,
) -> int:
    """Put the records of a file; bad ones are listed, the rest is taken. ``zone`` is that of times without one.

    Gives how many are refused.
    """
    rows = read_rows(file, preset, mapping, zone)
    with Bar(hidden=as_json_) as bar:
        reports = base.incidents.put_many(rows.given, lambda done: bar("import", done, len(rows.given)))
        refused = [one for one in reports if one.status == "refused"]
        taken = {one.line: one.number for one in reports if one.status != "refused"}
        given = {
            taken[line]: row.get("articles") for line, row in rows.given if line in taken and isinstance(row, Mapping)
        }
        unknown = base.attachments.add_given(given, base.searcher.catalogue)
        base.incident_index.catch_up(bar)
    counts = {status: sum(one.status == status for one in reports) for status in ("created", "updated", "unchanged")}
    if as_json_:
        lines = [asdict(one) for one in refused]
        print_json({**counts, "refused": lines, "left_out": rows.left_out, "articles_unknown": unknown})
    else:
        _say(file, rows.left_out, refused, unknown, counts)
    return len(refused)


def _say(
    file: Path,
    left_out: Sequence[str],
    refused: Sequence[LineReport],
    unknown: Sequence[str],
    counts: Mapping[str, int],
) -> None:
    for one in refused:
        err.print(f"[red]refused[/red] {escape(f'{file}:{one.line}: {one.problem}')}")
    for problem in unknown:
        err.print(escape(problem))
    if left_out:
        err.print(f"Columns left out: {escape(', '.join(left_out))}. Name one by --map FILE to take it")
    done = ", ".join(f"{count} {status}" for status, count in counts.items())
    out.print(f"{done}, {len(refused)} refused")
