"""The kinds of values that settings have: what is taken for one, in which form, and what is said of any other."""

import json
import re
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

from kb_service.access import Role
from kb_service.keys import InvalidKeyError, origin_of
from kb_service.secret_files import settings_in

_ROOT = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own, that no other machine reaches."""
    if host.casefold() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def listed(value: str) -> list[str]:
    """What stands between commas."""
    return [part for one in value.split(",") if (part := one.strip())]


def _inside(value: str) -> str:
    if ".." in value.split("/"):
        raise ValueError("a folder inside the repository has no '..'")
    return value.strip("/")


def _no_option(value: str) -> str:
    if value.startswith("-"):
        raise ValueError("a name must not start with '-'")
    return value


def _rate(value: str) -> str:
    from limits import parse_many

    if value in {"", "none"}:
        return ""
    try:
        (rate,) = parse_many(value)
    except ValueError as error:
        raise ValueError("write one rate, as in 600/minute, or none") from error
    if rate.amount < 1:
        raise ValueError("nobody could ask anything: write it as in 600/minute, or none")
    return value


def _networks(value: str) -> str:
    return ",".join(str(ip_network(one, strict=False)) for one in listed(value))


def _host_names(value: str) -> str:
    for one in listed(value):
        if one.count(":") == 1 or not set(one).isdisjoint("/?#@[] "):
            raise ValueError(f"'{one}' is no host name: write it without scheme and port, as in kb.example.org")
    return value


def _address(value: str) -> str:
    if not value:
        return ""
    parts = urlsplit(value.strip())
    root = parts.path.rstrip("/") if parts.netloc else ""
    if not _ROOT.fullmatch(root):
        raise ValueError(f"'{root}' is no path of plain names: write it as in https://portal.example.org/kb")
    try:
        return origin_of(parts._replace(path=parts.path.removeprefix(root)).geturl()) + root
    except InvalidKeyError as error:
        raise ValueError(str(error)) from error


def _from_json(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError as error:
        raise ValueError(f"it is not JSON: {error}") from error


def _readable(value: Path) -> Path:
    settings_in(value)
    return value


FolderInside = Annotated[str, AfterValidator(_inside)]
"""A folder of the repository, without slashes around it."""
GitName = Annotated[str, AfterValidator(_no_option)]
"""What git is given as a name, and may not take for an option."""
Rate = Annotated[str, AfterValidator(_rate)]
"""``600/minute``; empty for none."""
Networks = Annotated[str, AfterValidator(_networks)]
"""Addresses or networks with commas between, each as a network."""
HostNames = Annotated[str, AfterValidator(_host_names)]
"""Names with commas between, without scheme and port."""
Address = Annotated[str, AfterValidator(_address)]
"""Scheme, host, and the path that the service lies below; empty where none is given."""
Roles = Annotated[dict[str, Role], NoDecode, BeforeValidator(_from_json)]
"""A provider's groups as roles of ours, from JSON."""
SecretFiles = Annotated[Path, AfterValidator(_readable)]
"""A folder of files called like settings, all of which can be read."""
