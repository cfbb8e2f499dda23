"""A preview as a comment for a merge request: compact, and whatever an article or a query says, only text.

What others wrote stands in code spans alone, where neither Markdown nor HTML means anything and nobody is mentioned.
Incidents are shown by number, and what searchers typed is not shown unless asked for: many read a merge request.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape

from kb_service.answering import Effect, Move, Verdict
from kb_service.golden import GOLDEN_FILE
from kb_service.preview import Preview
from kb_service.preview_report import changed, conclusion, count, looked_at, plain, ranks, summary

# The first line, by which a later run finds the comment to put its own in place of
MARKER = "<!-- kb preview -->"
# GitHub takes 65,536 characters
MOST_CHARACTERS = 65_000
_MOST_MOVES = 10
_ROOM_FOR_NOTE = 120

Block = tuple[str, str]
"""A heading, and a part below it that is whole by itself, so that the comment may end after it."""
MayBeShown = Callable[[Move], bool]


def markdown(preview: Preview, *, with_searches: bool = False, most: int = MOST_CHARACTERS) -> str:
    """The comment, at most so many characters. ``with_searches`` shows what searchers typed."""
    known = {one.golden.query.casefold() for one in preview.verdicts}

    def may_be_shown(move: Move) -> bool:
        return with_searches or move.question.kind != "search" or move.question.text.strip().casefold() in known

    sign = "❌" if preview.fails else "✅"
    head = (
        f"{MARKER}\n### What this branch changes for readers\n\n{sign} **{conclusion(preview)}**\n\n"
        f"Compared with {code(preview.base.name)} at `{preview.base.commit[:12]}`: {changed(preview)}."
    )
    return fitting(head, _blocks(preview, may_be_shown), f"\n\n{looked_at(preview)}\n", most)


def code(text: str, most: int = 160) -> str:
    """Somebody else's text as a code span that it cannot break out of."""
    said = plain(text, most) or " "
    longest = max((len(run) for run in re.findall("`+", said)), default=0)
    pad = " " if said[0] == "`" or said[-1] == "`" else ""
    return f"{'`' * (longest + 1)}{pad}{said}{pad}{'`' * (longest + 1)}"


def fitting(head: str, blocks: Iterable[Block], foot: str, most: int) -> str:
    """As many whole blocks as there is room for; how many are left out is said."""
    kept, heading, left_out = [head], "", 0
    room = most - _length(head) - _length(foot) - _ROOM_FOR_NOTE
    for above, text in blocks:
        between = "\n" if text.startswith("- ") else "\n\n"
        piece = f"{between}{text}" if above == heading else f"\n\n#### {above}\n\n{text}"
        if left_out or _length(piece) > room:
            left_out += 1
            continue
        room -= _length(piece)
        heading = above
        kept.append(piece)
    if left_out:
        entries = count(left_out, "more entry is", "more entries are")
        kept.append(f"\n\n*There is no room here: {entries} shown by `kb preview` in a clone.*")
    return "".join(kept) + foot


def _blocks(preview: Preview, may_be_shown: MayBeShown) -> Iterator[Block]:
    for problem in (*preview.refused, *preview.problems):
        where, what = f"{problem.path}:{problem.line}", f"{problem.problem}. {problem.remedy}"
        yield "Refused", f"- {code(where)} {code(what, 400)}"
    for one in preview.golden("broken"):
        yield "Golden queries", f"- ❌ {_told(preview, one)}"
    for one in preview.golden("failed before, too"):
        yield "Golden queries", f"- ⚠️ failed before, too: {_told(preview, one)}"
    for dropped in preview.dropped:
        yield "Golden queries", f"- ⚠️ no longer asked: {code(dropped.query)} for {code(dropped.article)}"
    for change in preview.changes:
        name = f"{change.kind} <code>{_html(change.title)}</code>"
        what = " ".join(code(one, 400) for one in (change.id, change.what) if one)
        yield "Articles", _folded(name, what, preview, change.id, may_be_shown)
    for other in preview.others:
        name = f"<code>{_html(preview.titles[other])}</code>"
        yield "Articles that this branch does not touch", _folded(name, code(other), preview, other, may_be_shown)


def _told(preview: Preview, one: Verdict) -> str:
    first = ", ".join(code(preview.titles[article], 60) for article in one.first) or "nothing"
    why = f" ({code(one.hidden)})" if one.hidden else ""
    return (
        f"{code(one.golden.query)} does not find {code(preview.titles[one.article])} among the first three:"
        f" {ranks(one.before, one.after)}{why}. First now: {first}. `{GOLDEN_FILE}:{one.golden.line}`"
    )


def _folded(name: str, what: str, preview: Preview, article: str, may_be_shown: MayBeShown) -> str:
    """A part that opens on a click. Its first line is HTML, the rest Markdown."""
    effect = preview.effects.get(article, Effect())
    parts = [f"<details><summary>{name}: {summary(effect)}</summary>", what]
    for title, moves in (("Answers now", effect.gained), ("Answers no longer", effect.lost)):
        if moves:
            parts.append(f"{title}\n\n" + "\n".join(_items(preview, moves, may_be_shown)))
    return "\n\n".join([*parts, "</details>"])


def _items(preview: Preview, moves: Sequence[Move], may_be_shown: MayBeShown) -> Iterator[str]:
    shown = [move for move in moves if may_be_shown(move)]
    for move in shown[:_MOST_MOVES]:
        first = f"; first now {code(preview.titles[move.instead], 60)}" if move.instead else ""
        yield f"- {code(move.question.number or move.question.text)} {ranks(move.before, move.after)}{first}"
    if len(shown) > _MOST_MOVES:
        yield f"- {len(shown) - _MOST_MOVES} more"
    if len(moves) > len(shown):
        yield f"- {count(len(moves) - len(shown), 'search', 'searches')} of the desk, not shown here"


def _html(text: str) -> str:
    return escape(plain(text))


def _length(text: str) -> int:
    """As those programs count that take a letter beyond 16 bits for two."""
    return len(text.encode("utf-16-le")) // 2
