"""``kb check``: what an author should mend before merging; ``kb schema``: the keys of the front matter."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from indexer.check import check as find_problems
from indexer.errors import Problem
from indexer.frontmatter import json_schema
from indexer.source import WorkingTree
from kb_service.cli_options import AsJson, Content, Data, settings_of
from kb_service.terminal import out, print_json, say


class Format(StrEnum):
    """How ``kb check`` prints."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def check(
    content: Content = None,
    data: Data = None,
    form: Annotated[Format, typer.Option("--format", help="text, json, or github (annotations).")] = Format.TEXT,
    as_json_: AsJson = False,
) -> None:
    """List every problem of every file that would be refused; exit 1 if there is any."""
    settings = settings_of(content=content, data=data)
    problems = find_problems(WorkingTree(settings.content))
    if as_json_ or form is Format.JSON:
        print_json({"problems": [asdict(problem) for problem in problems]})
    elif form is Format.GITHUB:
        for problem in problems:
            say(_github(settings.content, problem))
    else:
        for problem in problems:
            out.print(escape(str(problem)))
        out.print(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}" if problems else "No problems")
    if problems:
        raise typer.Exit(1)


def schema(content: Content = None, data: Data = None, as_json_: AsJson = False) -> None:  # noqa: ARG001
    """Print the JSON Schema of the front matter, for editors to complete and check from."""
    print_json(json_schema())


def _github(content: Path, problem: Problem) -> str:
    """A GitHub Actions annotation; its own characters escaped as its runner asks."""
    message = f"{problem.problem}. {problem.remedy}".replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    path = f"{content}/{problem.path}".replace("%", "%25").replace(",", "%2C").replace(":", "%3A")
    return f"::error file={path},line={problem.line}::{message}"
