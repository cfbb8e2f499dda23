"""The page that says how to use the pages."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from kb_service.api.caller import Who
from kb_service.web.page import page

router = APIRouter(include_in_schema=False)


@router.get("/help")
def help_page(request: Request, who: Who) -> Response:
    """The keys, and how to search."""
    return page(request, "help.html", {"caller": who})
