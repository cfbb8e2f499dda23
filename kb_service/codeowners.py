"""CODEOWNERS for GitHub and GitLab: who is asked before an article changes, by the path of its file.

Only the accountable team stands there unless the consulted are wanted too, since GitHub takes the approval of any one
that stands in a line. What others wrote into the file stays: ours is the part between two marks, at its end, since of
several lines that match a path the last one counts.
"""

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from indexer.errors import KnowledgeBaseError
from kb_service.owner_handles import Handles
from kb_service.raci import Raci

BEGIN = "# kb owners: made from the articles' front matter; edit that, then run 'kb owners --write' again"
END = "# kb owners: end"
_OURS = re.compile(rf"^# kb owners: made .*^{re.escape(END)}\r?(?:\n|\Z)", re.MULTILINE | re.DOTALL)
_MARKS = re.compile(rf"^(?:# kb owners: made |{re.escape(END)}\r?$)", re.MULTILINE)
# What a pattern reads otherwise than as it stands
_SPECIAL = re.compile(r"([\s\\*?\[\]#!])")

Owners = tuple[str, ...]


class CodeOwnersError(KnowledgeBaseError):
    """It cannot be told which part of a file is ours."""


@dataclass(frozen=True, slots=True)
class CodeOwners:
    """Our part of the file; teams that have no handle and paths that have no owner are in it as comments only."""

    text: str
    unmapped: Mapping[str, int]
    unowned: int


def code_owners(rows: Sequence[Raci], handles: Handles, below: str, *, with_consulted: bool = False) -> CodeOwners:
    """Our part, from the teams of all articles; ``below`` is the content's path in the repository, "" for its top."""
    owners: dict[str, Owners] = {}
    comments: list[str] = []
    unmapped: Counter[str] = Counter()
    for row in rows:
        accountable = (row.accountable,) if row.accountable else ()
        teams = tuple(dict.fromkeys((*accountable, *row.consulted))) if with_consulted else accountable
        unmapped.update(team for team in teams if not handles.of(team))
        # Those who are only consulted must not stand alone: their approval would be enough
        has_owner = bool(accountable and handles.of(accountable[0]))
        owners[row.path] = tuple(dict.fromkeys(one for team in teams for one in handles.of(team))) if has_owner else ()
        if not has_owner:
            said = f"'{row.accountable}' has no handle" if row.accountable else "no owner"
            comments.append(f"# {_pattern(posixpath.join(below, row.path))}  {' '.join(said.split())}")
    lines = [f"{pattern} {' '.join(of)}" for pattern, of in _rules(sorted(owners), owners, below)]
    text = "\n".join([BEGIN, *lines, *comments, END, ""])
    return CodeOwners(text, unmapped, sum(row.accountable is None for row in rows))


def put_into(existing: str, ours: str) -> str:
    """The whole file with our part in it, in the place of the former one, else at the end; its line ends stay.

    Raises CodeOwnersError where a mark of our part is missing or there twice: what others wrote would be lost.
    """
    line_end = "\r\n" if "\r\n" in existing else "\n"
    own = ours.replace("\n", line_end)
    marks = [mark.strip() == END for mark in _MARKS.findall(existing)]
    if marks == [False, True]:
        return _OURS.sub(lambda _: own, existing)
    if marks:
        what = f"the part of the file from '{BEGIN[:18]} …' to '{END}' does not begin and end once"
        raise CodeOwnersError(what, "Take the lines made by 'kb owners' and all these marks out, then write it again")
    before = existing.rstrip("\r\n")
    return f"{before}{line_end * 2}{own}" if before else own


def _rules(
    paths: Sequence[str], owners: Mapping[str, Owners], below: str, folder: str = ""
) -> Iterator[tuple[str, Owners]]:
    """A line for each folder whose articles all belong to the same, and for each file elsewhere; by path."""
    if len({owners[path] for path in paths}) == 1:
        only = owners[paths[0]]
        if only:
            whole = posixpath.join(below, folder).rstrip("/")
            yield (f"{_pattern(whole)}/" if whole else "*"), only
        return
    for name, inside in _by_name(folder, paths):
        path = posixpath.join(folder, name)
        if inside != [path]:
            yield from _rules(inside, owners, below, path)
        elif owners[path]:
            yield _pattern(posixpath.join(below, path)), owners[path]


def _by_name(folder: str, paths: Iterable[str]) -> list[tuple[str, list[str]]]:
    """The paths by the file or folder right below a folder."""
    names: dict[str, list[str]] = {}
    for path in paths:
        rest = path[len(folder) + 1 :] if folder else path
        names.setdefault(rest.split("/", 1)[0], []).append(path)
    return sorted(names.items())


def _pattern(path: str) -> str:
    return "/" + _SPECIAL.sub(r"\\\1", path)
