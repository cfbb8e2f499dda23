"""What every page has: its templates, the policy that keeps it safe, who is signed in, and where else one may go."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, StreamingResponse
from fastapi.templating import Jinja2Templates
from markupsafe import Markup

from kb_service.access import Role
from kb_service.failures import UNFORESEEN
from kb_service.plain_text import plain_text

_log = logging.getLogger("kb.service")
_TAG = re.compile(r"<[a-z][^>]*>")
_ADDRESS = re.compile(r"""(\s(?:href|src|poster)=")/(?!/)""")
# What is escaped cannot be taken for it
_LATE = Markup("<late>")
TEMPLATES = Jinja2Templates(Path(__file__).parent.parent / "templates")
# Nothing from elsewhere, nothing that stands in a page itself
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; media-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Any proxy takes an address with a text of this length; static/long.js makes one of what is longer
MOST_IN_ADDRESS = 1_500
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


TEMPLATES.env.filters["plain"] = plain_text
TEMPLATES.env.globals.update(pages=_PAGES, duties=_DUTIES, day=_day, minute=_minute)


def page(request: Request, template: str, context: Mapping[str, Any], status: int = 200) -> HTMLResponse:
    """A page with the headers that belong to it."""
    return HTMLResponse(_rendered(request, template, context), status, _headers(request))


def page_in_parts(
    request: Request, template: str, context: Mapping[str, Any], part: str, late: Callable[[], Mapping[str, Any]]
) -> StreamingResponse:
    """A page whose head is seen while something in it is still looked for.

    The template says ``{{ late }}`` where the template ``part`` belongs, whose context ``late`` gives.
    """
    head, tail = _rendered(request, template, {**context, "late": _LATE}).split(_LATE)

    def parts() -> Iterator[str]:
        yield head
        try:
            yield _rendered(request, part, late())
        except Exception as error:
            # That all is well is said already: that it is not can only be told in its place
            said = request.app.state.failures.attend(error)
            if said is None:
                _log.exception("a part of %s failed", request.url.path)
            yield f'<p class="banner bad" role="alert">{said or UNFORESEEN}</p>'
        yield tail

    # A proxy (nginx for one) would keep the head until the rest is there
    return StreamingResponse(parts(), 200, {**_headers(request), "X-Accel-Buffering": "no"}, "text/html")


def _rendered(request: Request, template: str, context: Mapping[str, Any]) -> str:
    session = request.state.session
    told = {
        "caller": request.state.caller,
        "token": session.token if session else "",
        "root": root_of(request),
        **context,
    }
    return TEMPLATES.get_template(template).render(request=request, **told)


def root_of(request: Request) -> str:
    """What stands before every path in a page; empty where the service has its host for itself."""
    root: str = request.app.state.knowledge_base.settings.root
    return root


def below(root: str, html: str) -> str:
    """Clean HTML, whose addresses begin at the service's own root, for a page of a service that lies below another."""
    return _TAG.sub(lambda tag: _ADDRESS.sub(rf"\1{root}/", tag[0]), html) if root else html


def _headers(request: Request) -> dict[str, str]:
    headers = {"Content-Security-Policy": POLICY}
    if request.state.session:
        # The next one at a shared screen must not see by "Back" what was signed out of
        headers["Cache-Control"] = "no-store"
    return headers
