"""``kb preview``: what a branch would change for readers, before it is merged."""

import json
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from kb_service.cli_options import AsJson, Content, Data, prepare_model, settings_of
from kb_service.preview import Preview
from kb_service.preview import preview as compare
from kb_service.preview_markdown import markdown
from kb_service.preview_report import as_json, conclusion, text_lines
from kb_service.terminal import Bar, out, say


class Format(StrEnum):
    """How ``kb preview`` tells what it found."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


def preview(
    base: Annotated[
        str | None,
        typer.Argument(
            metavar="[BASE]",
            help="The branch, tag or commit to merge into; the files are compared with where this branch left it."
            " Default: the branch's upstream, origin/HEAD, main or master.",
        ),
    ] = None,
    most: Annotated[
        int,
        typer.Option("--most", min=0, metavar="N", help="So many of the latest incidents, and of searches, are asked."),
    ] = 500,
    form: Annotated[
        Format, typer.Option("--format", help="text; markdown (a comment for a merge request); json.")
    ] = Format.TEXT,
    with_searches: Annotated[
        bool,
        typer.Option(
            "--with-searches",
            help="Show in the Markdown what searchers typed. It may hold personal data, and many read a merge request:"
            " without this it shows incidents by number, and searches by how many they are. Text and JSON show all.",
        ),
    ] = False,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it to a file, and only say whether it passes.")
    ] = None,
    content: Content = None,
    data: Data = None,
    as_json_: AsJson = False,
) -> None:
    """Show what this branch would change for readers; exit 1 if a file is refused or a golden query breaks."""
    settings = settings_of(content=content, data=data)
    prepare_model(settings)
    form = Format.JSON if as_json_ else form
    with Bar(hidden=form is not Format.TEXT) as bar:
        found = compare(settings, base, most, bar)
    if output is None:
        _print(found, form, with_searches=with_searches)
    else:
        output.write_text(_written(found, form, with_searches=with_searches), "utf-8")
        out.print(f"{escape(conclusion(found))}. Written to {escape(str(output))}")
    if found.fails:
        raise typer.Exit(1)


def _print(found: Preview, form: Format, *, with_searches: bool) -> None:
    if form is Format.TEXT:
        for line in text_lines(found):
            out.print(line)
    else:
        say(_written(found, form, with_searches=with_searches).rstrip("\n"))


def _written(found: Preview, form: Format, *, with_searches: bool) -> str:
    if form is Format.MARKDOWN:
        return markdown(found, with_searches=with_searches)
    if form is Format.JSON:
        return json.dumps(as_json(found), ensure_ascii=False, indent=2) + "\n"
    plain = Console(file=StringIO(), force_terminal=False, highlight=False, soft_wrap=True)
    with plain.capture() as captured:
        for line in text_lines(found):
            plain.print(line)
    return captured.get()
