"""Rules of the Markdown parser in our hands, so that no text takes longer than its length asks for.

As they come, a bracket that is never closed, and one whose address is none, cost a look at all the text behind it, each
use of a reference repeats its address however long, and each task looks back over all the tasks before it.
"""

import re
from collections.abc import Callable

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline, image, link
from markdown_it.token import Token

# So many letters of one text are looked at in vain, or repeated, for the sake of its links; further brackets are text
MOST_IN_VAIN = 20_000_000
MOST_REPEATED = 4_000_000

_TASK = re.compile(r"\[([ xX])\][ \t\n\v\f\r]")
_BOX = '<input class="task-list-item-checkbox" aria-label="{}"{} disabled="disabled" type="checkbox">'

_InlineRule = Callable[[StateInline, bool], bool]


def frugal(markdown: MarkdownIt) -> None:
    """The parser with links, pictures and task lists as GitHub has them, at a bounded cost."""
    markdown.inline.ruler.at("link", _bounded(link, "["))
    markdown.inline.ruler.at("image", _bounded(image, "!["))
    markdown.core.ruler.after("inline", "tasks", _tasks)


def _bounded(rule: _InlineRule, opening: str) -> _InlineRule:
    """The rule, until it has cost one text too much."""

    def bounded(state: StateInline, silent: bool) -> bool:
        if not state.src.startswith(opening, state.pos):
            return False
        spent = state.env.setdefault("spent", {"in vain": 0, "repeated": 0})
        if spent["in vain"] > MOST_IN_VAIN or spent["repeated"] > MOST_REPEATED:
            return False
        start, before = state.pos, len(state.tokens)
        if not rule(state, silent):
            spent["in vain"] += _looked_to(state, opening) - start
            return False
        # What is longer than the text that makes it comes from a reference
        made = sum(len(str(value)) for token in state.tokens[before : before + 2] for value in token.attrs.values())
        spent["repeated"] += max(0, made - (state.pos - start))
        return True

    return bounded


def _looked_to(state: StateInline, opening: str) -> int:
    """How far a rule looked that made nothing: to the label's end, or a second one's; for an address, to all ends."""
    label = state.md.helpers.parseLinkLabel
    end = label(state, state.pos + len(opening) - 1, opening == "[")
    if end >= 0 and state.src.startswith("[", end + 1):
        end = label(state, end + 1)
    return state.posMax if end < 0 or state.src.startswith("(", end + 1) else end


def _tasks(state: StateCore) -> None:
    """List items that begin with ``[ ]`` or ``[x]`` get a box; they and their list say so by their class."""
    lists: list[Token] = []
    for place, token in enumerate(state.tokens):
        if token.type in {"bullet_list_open", "ordered_list_open"}:
            lists.append(token)
        elif token.type in {"bullet_list_close", "ordered_list_close"}:
            lists.pop()
        elif token.type == "list_item_open" and state.tokens[place + 1].type == "paragraph_open":
            text = state.tokens[place + 2]
            task = _TASK.match(text.content)
            if task and text.children:
                text.children[0].content = text.children[0].content[3:]
                box = _BOX.format("to do", "") if task[1] == " " else _BOX.format("done", ' checked="checked"')
                text.children.insert(0, Token("html_inline", "", 0, content=box))
                token.attrSet("class", "task-list-item")
                lists[-1].attrSet("class", "contains-task-list")
