"""What somebody wrote into a form that was not taken, so that it can be copied, and the page that it was written on."""

from collections.abc import Iterable
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from kb_service.page_sessions import wanted_page
from kb_service.web.forms import OF_ARTICLE
from kb_service.web.page import root_of

_WRITTEN = frozenset({"text", "comment", "service", "number"})


def written_in(fields: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """What a person wrote, by the names of the fields."""
    of_person = (one for one in fields if one[0] in _WRITTEN or one[0].startswith(OF_ARTICLE))
    return [(name.removeprefix(OF_ARTICLE), said) for name, said in of_person if said.strip()]


def sent_by(request: Request, body: bytes) -> list[tuple[str, str]]:
    """The same of a request's body; nothing where that is no form."""
    kind = request.headers.get("content-type", "")
    is_form = request.method == "POST" and kind.startswith("application/x-www-form-urlencoded")
    return written_in(parse_qsl(body.decode("utf-8", "replace"))) if is_form else []


def came_from(request: Request) -> str:
    """The page of ours that a form stood on, "/" where nobody says so."""
    try:
        before = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return "/"
    if before.netloc != request.headers.get("host"):
        return "/"
    path = before.path.removeprefix(root_of(request))
    # Who comes from signing in is on the way to somewhere else
    return "/" if path.startswith("/login") else wanted_page(path + (f"?{before.query}" if before.query else ""))
