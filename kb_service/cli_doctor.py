"""``kb doctor``: what is wrong with files, settings, keys, content or machine, and what to do."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import typer
from rich.markup import escape

from kb_service.cli_options import AsJson, Content, Data, Demo, of_demo
from kb_service.diagnosis import Case, Diagnosis, Level
from kb_service.doctor import examine
from kb_service.doctor_settings import read
from kb_service.terminal import out, print_json

_MARKS: Mapping[Level, str] = {
    "ok": "[green]✓[/green]", "warning": "[yellow]![/yellow]", "error": "[red]✗[/red]",
}  # fmt: skip
_WIDTH = 13


def doctor(demo: Demo = False, content: Content = None, data: Data = None, as_json_: AsJson = False) -> None:
    """Say what is wrong with files, settings, keys, content and machine, and what to do; exit 1 for any error."""
    case, found = _case(content, data, demo=demo)
    if not as_json_:
        place = case.settings.content_remote is None and f" · content {case.settings.content.absolute()}"
        out.print(f"[dim]{escape(f'data {case.settings.data.absolute()}{place or str()}')}[/dim]")
    for one in examine(case):
        found.append(one)
        if one.level == "ok" and not as_json_:
            out.print(f"{_MARKS['ok']} {one.name:{_WIDTH}}[dim]{escape(one.said)}[/dim]")
    errors, warnings = ([one for one in found if one.level == level] for level in ("error", "warning"))
    if as_json_:
        print_json([asdict(one) for one in found])
    else:
        # The worst stands last, where the eye is
        for one in (*warnings, *errors):
            _print(one)
        out.print(_sum(len(errors), len(warnings)))
    raise typer.Exit(1 if errors else 0)


def _case(content: Path | None, data: Path | None, *, demo: bool) -> tuple[Case, list[Diagnosis]]:
    """What is looked at, and what is wrong with the settings that say so."""
    given = {name: value for name, value in (("content", content), ("data", data)) if value is not None}
    settings, found = read(given)
    options = {f"--{name}": str(value) for name, value in given.items()}
    if not demo:
        return Case(settings, options), found
    settings = of_demo(settings)
    # Commands that know no --demo are told the folders that it stands for
    return Case(settings, {**options, "--data": str(settings.data)}, str(settings.cache_folder)), found


def _print(one: Diagnosis) -> None:
    out.print(f"{_MARKS[one.level]} {one.name:{_WIDTH}}{escape(one.said)}")
    out.print(f"  {'':{_WIDTH}}[bold]→[/bold] {escape(one.remedy)}")


def _sum(errors: int, warnings: int) -> str:
    counted = [
        f"{count} {what}{'' if count == 1 else 's'}" for count, what in ((errors, "error"), (warnings, "warning"))
    ]
    return ", ".join(one for one in counted if not one.startswith("0 ")) or "Nothing is wrong"
