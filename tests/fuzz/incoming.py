"""What other programs send: webhooks of git servers, records of the desk, and files of records."""

import csv
import hashlib
import hmac
import io
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from kb_service.exports import _defused
from kb_service.imports import PRESETS, read_rows
from kb_service.incident import FIELDS, Incident, InvalidIncidentError, incident_of, inconsistencies
from kb_service.incident_rows import fields_of
from kb_service.incidents import Given
from kb_service.ndjson import given_in
from kb_service.record_files import ImportFileError
from kb_service.vocabulary import KINDS, STATES
from kb_service.webhooks import (
    BrokenWebhookError,
    ForeignWebhookError,
    ReplayedWebhookError,
    Replays,
    UnsignedWebhookError,
    Webhook,
    check_repository,
    read_webhook,
)
from tests.conftest import REPOSITORY
from tests.fuzz.mutations import stretched

SECRET = "a long secret"  # noqa: S105
OURS = "https://git.example/acme/kb"
_SIGNED_BY = (("x-hub-signature-256", "sha256="), ("x-gitea-signature", ""), ("x-forgejo-signature", ""))
_ENDINGS = (".csv", ".json", ".jsonl")
_PRESETS = (None, *PRESETS)


def webhooks(data: bytes) -> None:
    """Only what is signed by our secret is read, only what names our repository is followed, and that once."""
    headers, body, is_signed = _sent(data)
    try:
        webhook, key = read_webhook(headers, body, SECRET)
    except UnsignedWebhookError:
        assert not is_signed, headers
        return
    except BrokenWebhookError as error:
        assert is_signed and (isinstance(error.__cause__, RecursionError) or not _is_object(body)), str(error)
        assert str(error).encode("utf-8", "replace")
        return
    assert is_signed, headers
    said = json.loads(body)
    assert isinstance(said, dict)
    assert webhook.ref == (said.get("ref") if isinstance(said.get("ref"), str) else None)
    replays = Replays()
    replays.take(key)
    try:
        replays.take(key)
    except ReplayedWebhookError:
        _is_ours(webhook)
        return
    raise AssertionError("it was taken twice")


def _sent(data: bytes) -> tuple[dict[str, str], bytes, bool]:
    """Headers and body of a request, and whether it is signed: the first bytes say how, and what is wrong with it."""
    how, where, letter = data[:3].ljust(3, b"\0")
    body = data[3:]
    right = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    name, given = "x-gitlab-token", SECRET
    if how % 4 < 3:
        name, given = _SIGNED_BY[how % 4][0], _SIGNED_BY[how % 4][1] + right
    expected = given
    if how & 4:
        at = where % len(given)
        given = given[:at] + chr(letter) + given[at + 1 :]
    if how & 8:
        given = body[:80].decode("latin-1")
    headers = {name: given, "x-github-event": ("push", "ping", "issues", body[:20].decode("latin-1"))[where % 4]}
    if how & 16:
        # What stands in a further header makes nothing right
        headers.setdefault("x-gitlab-token", "no")
        headers["idempotency-key"] = body[:20].decode("latin-1")
    if how & 32:
        del headers[name]
        return headers, body, False
    return headers, body, given == expected


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False


def _is_ours(webhook: Webhook) -> None:
    """It is followed only where one of its names is of our path, and of our host if of any."""
    try:
        check_repository(webhook, OURS)
    except ForeignWebhookError as error:
        assert str(error).encode()
        return
    assert any(_names_ours(name.strip().lower()) for name in webhook.names), webhook.names


def _names_ours(name: str) -> bool:
    """Before our path stands a scheme, who asks, our host and its port, as far as anything does."""
    before = re.fullmatch(r"(.*?)(?:^|[/:])/*acme/kb/*(?:\.git)?/*", name.strip(), re.DOTALL)
    host = before[1].rpartition("://")[2].rpartition("@")[2].partition(":")[0] if before else "of another path"
    return host.strip("/") in {"", "git.example"}


def records(data: bytes) -> None:
    """Each line is a record or says what is wrong; a record is consistent and comes back as it was sent."""
    last = 0
    for line, given in given_in(stretched(data)):
        assert last < line
        last = line
        _is_record_or_refused(given)


def _is_record_or_refused(given: Mapping[str, object] | str) -> Incident | None:
    if isinstance(given, str):
        assert given and given.encode()
        return None
    try:
        record = incident_of(given)
    except InvalidIncidentError as error:
        assert error.problems and str(error).encode()
        return None
    assert record.kind in KINDS and record.state in STATES and not inconsistencies(record)
    said = json.dumps(fields_of(record), ensure_ascii=False, allow_nan=False)
    assert said.encode() and not any("\0" in str(getattr(record, name)) for name in FIELDS)
    assert incident_of(json.loads(said)) == record
    return record


