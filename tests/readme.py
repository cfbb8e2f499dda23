"""``python -m tests.readme`` writes the README's generated parts: settings, commands, a search with its real output."""

import atexit
import functools
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from indexer.check_options import Options
from indexer.check_rules import RULES
from kb_service import KnowledgeBase, demo
from kb_service.check_formats import differences
from kb_service.cli import app
from kb_service.settings import Settings
from tests.client import client_of

REPOSITORY = Path(__file__).parent.parent
README = REPOSITORY / "README.md"
QUESTION = "user locked out after password change"
SAMPLE = "INC0020114"
RESOLVED = "INC0020013"


def settings() -> str:
    rows = ["| Setting | Default | What it is |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        shown = "" if isinstance(field.default, SecretStr) else field.default
        default = "" if shown in (None, "", {}) else f"`{shown}`"
        rows.append(f"| `KB_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows)


def commands() -> str:
    rows = ["| Command | What it does |", "|---|---|"]
    for name, command in _commands(typer.main.get_command(app)):
        arguments = " ".join(f'"{one.name.upper()}"' for one in command.params if one.param_type_name == "argument")
        options = " ".join(
            f"`{max(one.opts, key=len)}`"
            for one in command.params
            if one.param_type_name == "option" and one.name != "help"
        )
        said = " ".join((command.help or "").split()) + (f" Options: {options}" if options else "")
        rows.append(f"| `{' '.join(filter(None, ('kb', name, arguments)))}` | {said} |")
    return "\n".join(rows)


def metrics() -> str:
    """Every figure of ``/metrics``, as a service gives them that was asked something."""
    rows = ["| Figure | Type | Labels | What it is |", "|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        base = KnowledgeBase(Settings(content=Path(folder), data=Path(folder) / "data", encoder="hashing"))
        with client_of(base) as client:
            client.get("/healthz")
            told = client.get("/metrics").text
    for family in sorted(text_string_to_metric_families(told), key=lambda family: family.name):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = sorted({label for sample in family.samples for label in sample.labels} - {"le"})
        said = family.documentation.replace("|", "\\|")
        rows.append(f"| `{name}` | {family.type} | {', '.join(f'`{label}`' for label in labels)} | {said} |")
    return "\n".join(rows)


def rules() -> str:
    """Every rule of ``kb check`` with its example, and what can be tuned."""
    rows = ["| Rule | Severity | What it finds | For example | Mended |", "|---|---|---|---|---|"]
    for rule in RULES.values():
        examples = " | ".join("<br>".join(map(_code, lines)) for lines in differences(rule, 60))
        rows.append(f"| `{rule.name}` | {rule.severity} | {rule.statement} | {examples} |")
    rows += ["", "| Option | Default | What it is |", "|---|---|---|"]
    for name, field in Options.model_fields.items():
        default = field.get_default(call_default_factory=True)
        shown = json.dumps(default) if default not in ((), {}) else ""
        rows.append(f"| `{name}` | {f'`{shown}`' if shown else ''} | {field.description} |")
    return "\n".join(rows)


def _code(line: str) -> str:
    fence = "``" if "`" in line else "`"
    space = " " if "`" in line else ""
    return f"{fence}{space}{line}{space}{fence}".replace("|", "\\|")


def _commands(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Each command with its whole name; those of a group by themselves."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def search(cache: Path | None = None) -> str:
    """A search over our own content as the shell prints it."""
    base = _demo(cache)
    output = _said(base, "search", QUESTION, "--limit", "3", "--data", str(base.settings.data))
    return f'```console\n$ kb search "{QUESTION}" --limit 3\n{output}```'


def triage(cache: Path | None = None) -> str:
    """A sample incident as the shell triages it."""
    return _of_demo(f"triage {SAMPLE}", cache)


def draft(cache: Path | None = None) -> str:
    """What the shell says of drafting an article from a sample incident that an article resolved."""
    return _of_demo(f"draft {RESOLVED}", cache)


def _of_demo(command: str, cache: Path | None) -> str:
    """A command over the sample, with what it prints."""
    base = _demo(cache)
    output = _said(base, *command.split(), "--demo", "--data", str(base.settings.data.parent))
    return f"```console\n$ kb {command} --demo\n{output}```"


@functools.cache
def _demo(cache: Path | None) -> KnowledgeBase:
    """Our own content and the sample, indexed."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    base = KnowledgeBase(Settings(content=REPOSITORY / "content", data=folder / "demo", cache=cache))
    base.update()
    demo.load(base.desk, base.searcher.catalogue)
    base.incident_index.catch_up()
    return base


def _said(base: KnowledgeBase, *arguments: str) -> str:
    """What ``kb`` prints in a window of 120 columns."""
    environment = {
        "PATH": "/usr/bin:/bin", "HOME": str(base.settings.data), "COLUMNS": "120",
        "KB_CACHE": str(base.settings.cache_folder),
    }  # fmt: skip
    command = [sys.executable, "-m", "kb_service.cli", *arguments]
    return subprocess.run(command, env=environment, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout


def github() -> str:
    """The file for GitHub Actions."""
    return _yaml(".github/workflows/content.yml")


def gitlab() -> str:
    """The file for GitLab CI."""
    return _yaml(".gitlab-ci.yml")


def _yaml(path: str) -> str:
    return f"```yaml\n{(REPOSITORY / path).read_text('utf-8')}```"


def part(text: str, name: str) -> str:
    """What stands between a generated part's marks."""
    match = re.search(rf"<!-- generated: {name} -->\n(.*?)<!-- end -->", text, re.S)
    assert match, f"README.md has no part '{name}'"
    return match[1].rstrip("\n")


def put(name: str, made: str, kind: str = "generated") -> None:
    """Write a part between its marks; ``measured`` parts are written by what measured them."""
    text = README.read_text("utf-8")
    start = f"<!-- {kind}: {name} -->\n"
    before, rest = text.split(start)
    after = rest[rest.index("<!-- end -->") :]
    README.write_text(f"{before}{start}{made}\n{after}", "utf-8")


def main() -> None:
    for name, made in (("settings", settings()), ("commands", commands()), ("search", search()), ("triage", triage())):
        put(name, made)
    put("rules", rules())
    put("metrics", metrics())
    put("github", github())
    put("gitlab", gitlab())
    put("draft", draft())


if __name__ == "__main__":
    main()
