"""Front matter that a glance shows to be plain, ``key: text`` and lists of texts, is composed by libyaml.

That takes a twelfth of the time that the whole of YAML takes in Python, which is half of the time in which an article
is read. Where anything else may stand, or something is wrong, it is left to that, which also says what is wrong.
"""

import re

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

# What anchors, aliases, tags and escapes begin with, and what no YAML takes. And what libyaml, which reads YAML 1.1,
# may take otherwise: tabs, ends of lines of its own, the mark of an encoding; a colon behind a quote; a text that
# begins with a question mark or goes over many lines
_NOT_PLAIN = re.compile(
    "[&*!\\\\\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff]|[\"'] *:|[:-] +[|>]|[\\[,:-] *\\?"
)
# A key with a text or a list of texts, and a text of a list, which is there and no list itself: nothing lies deeper
_PLAIN_LINE = re.compile(r"[\w-]+:(?: [^\[\]{}]*(?:\[[^\[\]{}]*\] *)?)?| *- +(?!-(?: |$))[^ :\[\]{}][^:\[\]{}]*| *")
# There is none where PyYAML was built without libyaml
_LOADER = getattr(yaml, "CSafeLoader", None)
# Asked what a text stands for, it changes nothing of its own
_RESOLVER = YAML(typ="safe", pure=True).resolver


def compose(front: str) -> MappingNode | None:
    """The nodes, with the lines of their beginnings; None where it is not plain, or broken, or there is no libyaml."""
    if _LOADER is None or _NOT_PLAIN.search(front) or not all(map(_PLAIN_LINE.fullmatch, front.split("\n"))):
        return None
    try:
        root = yaml.compose(front, Loader=_LOADER)
    except yaml.YAMLError:
        return None
    ours = _of_ours(root) if root is not None else None
    return ours if isinstance(ours, MappingNode) else None


def _of_ours(node: yaml.Node) -> Node:
    """A node as YAML 1.2 has it: ``no`` and ``0123`` are no booleans and octal numbers there."""
    if isinstance(node, yaml.ScalarNode):
        is_bare = not node.style
        tag = _RESOLVER.resolve(ScalarNode, node.value, (is_bare, not is_bare))
        return ScalarNode(tag, node.value, node.start_mark, node.end_mark, style=node.style or None)
    if isinstance(node, yaml.SequenceNode):
        return SequenceNode(node.tag, [_of_ours(one) for one in node.value], node.start_mark, node.end_mark)
    pairs = [(_of_ours(key), _of_ours(value)) for key, value in node.value]
    return MappingNode(node.tag, pairs, node.start_mark, node.end_mark)
