"""From where a request comes: the host name that it asks by, and the site whose page sends it.

A page of another site can reach a service on loopback too, by a host name of its own that leads there (DNS rebinding);
then the ``Host`` header gives it away. Browsers say in ``Origin`` whose page sends a request (RFC 6454, 7).
"""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from indexer.errors import KnowledgeBaseError
from kb_service.setting_values import is_loopback
from kb_service.settings import Settings

_HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s\[\]:/?#@\\]+)(:[0-9]{0,5})?")


class ForeignHostError(KnowledgeBaseError):
    """The request asks by a host name that is not the service's."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"The host name '{host}' is not answered here" if host else "The request names no host",
            "Ask by the service's own name; KB_HOSTS lists further ones",
        )


class ForeignOriginError(KnowledgeBaseError):
    """A page of another site sends it, without a key that allows that."""

    def __init__(self, origin: str) -> None:
        super().__init__(
            f"A page of {origin} may not change anything here",
            "Use a key made for it: kb keys create --role requester --origins URL",
        )


class Origins:
    """What is the service's own, by its settings."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.origin or None
        named = {one.strip().casefold() for one in settings.hosts.split(",")} - {""}
        if settings.url:
            named.add(urlsplit(settings.url).hostname or "")
        self._loopback = settings.is_loopback
        self._hosts = frozenset(named | ({settings.host.casefold(), "localhost"} if self._loopback else set()))
        self._any = not self._loopback and not settings.hosts

    def check_host(self, header: str) -> None:
        """Raises ForeignHostError."""
        host = _name(header)
        if self._any or host in self._hosts or (self._loopback and is_loopback(host)):
            return
        raise ForeignHostError(header)

    def of_other_site(self, headers: Mapping[str, str], scheme: str) -> str | None:
        """The origin of another site's page that sends the request; None where it is ours, or no page's.

        Behind a proxy that ends TLS the scheme may be another one than the browser's: the host decides then.
        """
        origin = headers.get("origin")
        if origin is None or origin == self._url:
            return None
        host = headers.get("host", "").casefold()
        try:
            parts = urlsplit(origin)
        except ValueError:
            return origin
        return None if parts.netloc.casefold() == host and parts.scheme in {scheme, "https"} else origin


def _name(header: str) -> str:
    """The host of a ``Host`` header, without its port; empty where it is not written as one (RFC 9110, 7.2)."""
    found = _HOST.fullmatch(header)
    return found["host"].strip("[]").casefold() if found else ""
