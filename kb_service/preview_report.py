"""A preview told in a terminal, and the words that its Markdown says, too."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.markup import escape

from kb_service.answering import Effect, Move, Place, Verdict
from kb_service.article_changes import ChangeKind
from kb_service.demand import SEARCH_DAYS
from kb_service.golden import GOLDEN_FILE
from kb_service.preview import Preview

_MOST_MOVES = 10
_MOST_LETTERS = 160
_KINDS: dict[ChangeKind, str] = {
    "added": "[green]added[/green]",
    "changed": "changed",
    "renamed": "renamed",
    "deleted": "[red]deleted[/red]",
}


def text_lines(preview: Preview) -> Iterator[str]:
    """The lines for a person at the desk, in rich's markup: what incidents say, and searches as they were typed."""
    yield f"Compared with {escape(plain(preview.base.name))} at {preview.base.commit[:12]}: {changed(preview)}."
    yield from (f"[red]refused[/red] {escape(plain(str(one), 400))}" for one in preview.refused)
    yield from (f"[red]wrong[/red] {escape(plain(str(one), 400))}" for one in preview.problems)
    for one in preview.golden("broken"):
        yield f"[red]broken[/red] {escape(told(one))}"
    for one in preview.golden("failed before, too"):
        yield f"[yellow]failed before, too[/yellow] {escape(told(one))}"
    for dropped in preview.dropped:
        said = f"{quoted(dropped.query)} for {plain(dropped.article)}"
        yield f"[yellow]no longer asked[/yellow] {escape(said)}"
    for change in preview.changes:
        yield f"\n{_KINDS[change.kind]} [bold]{escape(plain(change.title))}[/bold]  [cyan]{escape(change.id)}[/cyan]"
        if change.what:
            yield f"   {escape(plain(change.what, 400))}"
        yield from _effect_lines(preview, preview.effects.get(change.id, Effect()))
    if preview.others:
        yield "\n[bold]Articles that this branch does not touch[/bold]"
    for article in preview.others:
        yield f"{escape(plain(preview.titles[article]))}  [cyan]{escape(article)}[/cyan]"
        yield from _effect_lines(preview, preview.effects[article])
    yield f"\n[{'red' if preview.fails else 'green'}]{escape(conclusion(preview))}[/]"
    yield f"[dim]{looked_at(preview)}[/dim]"


def changed(preview: Preview) -> str:
    """What the branch does to the content, in numbers."""
    kinds = Counter(change.kind for change in preview.changes)
    counts = [f"{kinds[kind]:,} {kind}" for kind in _KINDS if kinds[kind]]
    if counts:
        counts = [f"articles: {', '.join(counts)}"]
    if preview.added:
        counts.append(f"{queries(preview.added)} new")
    if preview.dropped:
        counts.append(f"{queries(len(preview.dropped))} no longer asked for")
    return "; ".join(counts) or "nothing changes for readers"


def conclusion(preview: Preview) -> str:
    """Whether it may be merged, and if not, why."""
    wrong = [
        count(len({one.path for one in preview.refused}), "refused file") if preview.refused else "",
        f"{count(len(preview.problems), 'fault')} in {GOLDEN_FILE}" if preview.problems else "",
        f"{queries(len(preview.golden('broken')))} broken" if preview.golden("broken") else "",
    ]
    if preview.fails:
        return f"Fails: {', '.join(filter(None, wrong))}"
    held = len(preview.golden("held"))
    return f"Passes: {held} of {queries(preview.looked.golden)} hold" if preview.looked.golden else "Passes"


def told(one: Verdict) -> str:
    """A golden query that does not find its article, in a sentence."""
    line = f"{GOLDEN_FILE}:{one.golden.line}: {quoted(one.golden.query)} does not find {plain(one.article)}"
    first = ", ".join(plain(article) for article in one.first) or "nothing"
    why = f"; {one.hidden}" if one.hidden else ""
    return f"{line} among the first three: {ranks(one.before, one.after)}{why}; first now: {first}"


def looked_at(preview: Preview) -> str:
    """What the preview rests on, and how long it took."""
    looked = preview.looked
    said = [queries(looked.golden)]
    if looked.of_incidents:
        kind = "sample incident" if looked.is_sample else "incident"
        said.append(f"the latest {looked.incidents:,} of {count(looked.of_incidents, kind)}")
    if looked.searches:
        said.append(f"{count(looked.searches, 'search', 'searches')} of the last {SEARCH_DAYS} days")
    if preview.changes and not (looked.incidents or looked.searches):
        said.append("no record of a desk")
    return f"Asked: {', '.join(said)}; {looked.seconds} s"


def summary(effect: Effect) -> str:
    """What an article answers, in numbers."""
    moved = [f"{number} {how}" for number, how in ((effect.higher, "higher"), (effect.lower, "lower")) if number]
    among = f" ({', '.join(moved)})" if moved else ""
    parts = [
        f"{len(effect.gained)} more" if effect.gained else "",
        f"{len(effect.lost)} fewer" if effect.lost else "",
        f"{effect.kept} as before{among}" if effect.kept else "",
    ]
    return f"answers {', '.join(filter(None, parts)) or 'none of what was asked'}"


def ranks(before: Place | None, after: Place | None) -> str:
    """An article's rank and confidence before and after."""
    return " → ".join("none" if place is None else str(place) for place in (before, after))


def asked(move: Move) -> str:
    """A question as the desk knows it."""
    question = move.question
    if question.kind == "incident":
        return f"{question.number} {plain(question.text.partition(chr(10))[0])}"
    often = f", searched {question.times} times" if question.times > 1 else ""
    return f"{quoted(question.text)}{often if question.kind == 'search' else ', golden'}"


def plain(text: str, most: int = _MOST_LETTERS) -> str:
    """A text of somebody else's on one line: without control characters, and not too long."""
    said = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return said if len(said) <= most else f"{said[: most - 1]}…"


def quoted(text: str) -> str:
    return f"'{plain(text)}'"


def count(number: int, one: str, several: str = "") -> str:
    """A number with its noun; ``several`` where that is not ``one`` with an s."""
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"


def queries(number: int) -> str:
    return count(number, "golden query", "golden queries")


def _effect_lines(preview: Preview, effect: Effect) -> Iterator[str]:
    yield f"   {summary(effect)}"
    for sign, moves in (("[green]+[/green]", effect.gained), ("[red]-[/red]", effect.lost)):
        for move in moves[:_MOST_MOVES]:
            now = f"; first now: {plain(preview.titles[move.instead])}" if move.instead else ""
            yield f"   {sign} {escape(asked(move))}  [dim]{ranks(move.before, move.after)}{escape(now)}[/dim]"
        if len(moves) > _MOST_MOVES:
            yield f"     and {len(moves) - _MOST_MOVES} more"


def as_json(preview: Preview) -> dict[str, Any]:
    """The contract of ``kb preview --json``; for the desk itself, as it holds what searchers typed."""
    return {
        "base": asdict(preview.base),
        "fails": preview.fails,
        "changes_nothing": preview.changes_nothing,
        "refused": [asdict(one) for one in preview.refused],
        "problems": [asdict(one) for one in preview.problems],
        "golden": [asdict(one) for one in preview.verdicts],
        "no_longer_asked": [asdict(one) for one in preview.dropped],
        "changes": [
            {**asdict(change), **asdict(preview.effects.get(change.id, Effect()))} for change in preview.changes
        ],
        "others": [{"id": one, "title": preview.titles[one], **asdict(preview.effects[one])} for one in preview.others],
        "looked_at": asdict(preview.looked),
    }
