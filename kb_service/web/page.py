"""What every page has: its templates, the headers that keep it safe, who is signed in, and where else one may go."""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates
from markupsafe import Markup

from kb_service.access import Role

TEMPLATES = Jinja2Templates(Path(__file__).parent.parent / "templates")
# Nothing from elsewhere, nothing that stands in a page itself
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; media-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# What is not a page runs nothing at all
_NO_POLICY = "default-src 'none'; frame-ancestors 'none'"
_PAGES: tuple[tuple[str, str, str, Role], ...] = (
    ("Triage", "/triage", "t", "agent"),
    ("Incidents", "/incidents", "i", "agent"),
    ("Glossary", "/glossary", "l", "requester"),
    ("Publishing", "/publishing", "p", "author"),
)
_DUTIES: Mapping[Role, str] = {
    "requester": "Reads what is public.",
    "agent": "Reads what is internal too, triages, and works on incidents.",
    "author": "Does what an agent does, and sees what was published, what was refused and what is asked for.",
    "admin": "Does what an author does, and sees how the service does.",
}


def _day(at: date) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat()[:10], at.isoformat()[:10])


def _minute(at: datetime) -> Markup:
    return Markup('<time datetime="{}">{:%Y-%m-%d %H:%M} UTC</time>').format(at.isoformat(), at)


TEMPLATES.env.globals.update(pages=_PAGES, duties=_DUTIES, day=_day, minute=_minute)


def page(request: Request, template: str, context: Mapping[str, Any], status: int = 200) -> HTMLResponse:
    """A page with the headers that belong to it."""
    headers = {"Content-Security-Policy": _POLICY, **_HEADERS}
    session = request.state.session
    if session:
        # The next one at a shared screen must not see by "Back" what was signed out of
        headers["Cache-Control"] = "no-store"
    told = {"caller": request.state.caller, "token": session.token if session else "", **context}
    return TEMPLATES.TemplateResponse(request, template, told, status, headers)


_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
FILE_HEADERS = {"Content-Security-Policy": _NO_POLICY, **_HEADERS}
