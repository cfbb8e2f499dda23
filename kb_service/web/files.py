"""Files: those of the pages, the same for everybody, and how pictures and videos are given out."""

import re
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles

router = APIRouter(include_in_schema=False)
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
FOLDER = Path(__file__).parent.parent / "static"


class Files(StaticFiles):
    """Else a browser would go on with those of the version before for as long as it guesses."""

    async def get_response(self, path: str, scope: MutableMapping[str, Any]) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


@router.get("/favicon.ico")
def favicon() -> Response:
    """What is shown beside the address of what is no page, such as the API's description."""
    return RedirectResponse("/static/favicon.svg", 308)


def ranged(data: bytes, kind: str, wanted: str) -> Response:
    """The whole, or the one range that a player asks for (RFC 9110, 14); several at once get the whole."""
    given = {"Accept-Ranges": "bytes"}
    found = _RANGE.fullmatch(wanted.strip())
    if found is None or not (found[1] or found[2]):
        return Response(data, media_type=kind, headers=given)
    start = int(found[1]) if found[1] else max(0, len(data) - int(found[2]))
    end = min(int(found[2]) + 1, len(data)) if found[1] and found[2] else len(data)
    if start >= end:
        return Response(status_code=416, headers={**given, "Content-Range": f"bytes */{len(data)}"})
    given["Content-Range"] = f"bytes {start}-{end - 1}/{len(data)}"
    return Response(data[start:end], 206, given, kind)
