"""The files of the pages: the same for everybody, and asked for again each time whether they have changed."""

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles

from kb_service.web.page import FILE_HEADERS

router = APIRouter(include_in_schema=False)
FOLDER = Path(__file__).parent.parent / "static"


class Files(StaticFiles):
    """Else a browser would go on with those of the version before for as long as it guesses."""

    async def get_response(self, path: str, scope: MutableMapping[str, Any]) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update({"Cache-Control": "no-cache", **FILE_HEADERS})
        return response


@router.get("/favicon.ico")
def favicon() -> Response:
    """What is shown beside the address of what is no page, such as the API's description."""
    return RedirectResponse("/static/favicon.svg", 308, FILE_HEADERS)
