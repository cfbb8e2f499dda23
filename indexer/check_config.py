"""Where the options of ``kb check`` come from: ``[check]`` in kb.toml, or ``[tool.kb.check]`` in pyproject.toml."""

import tomllib
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from indexer.check_options import Options
from indexer.check_rules import RULES
from indexer.errors import KnowledgeBaseError

_TABLES = {"kb.toml": ("check",), "pyproject.toml": ("tool", "kb", "check")}


class ConfigError(KnowledgeBaseError):
    """The options of ``kb check`` are not as they must be."""


def find_options(folder: Path) -> Options:
    """The options of the nearest file that has any, from a content's folder up to its repository's top.

    The defaults where there is none. Raises ConfigError.
    """
    for parent in (folder.resolve(), *folder.resolve().parents):
        for name, keys in _TABLES.items():
            table = _table(parent / name, keys)
            if table is not None:
                return _options(parent / name, keys, table)
        if (parent / ".git").exists():
            break
    return Options()


def _table(file: Path, keys: Iterable[str]) -> Any:
    """The table of a file; None where there is no such file or table."""
    try:
        found: Any = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{file} cannot be read: {error}", "Mend it") from error
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _options(file: Path, keys: Iterable[str], table: Any) -> Options:
    where = f"{file}: [{'.'.join(keys)}]"
    try:
        options = Options.model_validate(table)
    except ValidationError as error:
        raise ConfigError(*_said(where, error)) from error
    for key, rule in _rules_named(options):
        if rule not in RULES and not (key == "ignore" and rule == "*"):
            raise ConfigError(
                f"{where} {key}: there is no rule '{rule}'", _meant(rule, RULES, "'kb check --rules' lists them")
            )
    return options


def _rules_named(options: Options) -> Iterator[tuple[str, str]]:
    yield from (("disable", rule) for rule in options.disable)
    yield from (("severity", rule) for rule in options.severity)
    yield from (("ignore", rule) for rules in options.ignore.values() for rule in rules)


def _said(where: str, error: ValidationError) -> tuple[str, str]:
    """Problem and remedy of the first mistake."""
    first = error.errors()[0]
    path = [str(part) for part in first["loc"]]
    if first["type"] == "extra_forbidden":
        names = ", ".join(Options.model_fields)
        return f"{where} there is no option '{path[0]}'", _meant(path[0], Options.model_fields, f"One of {names}")
    return (
        f"{where} {'.'.join(path) or 'it'}: {first['msg']}",
        f"Mend '{path[0]}'" if path else "Write 'key = value' lines",
    )


def _meant(name: str, names: Iterable[str], otherwise: str) -> str:
    near = get_close_matches(name, list(names), n=2, cutoff=0.6)
    return f"{' or '.join(repr(one) for one in near)} was meant?" if near else otherwise
