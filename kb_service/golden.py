"""Golden queries: what agents really type, and the article that each must find among the first three.

Format: ``queries.yaml`` at the top of the content, a YAML list of ``query``, ``article`` (an id, or one that it once
had) and, if need be, a ``note``. Values are taken as they are written: ``0123`` stays ``0123``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from indexer.errors import Problem
from indexer.knowledge import MAX_FILE_BYTES

GOLDEN_FILE = "queries.yaml"
_KEYS = ("query", "article", "note")
_SHAPE = "Write '- query: what agents type', and below it '  article: its/id'"


@dataclass(frozen=True, slots=True)
class GoldenQuery:
    """One golden query. ``line`` is where it stands in the file, from 1."""

    query: str
    article: str
    note: str = ""
    line: int = 1


def read_golden(data: bytes) -> tuple[list[GoldenQuery], list[Problem]]:
    """The golden queries in a file's bytes, and every problem of it with its line. Never raises for what they hold."""
    if len(data) > MAX_FILE_BYTES:
        return [], [Problem(GOLDEN_FILE, 1, f"the file is over {MAX_FILE_BYTES:,} bytes", "Keep fewer queries")]
    try:
        root = YAML(typ="safe", pure=True).compose(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return [], [Problem(GOLDEN_FILE, line, f"byte {error.start} is not UTF-8", "Save the file as UTF-8")]
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(filter(None, (error.context, error.problem)))
        remedy = "Mend it; quote values that hold ': ' or '#'"
        return [], [Problem(GOLDEN_FILE, mark.line + 1 if mark else 1, f"broken YAML: {what}", remedy)]
    except ReaderError as error:
        line = data.decode("utf-8-sig").count("\n", 0, error.position) + 1
        return [], [Problem(GOLDEN_FILE, line, "holds a control character, so it is not text", "Remove it")]
    except (YAMLError, ValueError, OverflowError, RecursionError) as error:
        return [], [Problem(GOLDEN_FILE, 1, f"broken YAML: {error}", "Mend the file")]
    if root is None or (isinstance(root, ScalarNode) and not root.value):
        return [], []
    if not isinstance(root, SequenceNode):
        return [], [Problem(GOLDEN_FILE, _line(root), "is no list of queries", _SHAPE)]
    golden: list[GoldenQuery] = []
    problems: list[Problem] = []
    first: dict[tuple[str, str], int] = {}
    for node in root.value:
        found = _golden(node)
        if not isinstance(found, GoldenQuery):
            problems += found
            continue
        key = (found.query.casefold(), found.article)
        if key in first:
            what = f"'{found.query}' stands twice"
            problems.append(Problem(GOLDEN_FILE, found.line, what, f"Keep one; the first is line {first[key]}"))
        else:
            first[key] = found.line
            golden.append(found)
    return golden, problems


def _golden(node: Node) -> GoldenQuery | list[Problem]:
    if not isinstance(node, MappingNode):
        return [Problem(GOLDEN_FILE, _line(node), "is no query with its article", _SHAPE)]
    problems = list(_problems(node))
    if problems:
        return problems
    given = {str(key.value): _text(value) for key, value in node.value}
    return GoldenQuery(given["query"], given["article"], given.get("note", ""), _line(node))


def _problems(node: MappingNode) -> Iterator[Problem]:
    seen: set[str] = set()
    for key, value in node.value:
        name = key.value if isinstance(key, ScalarNode) else "?"
        if name not in _KEYS:
            near = get_close_matches(name, _KEYS, n=1)
            remedy = f"'{near[0]}' was meant?" if near else f"Use {', '.join(_KEYS)}"
            yield Problem(GOLDEN_FILE, _line(key), f"'{name[:40]}' is no key of a golden query", remedy)
        elif name in seen:
            yield Problem(GOLDEN_FILE, _line(key), f"'{name}' stands twice in one query", "Keep one of the two")
        elif not isinstance(value, ScalarNode):
            yield Problem(GOLDEN_FILE, _line(value), f"{name} is not one line of text", f"Write '{name}: …'; quote it")
        elif not _text(value) and name != "note":
            yield Problem(GOLDEN_FILE, _line(key), f"{name} is empty", _SHAPE)
        seen.add(name)
    for name in ("query", "article"):
        if name not in seen:
            yield Problem(GOLDEN_FILE, _line(node), f"{name} is missing", _SHAPE)


def _text(node: ScalarNode) -> str:
    """A value on one line, without what no file can hold."""
    return " ".join(str(node.value).encode("utf-8", "replace").decode().split())


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1
