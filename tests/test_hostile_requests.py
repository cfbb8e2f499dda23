"""Requests that no honest client sends, byte by byte: too large, by another name, of two lengths."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import pytest

from kb_service.slow_clients import MOST_BODY_BYTES
from tests.attacked import JSON, MIB, Attacked, attacked, others, refused, send_all, status_of


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    with attacked(tmp_path_factory.mktemp("attacked"), KB_RATE_ADDRESS="600/minute", KB_RATE_REFUSED="10/hour") as made:
        yield made


# What is too large

ENDPOINTS = [
    ("POST", "/api/feedback", 2 * MIB),
    ("POST", "/api/suggest", 2 * MIB),
    ("PUT", "/api/incidents/INC1", 2 * MIB),
    ("POST", "/api/incidents", 64 * MIB),
    ("POST", "/hooks/git", 25 * MIB),
    ("POST", "/login", 16 * 1024),
]


@pytest.mark.parametrize(("method", "path", "most"), ENDPOINTS)
def test_a_body_that_says_it_is_too_large_is_not_waited_for(
    service: Attacked, method: str, path: str, most: int
) -> None:
    kind = "Content-Type: application/x-ndjson" if path == "/api/incidents" else JSON
    for length in (most + 1, 10**15):
        sent = service.head(f"{method} {path} HTTP/1.1", kind, f"Content-Length: {length}") + b"{"
        assert "too large" in refused(service.raw(sent, "127.0.1.4"), 413)


@pytest.mark.parametrize(("method", "path", "most"), [one for one in ENDPOINTS if one[2] <= 2 * MIB])
def test_a_body_that_does_not_say_how_large_it_is_is_cut_off(
    service: Attacked, method: str, path: str, most: int
) -> None:
    chunk = b"4000\r\n" + b" " * 0x4000 + b"\r\n"
    sent = service.head(f"{method} {path} HTTP/1.1", JSON, "Transfer-Encoding: chunked") + chunk * (most // 0x4000 + 2)
    with others(service, "127.0.2.5"):
        assert "too large" in refused(service.raw(sent, "127.0.1.5"), 413)


PATHS = ["/", "/a/vpn", "/login", "/healthz", "/readyz", "/static/style.css", "/api/me", "/api/search", "/nothing"]


@pytest.mark.parametrize("path", PATHS)
def test_headers_and_parameters_by_the_hundred_are_refused(service: Attacked, path: str) -> None:
    headers, source = [f"X-{number}: 1" for number in range(150)], "127.0.1.6"
    assert "headers" in refused(service.raw(service.head(f"GET {path} HTTP/1.1", *headers), source), 431)
    sent = service.head(f"GET {path}?{'type=a&' * 5000} HTTP/1.1")
    assert "parameters" in refused(service.raw(sent, source), 414)


@pytest.mark.parametrize("begun", [b"GET / HTTP/1.1\r\n", b"GET /" + b"a" * 2 * MIB + b" HTTP/1.1\r\n", b""])
def test_a_head_is_not_read_without_end(service: Attacked, begun: bytes) -> None:
    before = service.memory
    with others(service, "127.0.2.7"), ThreadPoolExecutor(8) as pool:
        for lines in (b"X: y\r\n" * 300_000, b"X: " + b"y" * 3 * MIB, b" folded\r\n" * 100_000):
            sent = begun + lines
            for answers in pool.map(service.raw, [sent] * 8, ["127.0.1.7"] * 8):
                assert not answers or refused(answers, 400, 431)
    grown = service.memory - before
    print(f"memory grew by {grown} MiB")
    assert grown < 100


def test_a_head_of_many_lines_holds_nobody_up(service: Attacked) -> None:
    sent = b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"a:b\r\n" * 180_000 + b"\r\n"
    with others(service, "127.0.2.25"), ThreadPoolExecutor(6) as pool:
        for answers in pool.map(service.raw, [sent] * 12, ["127.0.1.25"] * 12):
            assert not answers or refused(answers, 431)


TOO_MANY_LINES = "The request has too many headers: send fewer."


@pytest.mark.parametrize("lines", [b"X: y\r\n" * 201, b"X: y\r\n" + b" folded\n" * 201, b"a:\n" * 30_000])
def test_a_second_request_is_counted_like_the_first(service: Attacked, lines: bytes) -> None:
    """Whole, and in one read with the first."""
    sent = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\nHost: localhost\r\n" + lines + b"\r\n"
    with others(service, "127.0.2.8"):
        answers = service.raw(sent, "127.0.1.8")
    assert status_of(answers[0]) == 200
    assert refused(answers[1:], 431) == TOO_MANY_LINES


def test_a_request_is_not_counted_together_with_the_one_before(service: Attacked) -> None:
    one = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 90
    answers = service.raw((one + b"\r\n") * 4 + one + b"Connection: close\r\n\r\n", "127.0.1.8")
    assert [status_of(answer) for answer in answers] == [200] * 5


@pytest.mark.parametrize("ends", [b"\r\n", b""])
def test_lines_behind_a_body_in_chunks_are_counted_and_hold_nobody_up(service: Attacked, ends: bytes) -> None:
    head = service.head("POST /api/suggest HTTP/1.1", JSON, "Transfer-Encoding: chunked")
    sent = head + b"2\r\n{}\r\n0\r\n" + b"a:\r\n" * 240_000 + ends
    with others(service, "127.0.2.26", 0.4), ThreadPoolExecutor(4) as pool:
        for answers in pool.map(service.raw, [sent] * 12, ["127.0.1.26"] * 12):
            assert not answers or refused(answers, 431) == TOO_MANY_LINES


def test_a_few_lines_behind_a_body_in_chunks_are_taken(service: Attacked) -> None:
    head = service.head("POST /api/suggest HTTP/1.1", JSON, "Transfer-Encoding: chunked")
    text = json.dumps({"text": "the wombat client does not start"}).encode()
    sent = head + b"%x\r\n%s\r\n0\r\n" % (len(text), text) + b"a: b\r\n" * 20 + b"\r\n"
    (answer,) = service.raw(sent, "127.0.1.26")
    assert status_of(answer) == 200, answer


def test_everything_wrong_is_not_answered_by_more_than_was_sent(service: Attacked) -> None:
    with others(service, "127.0.2.9"):
        sent = service.head(f"GET /api/search?q=a{'&type=a' * 990} HTTP/1.1")
        (answer,) = service.raw(sent, "127.0.1.9")
    assert status_of(answer) == 422
    assert len(answer) < len(sent)


def test_a_query_has_so_many_letters(service: Attacked) -> None:
    assert "200000" in refused(
        service.raw(service.head(f"GET /api/search?q={'a' * 200_001} HTTP/1.1"), "127.0.1.9"), 422
    )


def test_a_body_in_crumbs_is_refused_and_holds_nobody_up(service: Attacked) -> None:
    head = service.head("POST /api/feedback HTTP/1.1", JSON, "Transfer-Encoding: chunked")
    with others(service, "127.0.2.10"), ThreadPoolExecutor(4) as pool:
        for answers in pool.map(service.raw, [head + b"1\r\n \r\n" * 500_000] * 4, ["127.0.1.10"] * 4):
            assert "tiny chunks" in refused(answers, 400)


def test_a_body_in_pieces_of_some_size_is_taken(service: Attacked) -> None:
    head = service.head("POST /api/suggest HTTP/1.1", JSON, "Transfer-Encoding: chunked")
    text = json.dumps({"text": "the wombat client does not start"}).encode()
    pieces = [text[:9], *([b" " * 100] * 2000), text[9:]]
    (answer,) = service.raw(
        head + b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in pieces) + b"0\r\n\r\n", "127.0.1.10"
    )
    assert status_of(answer) == 200, answer


@pytest.mark.parametrize(("method", "path", "most"), ENDPOINTS)
def test_a_body_that_breaks_off_is_no_fault_of_the_service(
    service: Attacked, method: str, path: str, most: int
) -> None:
    kind = "Content-Type: application/x-ndjson" if path == "/api/incidents" else JSON
    with closing(service.connection("127.0.1.24")) as one:
        one.sendall(service.head(f"{method} {path} HTTP/1.1", kind, f"Content-Length: {most}") + b"{")
    with service.client("127.0.1.24") as client:
        assert client.get("/healthz").status_code == 200
    assert "Traceback" not in service.log.read_text()


@pytest.mark.long
def test_bodies_that_are_never_ended_take_so_much_memory(service: Attacked) -> None:
    """Thirty pushes of 24 MiB at once, of which no last byte comes: 720 MiB."""
    before, most = service.memory, 0
    head = service.head("POST /hooks/git HTTP/1.1", JSON, f"Content-Length: {24 * MIB}")
    with others(service, "127.0.2.11", 3.0), ExitStack() as held, ThreadPoolExecutor(30) as pool:
        connections = [held.enter_context(closing(service.connection("127.0.1.11"))) for _ in range(30)]
        sending = [pool.submit(send_all, one, head + b" " * (24 * MIB - 1)) for one in connections]
        while not all(one.done() for one in sending):
            most = max(most, service.memory - before)
    print(f"memory grew by at most {most} MiB")
    assert most < 2.5 * MOST_BODY_BYTES / MIB


# By which name

OWN = ["localhost", "localhost:{port}", "LOCALHOST", "127.0.0.1", "127.0.0.1:{port}", "127.8.9.10", "[::1]", "[::1]:80"]
FOREIGN = [
    "evil.example",
    "evil.example:{port}",
    "localhost.evil.example",
    "127.0.0.1.nip.io",
    "localhost.",
    "127.0.0.1.",
    "0.0.0.0",  # noqa: S104
    "[::]",
    "192.168.1.1",
    "[fe80::1]",
    "2130706433",
    "0x7f000001",
    "127.1",
    "evil@localhost",
    "localhost@evil",
    "localhost:80@evil",
    "localhost:evil",
    "127.0.0.1:80:90",
    "localhost/evil",
    "localhost/readyz",
    "localhost?evil",
    "localhost#evil",
    "localhost\\evil",
    "[::1",
    "::1",
    "[::1]evil",
    "[::1].evil",
    "localhost evil",
    "localhost,evil",
    "l\xf6calhost",
    "",
]


@pytest.mark.parametrize("host", OWN)
def test_the_machine_s_own_names_are_answered(service: Attacked, host: str) -> None:
    sent = service.head("GET /api/me HTTP/1.1", host=host.format(port=service.port))
    assert [status_of(one) for one in service.raw(sent, "127.0.1.16")] == [200]


@pytest.mark.parametrize("host", FOREIGN)
def test_no_other_name_is_answered_on_loopback(service: Attacked, host: str) -> None:
    sent = service.head("GET /api/me HTTP/1.1", host=host.format(port=service.port))
    assert refused(service.raw(sent, "127.0.1.17"), 400, 403)


def test_a_name_that_is_missing_or_doubled_is_refused(service: Attacked) -> None:
    source = "127.0.1.18"
    refused(service.raw(service.head("GET /api/me HTTP/1.1", host=None), source), 400)
    refused(service.raw(service.head("GET /api/me HTTP/1.1", "Host: localhost"), source), 400)
    refused(service.raw(service.head("GET /api/me HTTP/1.1", "Host: evil.example"), source), 400)
    assert "names no host" in refused(service.raw(service.head("GET /api/me HTTP/1.0", host=None), source), 403)


@pytest.mark.parametrize("target", ["http://localhost/api/me", "http://evil.example/api/me", "//evil.example/api/me"])
def test_a_whole_address_as_the_target_leads_nowhere(service: Attacked, target: str) -> None:
    refused(service.raw(service.head(f"GET {target} HTTP/1.1"), "127.0.1.19"), 404)
    refused(service.raw(service.head(f"GET {target} HTTP/1.1", host="evil.example"), "127.0.1.19"), 403)


# Where one request ends and the next begins

NEXT = b"GET /api/me HTTP/1.1\r\nHost: localhost\r\n\r\n"
SMUGGLED = [
    ["Content-Length: 6", "Transfer-Encoding: chunked"],
    ["Transfer-Encoding: chunked", "Content-Length: 6"],
    ["Content-Length: 5", "Content-Length: 60"],
    ["Content-Length: 5, 60"],
    ["Content-Length: +5"],
    ["Content-Length: -1"],
    ["Content-Length: 0x5"],
    ["Content-Length: 5 5"],
    ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
    ["Transfer-Encoding: identity, chunked"],
    ["Transfer-Encoding: xchunked"],
    ["Transfer-Encoding: chunked, identity"],
    ["Transfer-Encoding: \x0bchunked"],
    ["Transfer-Encoding : chunked"],
    ["X: y\r\n\x00Transfer-Encoding: chunked"],
    ["Content-Length : 5"],
]


@pytest.mark.parametrize("lines", SMUGGLED)
def test_a_body_of_two_lengths_is_refused_with_all_that_follows(service: Attacked, lines: list[str]) -> None:
    sent = service.head("POST /api/suggest HTTP/1.1", *lines).replace(b"Connection: close\r\n", b"")
    refused(service.raw(sent + b"0\r\n\r\n" + NEXT, "127.0.1.20"), 400)


def test_chunks_by_an_old_protocol_are_refused(service: Attacked) -> None:
    sent = service.head("POST /api/suggest HTTP/1.0", "Transfer-Encoding: chunked", "Connection: keep-alive")
    refused(service.raw(sent + b"0\r\n\r\n" + NEXT, "127.0.1.20"), 400)


@pytest.mark.parametrize(
    "body", [b"zz\r\n\r\n", b"-1\r\n", b"1\nx\n0\n\n", b"1\r\nxy\r\n0\r\n\r\n", b"1" * 30 + b"\r\n"]
)
def test_chunks_that_are_none_are_refused_with_all_that_follows(service: Attacked, body: bytes) -> None:
    head = service.head("POST /api/suggest HTTP/1.1", JSON, "Transfer-Encoding: chunked")
    refused(service.raw(head.replace(b"Connection: close\r\n", b"") + body + NEXT, "127.0.1.21"), 400)


def test_rubbish_behind_an_answer_is_hung_up_on_in_silence(service: Attacked) -> None:
    with closing(service.connection("127.0.1.22")) as one:
        one.sendall(b"POST /api/search HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        received = b""
        while not received.endswith(b"}"):
            received += one.recv(MIB)
        assert status_of(received) == 401
        one.sendall(b"zz\r\n" + NEXT)
        assert one.recv(MIB) == b""


def test_a_client_that_wants_another_protocol_is_answered_in_this_one(service: Attacked) -> None:
    sent = service.head("GET /api/me HTTP/1.1", "Upgrade: websocket").replace(
        b"Connection: close", b"Connection: Upgrade, close"
    )
    assert [status_of(one) for one in service.raw(sent, "127.0.1.23")] == [200]
