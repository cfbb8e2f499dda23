"""The page of one's own sign-ins, each of which can be ended from there."""

from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from kb_service.api.caller import Base, Who
from kb_service.page_sessions import PageSession
from kb_service.signed_in import end_session, mark_of, sessions_of
from kb_service.web.forms import MOST_SHORT_FORM_BYTES, Form
from kb_service.web.page import page

router = APIRouter(include_in_schema=False)


@router.get("/sessions")
def sessions_page(request: Request, base: Base, who: Who, *, tried: bool = False) -> Response:
    """Every browser that the caller is signed in by; ``tried`` is who comes back from signing in once more."""
    session: PageSession | None = request.state.session
    lasts = timedelta(seconds=request.app.state.sessions.seconds)
    found = sessions_of(base.desk, who.id, datetime.now(UTC) - lasts) if who.is_somebody else []
    context = {
        "caller": who,
        "sessions": found,
        "own": mark_of(session.id) if session is not None else "",
        "is_by_key": who.id.startswith("key:"),
        "is_fresh": session is not None and session.is_fresh,
        "tried": tried,
    }
    return page(request, "sessions.html", context)


@router.post("/sessions", max_body_size=MOST_SHORT_FORM_BYTES)
def sign_one_out(request: Request, base: Base, who: Who, fields: Form) -> Response:
    """End one of the caller's sessions; one's own leads to the sign-in by itself.

    Another only by who proved lately who they are, so that whoever found a browser open cannot.
    """
    session: PageSession | None = request.state.session
    mark = fields.get("session", "")
    if session is not None and (session.is_fresh or mark == mark_of(session.id)):
        end_session(base.desk, who.id, mark)
    return RedirectResponse("/sessions", 303)
