"""Links to elsewhere: asked politely, told apart, and never where not everybody may ask."""

import ipaddress
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from indexer.check_external import BROKEN, UNCHECKED, ask, find_external, is_public
from indexer.check_options import Options
from indexer.findings import Fault
from indexer.library import read_library
from indexer.source import WorkingTree
from tests.conftest import Desk
from tests.world import World, open_world


@pytest.fixture
def world() -> Iterator[World]:
    with open_world() as world:
        yield world


@pytest.mark.parametrize(
    ("path", "outcome", "why"),
    [
        ("/", "there", ""),
        ("/no-head", "there", ""),
        ("/to/", "there", ""),
        ("/to/to/to/", "there", ""),
        ("/gone", "gone", "status 404"),
        ("/410", "gone", "status 410"),
        ("/to/gone", "gone", "status 404"),
        ("/401", "unknown", "status 401"),
        ("/403", "unknown", "status 403"),
        ("/429", "unknown", "status 429"),
        ("/503", "unknown", "status 503"),
        ("/round", "unknown", "over 5 redirects"),
        ("/to/ftp://example.org/", "unknown", "it leads to ftp://example.org, which is not asked"),
        ("/to/http://[", "unknown", "Invalid IPv6 URL"),
    ],
)
def test_what_a_page_answers(world: World, path: str, outcome: str, why: str) -> None:
    answer = ask(f"{world.address}{path}", 5, world.allowed)
    assert (answer.outcome, answer.why) == (outcome, why)


def test_the_page_is_asked_by_head_and_only_where_that_fails_by_get(world: World) -> None:
    ask(f"{world.address}/a?b=c", 5, world.allowed)
    ask(f"{world.address}/no-head", 5, world.allowed)
    assert world.asked == [("HEAD", "/a?b=c"), ("HEAD", "/no-head"), ("GET", "/no-head")]


def test_a_page_that_does_not_answer_is_given_up(world: World) -> None:
    answer = ask(f"{world.address}/slow", 0.2, world.allowed)
    assert answer.outcome == "unknown"
    assert "0.2 s" in answer.why


def test_all_redirects_together_have_one_time(world: World) -> None:
    start = time.monotonic()
    answer = ask(f"{world.address}/slowly/slowly/slowly/", 0.5, world.allowed)
    assert answer.why == "no answer within 0.5 s"
    assert time.monotonic() - start < 0.9


