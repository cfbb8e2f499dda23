"""``kb check``: what an author should mend before merging; ``kb schema``: the keys of the front matter."""

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from indexer.check import DUPLICATES, Meaning, check_library
from indexer.check_config import find_options
from indexer.check_options import Options
from indexer.check_rules import RULES
from indexer.findings import Finding
from indexer.frontmatter import json_schema
from indexer.library import Library, read_library
from indexer.vectors import VectorCache
from kb_service import check_formats
from kb_service.cli_options import AsJson, Content, Data, prepare_model, settings_of
from kb_service.content import working_tree
from kb_service.settings import Settings
from kb_service.terminal import Bar, err, out, print_json, say

_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}


class Format(StrEnum):
    """How ``kb check`` prints."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[PATHS]...", help="Files or folders to report on; others are read for links and twins."
        ),
    ] = None,
    form: Annotated[
        Format, typer.Option("--format", help="text, json, github (annotations) or sarif (2.1.0).")
    ] = Format.TEXT,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 for warnings, too.")] = False,
    external: Annotated[bool, typer.Option("--external", help="Ask links to other sites, never private ones.")] = False,
    disable: Annotated[
        list[str] | None, typer.Option(metavar="RULE", help="Leave a rule out; may be repeated.")
    ] = None,
    rules: Annotated[bool, typer.Option("--rules", help="Print every rule with an example, and end.")] = False,
    content: Content = None,
    data: Data = None,
    as_json_: AsJson = False,
) -> None:
    """List what to mend before merging, by rules that kb.toml or pyproject.toml tune; exit 1 for any error."""
    form = Format.JSON if as_json_ else form
    if rules:
        _print_rules(form)
        return
    settings = settings_of(content=content, data=data)
    tree = working_tree(settings)
    options = _without(find_options(tree.root), disable or [])
    wanted = None if not paths else _within(tree.root, paths)
    if wanted is not None and not wanted:
        # A hook names every file of a commit
        err.print("None of these files is content")
        _print([], form, tree.root)
        return
    with Bar(hidden=form is not Format.TEXT) as bar:
        library = read_library(tree, datetime.now(UTC).date(), bar)
        meaning = _meaning(settings, options, library)
        findings = check_library(library, options, paths=wanted, meaning=meaning, external=external, progress=bar)
    _print(findings, form, tree.root)
    if any(finding.severity == "error" or (strict and finding.severity == "warning") for finding in findings):
        raise typer.Exit(1)


def schema() -> None:
    """Print the JSON Schema of the front matter, for editors to complete and check from."""
    print_json(json_schema())


def _without(options: Options, disable: Sequence[str]) -> Options:
    for name in disable:
        if name not in RULES:
            raise typer.BadParameter(f"--disable: there is no rule '{name}'; 'kb check --rules' lists them")
    return options.model_copy(update={"disable": (*options.disable, *disable)})


def _within(root: Path, paths: Iterable[Path]) -> set[str]:
    """The files of the content that paths name, as the content names them; a link to a file stays a link."""
    found: set[str] = set()
    for path in paths:
        if not os.path.lexists(path):
            raise typer.BadParameter(f"there is no file {path}")
        is_folder = path.is_dir()
        absolute = path.resolve() if is_folder else path.parent.resolve() / path.name
        every = absolute.rglob("*") if is_folder else [absolute]
        inside = {one.relative_to(root).as_posix() for one in every if one.is_relative_to(root)}
        if is_folder and not inside:
            raise typer.BadParameter(f"nothing of the content lies in {path}")
        found |= inside
    return found


def _meaning(settings: Settings, options: Options, library: Library) -> Meaning | None:
    """What compares articles; None, and no model is opened, where there is nothing to compare."""
    if DUPLICATES in options.disable or len(library.articles) < 2:
        return None
    prepare_model(settings)
    encoder = settings.open_encoder()
    return Meaning(encoder, VectorCache(settings.cache_folder / "vectors.db", encoder.identity))


def _print(findings: Sequence[Finding], form: Format, root: Path) -> None:
    if form is Format.TEXT:
        for line in check_formats.text(_from(findings, root, Path.cwd())):
            say(line) if not out.is_terminal else out.print(_coloured(line))
    elif form is Format.JSON:
        print_json(check_formats.as_json(_from(findings, root, Path.cwd())))
    elif form is Format.GITHUB:
        for line in check_formats.github(_from(findings, root, _repository(root))):
            say(line)
    else:
        print_json(check_formats.sarif(_from(findings, root, _repository(root))))


def _coloured(line: str) -> str:
    """A line for a terminal: what it is alike to is dimmed, the severity has its colour."""
    if line.startswith(" "):
        return f"[dim]{escape(line)}[/dim]"
    return re.sub(
        ": (error|warning|note) ",
        lambda match: f": [{_COLOURS[match[1]]}]{match[1]}[/] ",
        escape(line),
        count=1,
    )


def _from(findings: Sequence[Finding], root: Path, folder: Path) -> list[Finding]:
    """The findings with paths from a folder on, for editors and programs to open them."""

    def seen(path: str) -> str:
        return Path(os.path.relpath(root / path, folder)).as_posix()

    return [
        replace(
            finding,
            path=seen(finding.path),
            related=tuple(replace(one, path=seen(one.path)) for one in finding.related),
        )
        for finding in findings
    ]


def _repository(root: Path) -> Path:
    """The top of the content's repository; without one, the current folder."""
    return next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), Path.cwd())


def _print_rules(form: Format) -> None:
    if form is Format.JSON:
        print_json(check_formats.rules_json())
        return
    for rule in RULES.values():
        for line in check_formats.rule_lines(rule):
            out.print(escape(line))
        out.print()
