"""How the command talks to a person: consoles, a progress bar, hits in a few lines."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from html import unescape
from itertools import cycle
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from kb_service.confidence import Confidence, in_percent
from kb_service.hits import Hit
from kb_service.ranking import BONUSES, LANE_OF, LANES
from kb_service.results import Ranking

out = Console(highlight=False, soft_wrap=True)
# So wide that no figure of a table is cut, whatever the terminal; text wraps by itself
out.width = max(out.width, 100)
err = Console(stderr=True, highlight=False, soft_wrap=True)
_DOING = {"read": "Reading", "encode": "Encoding", "ask": "Asking", "import": "Importing"}
_MARK = re.compile("</?mark>")
SHAPES: Mapping[Confidence, str] = {"strong": "●", "medium": "◐", "weak": "○"}


class Bar:
    """A progress bar with counts and an estimate, on standard error and only where somebody looks."""

    def __init__(self, *, hidden: bool = False) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=err, transient=True, disable=hidden or not err.is_terminal)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "Bar":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, what: str, done: int, of: int) -> None:
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(_DOING[what], total=of)
        self._progress.update(self._tasks[what], completed=done, total=of)


def print_json(value: Any) -> None:
    say(json.dumps(value, ensure_ascii=False, indent=2))


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


def print_hit(place: int, hit: Hit) -> None:
    shape = SHAPES[hit.confidence]
    section = " > ".join(hit.passage.heading_path[1:]) if hit.passage else ""
    out.print(f"{place:2}. {shape} [bold]{escape(hit.title)}[/bold]  [dim]{hit.type} · {hit.confidence}[/dim]")
    out.print(f"    [cyan]{escape(hit.id)}{'#' + hit.anchor if hit.anchor else ''}[/cyan]  {escape(section)}")
    if hit.snippet:
        # No markup of the terminal's: behind a backslash, as in a path of Windows, it would be none
        pieces = map(unescape, _MARK.split(hit.snippet))
        out.print(Text.assemble("    ", *zip(pieces, cycle(["", "bold yellow"]))))
    out.print(f"    [dim]{escape('; '.join(reason.text for reason in hit.reasons))}[/dim]")


def print_lanes(hits: Sequence[Hit], ranking: Ranking) -> None:
    """Of each hit its place in each lane alone and what the lane adds to its score; how likely it answers."""
    places = {
        lane: {owner_id: f"{place}." for place, owner_id in enumerate(ranking.alone(lane).ids, 1)} for lane in LANES
    }
    table = Table(title="What the lanes say: the place in each alone, and what it adds", title_justify="left")
    given = [name for name in BONUSES if any(name in hit.parts for hit in hits)]
    for head in ("", *LANES, *given, "score", "answers"):
        table.add_column(head, justify="right")
    for number, hit in enumerate(hits, 1):
        adds = {lane: sum(value for name, value in hit.parts.items() if LANE_OF.get(name) == lane) for lane in LANES}
        by_lane = (f"{places[lane].get(hit.id, '–'):4}{adds[lane]:5.2f}" for lane in LANES)
        bonuses = (f"{hit.parts[name]:.2f}" if name in hit.parts else "" for name in given)
        table.add_row(str(number), *by_lane, *bonuses, f"{hit.score:.2f}", in_percent(hit.probability))
    out.print(table)
    out.print(f"[dim]The words of this query are taken at {ranking.trust:.0%}.[/dim]")