def test_a_server_that_drips_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                try:
                    while not stop.wait(0.05):
                        connection.sendall(b"X")
                except OSError:
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        answer = ask(f"http://127.0.0.1:{server.getsockname()[1]}/", 0.4, lambda _: True)
        stop.set()
        thread.join()
    assert answer.outcome == "unknown"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of 127.0.0.1, signed by itself, with its key in the same file."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not there")
    key, file = tmp_path / "key.pem", tmp_path / "server.pem"
    made = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    to = ["-keyout", str(key), "-out", str(file)]
    command = ["openssl", "req", "-x509", *made, *to, "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(command, check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + key.read_bytes())
    return file


def test_a_certificate_that_nobody_vouches_for_is_told(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with open_world(context) as world:
        address = f"https://127.0.0.1:{world.port}"
        answer = ask(f"{address}/", 5, world.allowed)
        assert answer.outcome == "unknown"
        assert "certificate is not accepted (self" in answer.why
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert ask(f"{address}/", 5, world.allowed).outcome == "there"
        assert ask(f"{address}/gone", 5, world.allowed).outcome == "gone"
        assert ask(f"{address}/slow", 0.3, world.allowed).why == "no answer within 0.3 s"


def test_loopback_is_never_asked(world: World) -> None:
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"):
        answer = ask(f"http://{host}:{world.port}/", 5)
        assert answer.outcome in {"unknown", "no such host"}, host
    assert world.asked == []


def test_a_redirect_to_a_private_address_is_not_followed(world: World) -> None:
    with socket.create_server(("127.0.0.2", 0)) as other:
        other.settimeout(0.01)
        address = f"127.0.0.2:{other.getsockname()[1]}"
        answer = ask(f"{world.address}/to/http://{address}/", 5, world.allowed)
        assert answer.why == "127.0.0.2 has an address that is not public, which is not asked"
        with pytest.raises(TimeoutError):
            other.accept()


def test_the_address_that_was_checked_is_the_one_that_is_asked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name may be resolved otherwise a moment later: here it is loopback at every second look."""
    looks: list[str] = []
    real = socket.getaddrinfo

    def rebound(host: str, *arguments: object, **more: object) -> object:
        if host != "rebound.kb":
            return real(host, *arguments, **more)  # type: ignore[arg-type]  # passed on as given
        looks.append(host)
        address = "127.0.0.1" if len(looks) == 1 else "127.0.0.2"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, world.port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    assert ask(f"http://rebound.kb:{world.port}/", 5, world.allowed).outcome == "there"
    assert looks == ["rebound.kb"]


def test_a_name_with_one_private_address_is_not_asked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def both(*_: object, **__: object) -> object:
        addresses = ("127.0.0.1", "10.0.0.1")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, world.port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    assert "not public" in ask(f"http://both.kb:{world.port}/", 5, world.allowed).why
    assert world.asked == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:4700::1111", True),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 (to be refused, not listened on)
        ("192.0.2.1", False),
        ("198.18.0.1", False),
        ("224.0.0.1", False),
        ("239.1.1.1", False),
        ("255.255.255.255", False),
        ("240.0.0.1", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fc00::1", False),
        ("ff02::1", False),
        ("2001:db8::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::10.0.0.1", False),
        ("64:ff9b::93.184.215.14", True),
        ("2002:a00:1::", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is public


def found(desk: Desk, world: World, **options: object) -> list[tuple[str, int, str]]:
    library = read_library(WorkingTree(desk.content), date(2026, 7, 1))
    faults: list[tuple[str, Fault]] = list(
        find_external(library, Options.model_validate(options), allowed=world.allowed)
    )
    return [(name, fault.line, fault.problem.replace(world.address, "")) for name, fault in faults]


def test_each_place_of_a_dead_link_is_told_and_the_page_asked_once(desk: Desk, world: World) -> None:
    link = f"[x]({world.address}/gone#a)"
    desk.write("a.md", f"# A\n\n{link} and [y]({world.address}/)\n\n{link} and ![z]({world.address}/503)\n")
    assert found(desk, world) == [
        (BROKEN, 3, "/gone leads nowhere: status 404"),
        (BROKEN, 5, "/gone leads nowhere: status 404"),
        (UNCHECKED, 5, "/503 could not be checked: status 503"),
    ]
    assert sorted(world.asked) == [
        ("GET", "/503"),
        ("GET", "/gone"),
        ("HEAD", "/"),
        ("HEAD", "/503"),
        ("HEAD", "/gone"),
    ]


def test_a_host_that_does_not_exist_is_sure_only_where_the_network_works(
    desk: Desk, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def nobody(host: str, *arguments: object, **more: object) -> object:
        if host == "nobody.kb":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *arguments, **more)  # type: ignore[arg-type]  # passed on as given

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    desk.write("a.md", "[x](http://nobody.kb/)")
    assert [name for name, _, _ in found(desk, world)] == [UNCHECKED]
    desk.write("b.md", f"[y]({world.address}/)")
    assert [name for name, _, _ in found(desk, world)] == [BROKEN]


def test_what_is_an_example_or_skipped_is_not_asked(desk: Desk, world: World) -> None:
    desk.write("a.md", f"[x](https://portal.example.com/a) <http://localhost/> [y]({world.address}/gone)")
    assert found(desk, world, external_skip=[f"{world.address}/*"]) == []
    assert world.asked == []
