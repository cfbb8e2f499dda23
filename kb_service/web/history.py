"""Pages of an article's past: its revisions, and what changed between two of them."""

import re
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from kb_service.api.caller import Base, CallerSight
from kb_service.past import Difference
from kb_service.web.page import page

router = APIRouter(include_in_schema=False)

_MOST_REVISIONS = 200
# A longer difference is read with git
_MOST_LINES = 5_000
# "@@ -26,7 +26,7 @@", and what git takes for the function
_PLACE = re.compile(r"@@ -[\d,]+ \+(\d+)[\d,]* @@")
When = Annotated[str | None, Query(max_length=64)]


@router.get("/history/{id:path}")
def history_page(request: Request, base: Base, sight: CallerSight, id: str) -> Response:
    """The revisions of an article, the newest first."""
    past = base.past()
    listed, complete = past.revisions(id, sight)
    live = base.searcher.article(id, sight)
    context = {
        "id": live.id if live else id,
        "title": live.title if live else id,
        "revisions": listed[:_MOST_REVISIONS],
        "total": len(listed),
        "more": len(listed) > _MOST_REVISIONS,
        "complete": complete,
        "within": sight.within,
    }
    return page(request, "history.html", context)


@router.get("/diff/{id:path}")
def diff_page(
    request: Request,
    base: Base,
    sight: CallerSight,
    id: str,
    from_: Annotated[When, Query(alias="from")] = None,
    to: When = None,
) -> Response:
    """What changed; from the revision before the last to the last, unless said otherwise."""
    found = base.past().difference(id, from_, to, sight)
    return page(request, "diff.html", {"found": found, "lines": _lines(found)})


def _lines(found: Difference) -> list[tuple[str, str]]:
    """Each line of the unified diff with what it is; the names of the files are said above it."""
    kinds = {"+": "added", "-": "removed", "@": "place", "\\": "place"}
    told = [line for line in found.diff.split("\n") if line]
    return [
        (kinds.get(line[0], "same"), f"Line {place[1]}" if (place := _PLACE.match(line)) else line[1:])
        for line in told[:_MOST_LINES]
    ]