def tables(data: bytes) -> None:
    """A file is read by any preset, line by line, or refused; a record that is exported is the same when it is read."""
    ending, preset = (_ENDINGS[data[0] % 3], _PRESETS[data[0] // 3 % len(_PRESETS)]) if data else (".csv", None)
    path = _folder() / f"records{ending}"
    path.write_bytes(stretched(data[1:]))
    try:
        rows = read_rows(path, preset)
    except ImportFileError as error:
        assert str(error).encode()
        return
    last = 0
    for line, given in rows.given:
        assert last < line
        last = line
        record = _is_record_or_refused(given)
        if record is not None:
            _is_exported_whole(record)


def _is_exported_whole(record: Incident) -> None:
    values = fields_of(record)
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(FIELDS)
    writer.writerow([_defused(values[name]) for name in FIELDS])
    path = _folder() / "exported.csv"
    path.write_text(file.getvalue(), "utf-8", newline="")
    cells = next(iter(list(csv.reader(io.StringIO(file.getvalue(), newline="")))[1:]))
    assert not any(re.match(r"[=+\-@\t\r]", cell) for cell in cells), cells
    given: list[Given] = read_rows(path).given
    assert len(given) == 1 and not isinstance(given[0][1], str), given
    again = incident_of(given[0][1])
    assert {name: getattr(again, name) for name in FIELDS} == {name: getattr(record, name) for name in FIELDS}


@cache
def _folder() -> Path:
    return Path(mkdtemp())


def webhooks_seeds() -> Iterator[bytes]:
    """A push of each server, rightly signed, and of several repositories; the like with a sign that is wrong."""
    named = ({"full_name": "acme/kb"}, {"clone_url": f"{OURS}.git"}, {"ssh_url": "git@git.example:acme/kb.git"},
             {"url": "ssh://git@git.example:2222/acme/kb.git"}, {"full_name": "evil/kb"}, ["acme/kb"])  # fmt: skip
    for number, repository in enumerate(named):
        body = json.dumps({"ref": "refs/heads/main", "repository": repository}).encode()
        for how in range(0, 64, 3):
            yield bytes([how + number % 2, number * 7, 48 + number]) + body
    for body in (b'{"project": {"git_http_url": "/srv/git/acme/kb.git"}}', b"[]", b"", b"\xff", b"[" * 1500, b"NaN"):
        yield b"\3\0\0" + body


@cache
def _sample() -> tuple[bytes, ...]:
    return tuple((REPOSITORY / "kb_service" / "sample.jsonl").read_bytes().split(b"\n")[:300:6])


def records_seeds() -> Iterator[bytes]:
    """Records of the sample, alone, by two and as an array, and such as are hard to read."""
    lines = [line[:600] for line in _sample() if len(line) < 600]
    yield from lines
    yield b"\n".join(lines[:2])
    yield b"[" + b",".join(lines[:2]) + b"]"
    for odd in _ODD:
        yield b'{"number": "INC1", "short_description": "x", ' + odd + b"}"


_ODD = (
    b'"a": {"b": [1e999, NaN, null, true]}',
    b'"extra": {"u_x": 1}',
    b'"opened_at": "2026-01-01T10:00:00+14:00"',
    b'"state": 6, "resolved_at": "2026-01-01"',
    b'"priority": "1 - Critical", "users_affected": "12"',
    b'"known_error": "yes", "parent_incident": "INC2"',
    b'"short_description": "\\u0000\\ud800"',
)


def tables_seeds() -> Iterator[bytes]:
    """Files of each kind with the columns of each preset."""
    for number, names in enumerate(({name: name for name in FIELDS}, *PRESETS.values()), 0):
        said = {"number": "INC1", "short_description": "=1+1", "opened_at": "2026-01-01 10:00:00", "state": "Closed"}
        columns = {names.get(name, name).split(", ")[0]: value for name, value in said.items()}
        rows = [",".join(columns), ",".join(f'"{value}"' for value in columns.values())]
        choice = number * 3
        for text in ("\n".join(rows), "\r\n".join(rows).replace(",", ";"), "\n".join(rows).replace(",", "\t")):
            yield bytes([choice]) + text.encode()
        yield bytes([choice]) + "\n".join(rows).encode("utf-16")
        record = json.dumps(columns)
        yield bytes([choice + 1]) + json.dumps({"result": [columns, columns]}).encode()
        yield bytes([choice + 1]) + json.dumps([{"key": "A-1", "fields": columns}]).encode()
        yield bytes([choice + 2]) + f"{record}\n{record}\n".encode()


WEBHOOKS_WORDS = (
    b'"repository"', b'"project"', b'"full_name"', b'"clone_url"', b'"ssh_url"', b'"url"', b'"ref"', b"acme/kb",
    b".git", b"https://", b"git.example", b"git@", b":2222", b"//", b"evil.example", b"sha256=", b"refs/heads/main",
    b"\\u002f", b"\\ud800", b'{"', b'": "', b'"}', b"null", b"[", b"\xc3\xa9", b"@", b" ", b"\n", b"a long secret",
)  # fmt: skip
RECORDS_WORDS = (
    *(f'"{name}": '.encode() for name in (*FIELDS, "extra", "business_service", "u_x", "articles")), b'"', b", ", b"{",
    b"}", b"[", b"]", b"\n", b"null", b"true", b"1e999", b"NaN", b"-0", b"123456789012345678901234567890", b'"closed"',
    b'"P1"', b'"INC2"', b'"2026-03-14T08:30:00+02:00"', b'"0001-01-01"', b"\\u0000", b"\\ud800", b"\xef\xbb\xbf",
    b"\xc2\x85", b'"2026-03-14"', b'" "', b'"problem"', b'"1 - High"', b"1.5", b"\\r", b"\\u2028",
)  # fmt: skip
TABLES_WORDS = (
    *(name.encode() for name in FIELDS), b"Issue key", b"Custom field (Impact)", b",", b";", b"\t", b'"', b'""', b"\n",
    b"\r\n", b"\r", b"'=", b"=", b"@", b"-1", b"+", b"\xef\xbb\xbf", b"\xff\xfe", b"\0", b"24/Nov/25 5:31 PM",
    b"closed", b"24.11.2025 17:31", b"{", b"[", b'"fields": ', b'"result": ', b"''", b"\xc2\xa0", b"\x1c", b"\x0c",
    b"\xe2\x80\xa8",
)  # fmt: skip
