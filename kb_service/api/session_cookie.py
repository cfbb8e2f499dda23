"""The cookie of a browser's session: its name and what it is bound to.

Over TLS its name begins so that browsers take it from this host alone, and from no page that is not encrypted
(``__Host-``; ``__Secure-`` where the service lies below a path; RFC 6265bis, 4.1.3).
"""

from fastapi import Request
from fastapi.responses import Response

from kb_service.settings import Settings

_NAME = "kb_session"


def own_address(request: Request) -> str:
    """The service's own address as people use it, without a slash at its end."""
    return _settings(request).url or str(request.base_url).rstrip("/")


def cookie_of(request: Request) -> str | None:
    """What the cookie holds; None where there is none."""
    return request.cookies.get(_name(request)) or None


def set_cookie(request: Request, response: Response, value: str, seconds: int) -> None:
    """For so long."""
    response.set_cookie(
        _name(request),
        value,
        max_age=seconds,
        path=_path(request),
        httponly=True,
        samesite="lax",
        secure=_is_secure(request),
    )


def delete_cookie(request: Request, response: Response) -> None:
    response.delete_cookie(
        _name(request), path=_path(request), httponly=True, samesite="lax", secure=_is_secure(request)
    )


def _name(request: Request) -> str:
    if not _is_secure(request):
        return _NAME
    return f"__Host-{_NAME}" if _path(request) == "/" else f"__Secure-{_NAME}"


def _is_secure(request: Request) -> bool:
    return own_address(request).startswith("https:")


def _path(request: Request) -> str:
    return _settings(request).root or "/"


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.knowledge_base.settings
    return settings
