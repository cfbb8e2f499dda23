"""The widget that any ticket form can have, and a form to try it on."""

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response

from kb_service.api.caller import Who
from kb_service.api.session_cookie import own_address
from kb_service.web.files import FOLDER
from kb_service.web.page import page

router = APIRouter(include_in_schema=False)

# Any site may load it: it is the same for everybody, and what it asks for is looked at by itself
_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Cache-Control": "public, max-age=600",
}


@router.get("/widget.js")
def widget() -> Response:
    """The script of ``<kb-suggest>``."""
    return FileResponse(FOLDER / "widget.js", media_type="text/javascript", headers=_HEADERS)


@router.get("/demo/ticket")
def ticket_form(request: Request, who: Who) -> Response:
    """A form of a portal, that sends nothing anywhere."""
    return page(
        request, "ticket.html", {"caller": who, "sent": "sent" in request.query_params, "address": own_address(request)}
    )
