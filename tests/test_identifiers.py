"""What must match as it stands."""

import time

import pytest

from indexer.identifiers import identifiers, is_code, words_of_name


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Outlook says 0x80070005.", {"0x80070005"}),
        ("ORA-01017: invalid password", {"ora-01017", "01017", "1017"}),
        ("see KB00023583", {"kb00023583", "00023583", "23583"}),
        ("INC0012345 again", {"inc0012345", "0012345", "12345"}),
        ("CVE-2021-44228", {"cve-2021-44228"}),
        ("is port 52311 open", {"52311"}),
        ("error 809 on VPN", {"809"}),
        ("HTTP 503", {"503"}),
        ("mail.example.com is down", {"mail.example.com"}),
        ("192.0.2.7:443", {"192.0.2.7:443"}),
        ("ERR_CONNECTION_REFUSED", {"err_connection_refused"}),
        ("KubePodCrashLooping fired", {"kubepodcrashlooping"}),
        ("etcdNoLeader", {"etcdnoleader"}),
        (" 809 ", {"809"}),
        ("0023583", {"0023583", "23583"}),
    ],
)
def test_found(text: str, found: set[str]) -> None:
    assert found <= identifiers(text)


@pytest.mark.parametrize("text", ["since 2024", "24.90 members", "the VPN is slow", "12 users", "", "GitHub is down"])
def test_plain_words_and_figures_are_none(text: str) -> None:
    assert not identifiers(text)


@pytest.mark.parametrize(
    ("identifier", "assigned"),
    [
        ("0x80070005", True),
        ("ora-01017", True),
        ("kb00023583", True),
        ("cve-2021-44228", True),
        ("52311", False),
        ("192.0.2.7", False),
        ("mail.example.com", False),
        ("kubepodcrashlooping", False),
        ("err_connection_refused", False),
    ],
)
def test_assigned_codes_are_told_from_names_and_numbers(identifier: str, assigned: bool) -> None:
    assert is_code(identifier) is assigned


def test_what_is_nearly_a_name_takes_no_longer() -> None:
    started = time.thread_time()
    assert identifiers(f"a{'A' * 100}_ {'aB' * 50_000}_") == frozenset()
    assert time.thread_time() - started < 1


def test_names_are_taken_apart() -> None:
    assert words_of_name("KubePodCrashLooping") == ["Kube", "Pod", "Crash", "Looping"]
    assert words_of_name("HTTPServerDown") == ["HTTP", "Server", "Down"]
    assert words_of_name("check_port-52311") == ["check", "port", "52311"]
