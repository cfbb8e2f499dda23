"""What a letter is about is left of it, and of any other text all."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_service.letters import matter_of

SIGNED = """Hi team,

hope you are all doing well. The VPN client says error 809 since this morning.
It worked yesterday.

Thanks a lot in advance for your help, please let me know if you need any further information.

Kind regards,
Jane Miller
Senior Accountant, Finance Department
Phone: +49 30 1234567

This e-mail may contain confidential information. If you are not the intended recipient, please notify the sender.
"""


@pytest.mark.parametrize(
    ("letter", "matter"),
    [
        (SIGNED, "The VPN client says error 809 since this morning.\nIt worked yesterday."),
        ("Hi Peter, my printer is jammed. Thanks!", "my printer is jammed."),
        ("RE: FW: printer is jammed", "printer is jammed"),
        (
            "From: Jane Miller <jane@example.com>\nSent: Monday, 5 October 2026 09:13\nTo: Service Desk\n"
            "Subject: AW: Printer\n\nHello,\nit is jammed.\nJane",
            "Printer: it is jammed.\nJane",
        ),
        ("Von: Hans Maier\nAn: IT\nBetreff: Drucker\n\ngeht nicht", "Drucker: geht nicht"),
        ("Good morning! Outlook crashes since the update", "Outlook crashes since the update"),
        ("Dear IT Service Desk,\nI cannot log in\nBest,\nJo", "I cannot log in"),
        ("Hello,\nscreen stays black\n--\nTom Becker | Logistics | +44 20 7946 0123", "screen stays black"),
        ("Screen stays black\n\nSent from my phone", "Screen stays black"),
        ("It is down. Could somebody please look into this? It is rather urgent.", "It is down."),
        (
            "Sehr geehrte Damen und Herren,\n\nmein Drucker geht nicht.\n\nVielen Dank und viele Grüße\nHans Maier",
            "mein Drucker geht nicht.",
        ),
        (
            "Bonjour,\nl'imprimante ne répond plus.\nMerci d'avance\nBien cordialement\nA. Petit",
            "l'imprimante ne répond plus.",
        ),
    ],
)  # fmt: skip
def test_what_a_letter_has_around_its_matter_is_left_out(letter: str, matter: str) -> None:
    assert matter_of(letter) == matter


@pytest.mark.parametrize(
    "text",
    [
        "Hello world program does not compile, linker error",
        "Hi VPN broken, help",
        "Hi",
        "thanks",
        "Kind regards",
        "Thanks to the update my printer stopped. It is new.",
        "The printer is new. Thanks to the update it stopped",
        "It is jammed. Thanks, error 809 again",
        "Best practice for password reset",
        "Team calendar does not sync",
        "It does not print. Can you check the network cable of the printer?",
        "how to say thank you in a template",
        "To: printer queue",
        "Date: wrong\nTo: fix it",
        "hey.example.org - blank page",
        "Dark are screens of\nSony\nLG\nSamsung",
        "From: address is refused\nwhat now?",
        "vpn ",
        "",
        " \n",
    ],
)
def test_what_is_no_letter_stays_as_it_is(text: str) -> None:
    assert matter_of(text) == text


@pytest.mark.parametrize(
    "left",
    [
        "2026-01-02 10:11:12 connect",
        "Error: no route to host",
        "PS: the phone is dead",
        "It does not connect.",
        "Seen:",
    ],
)
def test_what_stands_below_a_signature_stays(left: str) -> None:
    letter = f"VPN fails, see below\n\nThanks\nJane\n\n{left}\nand so on"
    assert matter_of(letter) == f"VPN fails, see below\n\n{left}\nand so on"


PIECES = (
    "Hi team,", "hope you are well.", "vpn", " ", "\n", "thanks", "Kind regards", "--", "error 809", "Jo", ".",
    "confidential",
)  # fmt: skip


@given(st.one_of(st.text(max_size=200), st.lists(st.sampled_from(PIECES)).map("".join)))
def test_of_any_text_something_is_left_and_nothing_is_added(text: str) -> None:
    matter = matter_of(text)
    assert matter.split() or not text.split()
    words = iter(text.split("\n"))
    assert all(any(line in one for one in words) for line in matter.split("\n"))


@pytest.mark.parametrize(
    "piece", ["a. ", "\n", " ", "hi ", "dear a ", "thanks ", "hope you\n", "your help ", "-", "--\n", "danke, "]
)
def test_none_takes_long(piece: str) -> None:
    text = piece * (20_000 // len(piece))
    started = time.process_time()
    matter_of(text)
    assert time.process_time() - started < 0.25
