"""Rules of the Markdown parser in our hands, so that no text takes longer than its length asks for.

As they come, a bracket that is never closed costs a look at all the text behind it, each use of a reference repeats its
address however long, each task looks back over all the tasks before it, and a text of nothing but signs takes a hundred
times as long as one of words. So what a text costs is counted, and one that costs too much is given up.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline, autolink, image, link, text
from markdown_it.token import Token

# So many signs one text may have that are markup or might be; each takes some two millionths of a second in all
MOST_MARKUP = 250_000
# What becomes a token takes as long as so many signs that stay text, and so do letters that a reference repeats
_A_TOKEN, _REPEATED_LETTERS = 4, 50
# Nor is a bracket cheap that makes nothing: what follows is read as an address first
_IN_VAIN = 5
_LOOKED_AT_AGAIN = 100_000

# Each sign of a run becomes a token; nobody nests emphasis so deep
_LONG_RUN = re.compile(r"([*_~])\1{99,}")
_TASK = re.compile(r"\[([ xX])\][ \t\n\v\f\r]")
_BOX = '<input class="task-list-item-checkbox" aria-label="{}"{} disabled="disabled" type="checkbox">'

# Where a rule of ours may begin or a link's label end; every sign that some rule somewhere wants would be three times
# as many
_SIGNS = re.compile(r"[\n!&*<\[\\\]_`~]")

_InlineRule = Callable[[StateInline, bool], bool]


class TooMuchMarkupError(Exception):
    """A text has more markup than is read. ``line`` is the one where it became too much, counted from 0."""

    def __init__(self, line: int) -> None:
        super().__init__(f"too much markup up to line {line}")
        self.line = line


@dataclass(slots=True)
class _Spent:
    """What a text has cost so far, in signs, and the line where the piece begins that is read."""

    signs: int = 0
    line: int = 0


def frugal(markdown: MarkdownIt) -> None:
    """The parser with links, pictures and task lists as GitHub has them, at a bounded cost.

    It raises TooMuchMarkupError where a text costs more.
    """
    inline = _Inline()
    inline.ruler.enableOnly(markdown.inline.ruler.get_active_rules())
    inline.ruler2.enableOnly(markdown.inline.ruler2.get_active_rules())
    inline.ruler.at("text", _text)
    inline.ruler.before("strikethrough", "runs", _long_run)
    inline.ruler.at("link", _measured(link, "["))
    inline.ruler.at("image", _measured(image, "!["))
    inline.ruler.at("autolink", _measured(autolink, "<"))
    markdown.inline = inline
    markdown.core.ruler.at("block", _blocks)
    markdown.core.ruler.at("inline", _inlines)
    markdown.core.ruler.after("inline", "tasks", _tasks)


class _Inline(ParserInline):
    def __init__(self) -> None:
        super().__init__()
        self.terminator_re = _SIGNS

    def skipToken(self, state: StateInline) -> None:  # noqa: N802 (the parser's own name)
        _spend(state, 1)
        super().skipToken(state)


class _Tokens(list[Token]):
    """The tokens of blocks, so many at most."""

    def append(self, token: Token) -> None:
        if len(self) * _A_TOKEN > MOST_MARKUP:
            raise TooMuchMarkupError(next((one.map[0] for one in reversed(self) if one.map), 0))
        super().append(token)


def _blocks(state: StateCore) -> None:
    tokens = _Tokens()
    state.md.block.parse(state.src, state.md, state.env, tokens)
    state.tokens += tokens


def _inlines(state: StateCore) -> None:
    spent: _Spent = state.env.setdefault("spent", _Spent(len(state.tokens) * _A_TOKEN))
    for token in state.tokens:
        if token.type == "inline":
            spent.line = token.map[0] if token.map else spent.line
            token.children = []
            state.md.inline.parse(token.content, state.md, state.env, token.children)
            spent.signs += len(token.children) * _A_TOKEN


def _spend(state: StateInline, signs: int) -> None:
    spent: _Spent = state.env["spent"]
    spent.signs += signs
    if spent.signs + len(state.tokens) * _A_TOKEN > MOST_MARKUP:
        raise TooMuchMarkupError(spent.line + state.src.count("\n", 0, state.pos))


def _text(state: StateInline, silent: bool) -> bool:
    # It is the first rule that is tried, wherever one is
    _spend(state, 1)
    return text(state, silent)


def _long_run(state: StateInline, silent: bool) -> bool:
    """A long run of signs of emphasis is text."""
    run = _LONG_RUN.match(state.src, state.pos)
    if run is None:
        return False
    if not silent:
        state.append_pending(run[0])
    state.pos = run.end()
    return True


def _measured(rule: _InlineRule, opening: str) -> _InlineRule:
    """The rule of links of some kind, with what it takes counted."""

    def counted(state: StateInline, silent: bool) -> bool:
        if not state.src.startswith(opening, state.pos):
            return False
        start, before = state.pos, len(state.tokens)
        if not rule(state, silent):
            _spend(state, _IN_VAIN)
            return False
        # What is longer than the text that makes it comes from a reference
        tokens = state.tokens[before : before + 2]
        made = sum(len(str(value)) for token in tokens for value in token.attrs.values())
        _spend(state, max(0, made - (state.pos - start)) // _REPEATED_LETTERS)
        # What cleans the HTML looks at all of an address, a title, a picture's text again at each sign in it
        long = made + len(tokens[0].content) if tokens else 0
        _spend(state, long * long // _LOOKED_AT_AGAIN)
        return True

    return counted


def _tasks(state: StateCore) -> None:
    """List items that begin with ``[ ]`` or ``[x]`` get a box; they and their list say so by their class."""
    lists: list[Token] = []
    for place, token in enumerate(state.tokens):
        if token.type in {"bullet_list_open", "ordered_list_open"}:
            lists.append(token)
        elif token.type in {"bullet_list_close", "ordered_list_close"}:
            lists.pop()
        elif token.type == "list_item_open" and state.tokens[place + 1].type == "paragraph_open":
            says = state.tokens[place + 2]
            task = _TASK.match(says.content)
            if task and says.children:
                says.children[0].content = says.children[0].content[3:]
                box = _BOX.format("to do", "") if task[1] == " " else _BOX.format("done", ' checked="checked"')
                says.children.insert(0, Token("html_inline", "", 0, content=box))
                token.attrSet("class", "task-list-item")
                lists[-1].attrSet("class", "contains-task-list")
