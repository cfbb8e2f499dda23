"""The service itself: does one answer, is it ready, and if not, is its port free."""

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

from kb_service.diagnosis import Case, Diagnosis
from kb_service.setting_values import listed

_NAME = "service"
_SECONDS = 3.0
_EVERY = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (named, not listened on)


def service(case: Case) -> Iterator[Diagnosis]:
    """Ask what listens where the settings say that the service does."""
    settings = case.settings
    if not settings.port:
        yield Diagnosis(_NAME, "ok", "KB_PORT is 0, so that where it listens is not known")
        return
    host = _EVERY.get(settings.host, settings.host)
    where = f"{host}:{settings.port}"
    # The service answers to its own names only
    names = (*listed(settings.hosts), urlsplit(settings.url).hostname, host)
    name = next(filter(None, names))
    elsewhere = "If the service is to run there, end that program; else name another port by --port or KB_PORT"
    try:
        status, body = _get(host, settings.port, "/healthz", name)
    except ConnectionRefusedError:
        yield Diagnosis(_NAME, "ok", f"none answers on {where}, the port is free")
        return
    except TimeoutError:
        said = f"what listens on {where} does not answer within {_SECONDS:.0f} s"
        yield Diagnosis(_NAME, "error", said, "If it is the service, look at its log and start it again")
        return
    except (OSError, http.client.HTTPException) as error:
        # A host that is not this machine's, or a program that speaks otherwise
        yield Diagnosis(_NAME, "error", f"on {where} no service can listen or be asked: {error}", elsewhere)
        return
    if (status, body) != (200, {"status": "ok"}):
        yield Diagnosis(_NAME, "error", f"another program answers on {where}", elsewhere)
        return
    status, body = _get(host, settings.port, "/readyz", name)
    told = body if isinstance(body, dict) else {}
    if status != 200:
        said = f"it answers on {where}, but is not ready: {told.get('detail') or told.get('title') or status}"
        yield Diagnosis(_NAME, "error", said, "Look at its log")
    elif told.get("failure"):
        yield Diagnosis(
            _NAME, "error", f"it answers on {where}, but does not publish: {told['failure']}", "Look at its log"
        )
    else:
        yield Diagnosis(_NAME, "ok", f"it answers on {where} and is ready")


def _get(host: str, port: int, path: str, name: str) -> tuple[int, Any]:
    """Status and JSON of an answer by what calls itself by that name. Raises OSError, HTTPException."""
    with closing(http.client.HTTPConnection(host, port, timeout=_SECONDS)) as connection:
        connection.request("GET", path, headers={"Host": f"[{name}]" if ":" in name else name})
        answer = connection.getresponse()
        try:
            return answer.status, json.loads(answer.read(100_000))
        except ValueError:
            return answer.status, None
