"""Links to the rest of the world, asked by ``kb check --external`` and only where anybody may ask.

A name is resolved first, each of its addresses must be public, and the connection goes to that very address, at every
redirect anew: what an author writes must not make the machine that checks it talk to its own network.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal
from urllib.parse import SplitResult, urldefrag, urljoin, urlsplit

from indexer.check_options import Options
from indexer.findings import Example, Fault, Rule
from indexer.library import Library

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Allowed = Callable[[Address], bool]

_MOST_REDIRECTS = 5
_GONE = frozenset({404, 410})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADERS = {"User-Agent": "kb-check", "Accept": "*/*", "Connection": "close"}
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# RFC 2606: names for examples, which nobody has
_EXAMPLES = ("example.com", "example.org", "example.net", "example", "test", "invalid", "localhost")


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of asking an address. ``no such host`` is only sure where the network works at all."""

    outcome: Literal["there", "gone", "no such host", "unknown"]
    why: str = ""


def is_public(address: Address) -> bool:
    """Whether anybody on the internet may have this address; an IPv4 address within an IPv6 one counts, too."""
    inner: Address | None = None
    if isinstance(address, ipaddress.IPv6Address):
        teredo = address.teredo[1] if address.teredo else None
        in_nat64 = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
        inner = address.ipv4_mapped or address.sixtofour or teredo or in_nat64
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
    return address.is_global and not address.is_multicast and (inner is None or is_public(inner))


def find_external(
    library: Library, options: Options, wanted: Collection[str] | None = None, allowed: Allowed = is_public
) -> Iterator[tuple[str, Fault]]:
    """Rule names and faults of links that are gone or could not be asked; ``allowed`` says which addresses may be."""
    links = [
        (article.path, link.line, urldefrag(link.target).url)
        for article in library.articles.values()
        if wanted is None or article.path in wanted
        for link in article.links
        if link.kind != "reference" and link.target.lower().startswith(("http://", "https://"))
    ]
    urls = list(dict.fromkeys(url for _, _, url in links if not _is_skipped(url, options)))
    with ThreadPoolExecutor(options.external_at_once, thread_name_prefix="ask") as threads:
        answers = dict(
            zip(urls, threads.map(lambda url: ask(url, options.external_seconds, allowed), urls), strict=True)
        )
    works = any(answer.outcome in {"there", "gone"} for answer in answers.values())
    for path, line, url in links:
        answer = answers.get(url, Answer("there"))
        if answer.outcome == "gone" or (answer.outcome == "no such host" and works):
            yield (
                BROKEN,
                Fault(path, line, f"{url} leads nowhere: {answer.why}", "Link to where it is now, or take it out"),
            )
        elif answer.outcome != "there":
            yield UNCHECKED, Fault(path, line, f"{url} could not be checked: {answer.why}", "Open it by hand")


def ask(url: str, seconds: float, allowed: Allowed = is_public) -> Answer:
    """Whether an address answers within so many seconds, by HEAD and then by GET, over some redirects.

    No body is read.
    """
    end = time.monotonic() + seconds
    for _ in range(_MOST_REDIRECTS + 1):
        try:
            parts = urlsplit(url)
            if parts.scheme not in {"http", "https"} or not parts.hostname:
                return Answer("unknown", f"it leads to {url[:80]}, which is not asked")
            address = _resolved(parts, allowed)
            if isinstance(address, Answer):
                return address
            status, location = _status(parts, address, end)
            onward = urldefrag(urljoin(url, location)).url if status in _REDIRECTS and location else None
        except ssl.SSLCertVerificationError as error:
            return Answer("unknown", f"its certificate is not accepted ({error.verify_message})")
        except TimeoutError:
            return Answer("unknown", f"no answer within {seconds:g} s")
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Answer("unknown", str(error) or type(error).__name__)
        if onward is not None:
            url = onward
            continue
        if status in _GONE:
            return Answer("gone", f"status {status}")
        return Answer("there") if status < 400 else Answer("unknown", f"status {status}")
    return Answer("unknown", f"over {_MOST_REDIRECTS} redirects")


def _is_skipped(url: str, options: Options) -> bool:
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return False
    named = any(host == name or host.endswith(f".{name}") for name in _EXAMPLES)
    return named or any(fnmatchcase(url, pattern) for pattern in options.external_skip)


def _resolved(parts: SplitResult, allowed: Allowed) -> tuple[str, int] | Answer:
    """The address to connect to, all of a name's being allowed; else why not."""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno == socket.EAI_NONAME:
            return Answer("no such host", f"there is no host {parts.hostname}")
        return Answer("unknown", f"the name {parts.hostname} could not be resolved")
    addresses = [str(address[0]).partition("%")[0] for *_, address in found]
    if not all(allowed(ipaddress.ip_address(address)) for address in addresses):
        return Answer("unknown", f"{parts.hostname} has an address that is not public, which is not asked")
    return addresses[0], port


def _status(parts: SplitResult, address: tuple[str, int], end: float) -> tuple[int, str | None]:
    """The status, and where a redirect leads. HEAD first; where that is refused, GET."""
    status, location = _once("HEAD", parts, address, end)
    return (status, location) if status < 400 else _once("GET", parts, address, end)


def _once(method: str, parts: SplitResult, address: tuple[str, int], end: float) -> tuple[int, str | None]:
    seconds = end - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=seconds)
    connection.sock = socket.create_connection(address, timeout=seconds)
    # A server that sends a letter now and then meets no time-out but this one
    late = threading.Event()
    clock = threading.Timer(end - time.monotonic(), _end, [connection, late])
    clock.daemon = True
    clock.start()
    try:
        if parts.scheme == "https":
            context = ssl.create_default_context()
            secure = context.wrap_socket(connection.sock, server_hostname=parts.hostname, do_handshake_on_connect=False)
            connection.sock = secure
            secure.do_handshake()
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, headers={**_HEADERS, "Host": parts.netloc.rpartition("@")[2]})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Location")
    except (OSError, http.client.HTTPException) as error:
        if late.is_set():
            raise TimeoutError from error
        raise
    finally:
        clock.cancel()
        connection.close()


def _end(connection: http.client.HTTPConnection, late: threading.Event) -> None:
    late.set()
    # The answer may have come at this very moment, and the connection be closed or gone
    with suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)


BROKEN, UNCHECKED = "broken-external-link", "unchecked-external-link"
RULES = (
    Rule(
        BROKEN,
        "error",
        "With `--external`: a link to a page that is gone, or to a host that does not exist.",
        Example("[The manual](https://www.ietf.org/gone)", "[The manual](https://www.ietf.org/)"),
        needs="network",
    ),
    Rule(
        UNCHECKED,
        "note",
        "With `--external`: a link that could not be asked: no network, sign-in, an address that is not public.",
        Example(
            "[The board](http://10.0.0.7/board)", "The board is at `http://10.0.0.7/board`, inside the office only."
        ),
        needs="network",
    ),
)
