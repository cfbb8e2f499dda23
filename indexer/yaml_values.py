"""The YAML 1.2 of a front matter as plain values with their lines, and what is wrong with it."""

import re
from collections.abc import Collection, Iterator
from datetime import date, datetime, time, timedelta
from math import isfinite
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from indexer import plain_yaml
from indexer.errors import Problem

_MOST_DEEP = 8
# Of SQLite and most programs that read JSON; a longer number is kept as text
_LARGEST = 2**63 - 1
# YAML takes none as they are; written as escapes they would command a terminal, or could not be stored
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_MOST_SHOWN = 80


def read_yaml(path: str, front: str, texts: Collection[str]) -> tuple[dict[str, Any], dict[str, int], list[Problem]]:
    """Values of the top-level keys, the file's line of each, and what is wrong.

    Those of the keys ``texts`` are as they are written, the others in JSON's types.
    """
    yaml = _Yaml(typ="safe", pure=True)
    root = plain_yaml.compose(front)
    values: dict[str, Any] = {}
    lines: dict[str, int] = {}
    line = 1
    try:
        problems = [] if root else list(_yaml_problems(path, yaml, front))
        if problems:
            return {}, {}, problems
        root = root or yaml.compose(front)
        if root is None:
            return {}, {}, []
        if not isinstance(root, MappingNode):
            return {}, {}, [Problem(path, 2, "the front matter is not 'key: value' lines", "Write e.g. 'title: …'")]
        for key_node, value_node in root.value:
            key, line = str(key_node.value), key_node.start_mark.line + 2
            if key in lines:
                problems.append(
                    Problem(path, line, f"'{shown(key)}' stands twice", f"Keep one; the first is line {lines[key]}")
                )
            lines[key] = line
            values[key] = _text_of(value_node) if key in texts else _plain(yaml, value_node)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(filter(None, (error.context, error.problem)))
        line = mark.line + 2 if mark else line
        what = f"broken YAML: {shown(what, 2 * _MOST_SHOWN)}"
        return {}, {}, [Problem(path, line, what, "Mend it; quote values that hold ': ' or '#'")]
    # What trips over a value raises more than the library's own errors
    except (YAMLError, ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError) as error:
        what = f"broken YAML: {shown(str(error), 2 * _MOST_SHOWN)}"
        return {}, {}, [Problem(path, line, what, "Mend it; quote what is to stay as it is")]
    return values, lines, problems


class _Yaml(YAML):
    """Without the plug-ins that it would look for on the disk for each file."""

    def official_plug_ins(self) -> list[str]:
        """None."""
        return []


def _yaml_problems(path: str, yaml: YAML, front: str) -> Iterator[Problem]:
    depth = 0
    for event in yaml.parse(front):
        line = event.start_mark.line + 2
        if getattr(event, "version", None) or getattr(event, "tags", None):
            # The event is of the '---' behind them
            line = next((number for number, said in enumerate(front.split("\n"), 2) if said.startswith("%")), line)
            yield Problem(path, line, "YAML directives ('%') are not taken", "Leave the line out")
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            yield Problem(path, line, "YAML anchors and aliases ('&', '*') are not taken", "Quote it or write it out")
        if getattr(event, "tag", None):
            yield Problem(path, line, "YAML tags ('!') are not taken", "Quote it or leave the tag out")
        if _CONTROL.search(getattr(event, "value", None) or ""):
            yield Problem(path, line, "it holds a control character or half of one", "Take out the escape with '\\'")
        name = type(event).__name__
        depth += name.endswith("StartEvent") - name.endswith("EndEvent")
        if depth > _MOST_DEEP:
            yield Problem(path, line, f"the YAML is nested over {_MOST_DEEP} deep", "Make it flatter")
            return


def shown(said: str, most: int = _MOST_SHOWN) -> str:
    """What a file says, as it can stand in a line for a person: short, and nothing in it that cannot be seen."""
    line = "".join(letter if letter.isprintable() else " " for letter in said)
    return line if len(line) <= most else f"{line[:most]}…"


def _text_of(node: Node) -> Any:
    """A known key's value with its scalars as they are written; YAML's null is None."""
    if isinstance(node, ScalarNode):
        return None if str(node.tag).endswith(":null") else node.value
    if isinstance(node, SequenceNode):
        return [_text_of(item) for item in node.value]
    return {str(key.value): _text_of(value) for key, value in node.value}


def _plain(yaml: YAML, node: Node) -> Any:
    """An unknown key's value in JSON's types."""
    return _jsonable(yaml.constructor.construct_object(node, deep=True))


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_jsonable(item) for item in value]
    if isinstance(value, date | datetime | time | timedelta):
        return str(value)
    if (isinstance(value, float) and not isfinite(value)) or (isinstance(value, int) and abs(value) > _LARGEST):
        return str(value)
    return value if isinstance(value, str | int | float | bool | None) else str(value)
