"""How often may one ask: counted by key and by address, in this process, over a window that slides (``limits``)."""

import ipaddress
import time
from dataclasses import dataclass

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from indexer.errors import KnowledgeBaseError


class TooManyRequestsError(KnowledgeBaseError):
    """Asked more often than may be; ``name`` says by which of the rates, ``seconds`` until there is room again."""

    def __init__(self, name: str, what: str, limit: str, seconds: int) -> None:
        super().__init__(f"Too many requests: {what} may ask {limit}", f"Try again in {seconds} s")
        self.name, self.seconds = name, seconds


@dataclass(frozen=True, slots=True)
class Rates:
    """So many requests of one key, of one address, and with credentials that are not known, from one address.

    Each as in ``600/minute``; empty: as many as one likes.
    """

    key: str = ""
    address: str = ""
    refused: str = ""


class RateLimiter:
    """Counts what was asked. One serves all threads."""

    def __init__(self, rates: Rates) -> None:
        """Raises ValueError for what is no rate."""
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._limits = {name: _parsed(getattr(rates, name)) for name in ("key", "address", "refused")}

    def take_key(self, key_id: str) -> None:
        """A request of a key. Raises TooManyRequestsError."""
        self._take("key", key_id, "this key")

    def take_shared_key(self, key_id: str, address: str) -> None:
        """A request of a key that many have, each at another address. Raises TooManyRequestsError."""
        self._take("key", f"{key_id} {_counted(address)}", "this key, from one address,")

    def take_address(self, address: str) -> None:
        """A request from an address. Raises TooManyRequestsError."""
        self._take("address", _counted(address), "this address")

    def take_refused(self, address: str) -> None:
        """A request from an address with credentials that are not known. Raises TooManyRequestsError."""
        self._take("refused", _counted(address), "with credentials that are not known, this address")

    def _take(self, name: str, who: str, what: str) -> None:
        limit = self._limits[name]
        if limit is not None and not self._limiter.hit(limit, name, who):
            window = self._limiter.get_window_stats(limit, name, who)
            seconds = max(1, round(window.reset_time - time.time()))
            raise TooManyRequestsError(name, what, str(limit), seconds)


def _parsed(rate: str) -> RateLimitItem | None:
    return parse(rate) if rate else None


def _counted(address: str) -> str:
    """An address as it counts: of IPv6 the network, of which one household has all addresses."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((parsed, 64), strict=False))
    return address
