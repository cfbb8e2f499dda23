"""How a git server calls the teams that own articles: the table ``[owners]`` of ``kb.toml``.

In ``pyproject.toml`` it is ``[tool.kb.owners]``. The nearest file that has it counts, from the content's folder up to
the repository's top.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from indexer.errors import KnowledgeBaseError

_HANDLE = re.compile(r"@{1,2}\w[\w.-]*(?:/[\w.-]+)*|[\w.+-]+@(?:[\w-]+\.)+[\w-]+")


class HandlesError(KnowledgeBaseError):
    """The table of handles cannot be read, or holds what is no handle."""


@dataclass(frozen=True, slots=True)
class Handles:
    """Handles by team."""

    by_team: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def of(self, team: str) -> tuple[str, ...]:
        """A team's handles, none where it is not in the table; one that is a handle already is its own."""
        return self.by_team.get(team, (team,) if _HANDLE.fullmatch(team) else ())


def repository_top(folder: Path) -> Path:
    """The top of the repository that a folder lies in; the folder itself outside of any."""
    resolved = folder.resolve()
    return next((one for one in (resolved, *resolved.parents) if (one / ".git").exists()), resolved)


def read_handles(content: Path) -> Handles:
    """The table nearest to the content. Raises HandlesError."""
    for file, keys in _files(content):
        table = _table(file, keys)
        if table is not None:
            return Handles({team: _handles_of(file, team, value) for team, value in table.items()})
    return Handles()


def _files(content: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    top, resolved = repository_top(content), content.resolve()
    for folder in (resolved, *resolved.parents):
        yield folder / "kb.toml", ("owners",)
        yield folder / "pyproject.toml", ("tool", "kb", "owners")
        if folder == top:
            return


def _table(file: Path, keys: tuple[str, ...]) -> Mapping[str, Any] | None:
    try:
        value: Any = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise HandlesError(f"{file} cannot be read: {error}", "Mend it: it must be TOML") from error
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    if value is not None and not isinstance(value, Mapping):
        raise HandlesError(
            f"{file}: '{'.'.join(keys)}' is no table", 'Write lines such as "service-desk" = "@acme/desk"'
        )
    return value


def _handles_of(file: Path, team: str, value: object) -> tuple[str, ...]:
    given = value if isinstance(value, list) else [value]
    for one in given:
        if not isinstance(one, str) or not _HANDLE.fullmatch(one):
            what = f"{file}: the handle of '{team}' is {one!r}"
            raise HandlesError(what, "Write @user, @organisation/team or an e-mail address")
    return tuple(given)
