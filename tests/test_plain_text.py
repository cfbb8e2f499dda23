"""What came in as HTML or JSON is read as the text that it says."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.encoder import HashingEncoder
from kb_service.drafting import Sources, redacted
from kb_service.incident import incident_of
from kb_service.incident_index import passages_of
from kb_service.plain_text import plain_text

MAIL = """<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><title>RE</title><style><!--
p.MsoNormal {margin:0cm; font-family:"Calibri",sans-serif;} --></style></head>
<body lang=EN-GB><div class=WordSection1><p class=MsoNormal><span style='color:#1F497D'>The printer on&nbsp;the
2nd floor is jammed &amp; smells.<o:p></o:p></span></p><p class=MsoNormal>Since today.</p>
<table><tr><td>Queue</td><td>PRT-07</td></tr></table></div></body></html>"""
ALERT = {
    "receiver": "desk",
    "alerts": [
        {
            "labels": {"severity": "critical", "alertname": "DiskFull"},
            "annotations": {"summary": "/dev/sda1 is 97 % full", "runbook_url": "https://example.org/x"},
            "startsAt": "2026-11-28T01:02:03.000Z",
            "fingerprint": "ab12cd34ef56",
            "count": 3,
        }
    ],
}


def test_html_of_a_mail_program_is_its_text() -> None:
    said = plain_text(MAIL)
    assert said == "The printer on the 2nd floor is jammed & smells.\n\nSince today.\n\nQueue PRT-07"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("It is dark<br>since today<br/>again", "It is dark\nsince today\nagain"),
        ("<p>a &lt;b&gt; c</p>", "a <b> c"),
        ("<ul><li>one</li><li>two</li></ul>", "one\n\ntwo"),
        (
            "<p>ssh &lt;host&gt; gives List<String>, set <name>x</name></p>",
            "ssh <host> gives List<String>, set <name>x</name>",
        ),
        ("<pre>a\n  b</pre> c", "a\nb\nc"),
        ("before <script>alert('x')</script><b>after</b>", "before after"),
        (json.dumps(ALERT), "DiskFull\n/dev/sda1 is 97 % full\ndesk\ncritical"),
        (json.dumps([{"x": "y"}]), "y"),
        (r'["half \ud800 of a letter"]', "half ? of a letter"),
    ],
)
def test_markup_is_left_out(given: str, said: str) -> None:
    assert plain_text(given) == said


@pytest.mark.parametrize(
    "text",
    [
        "a < b and c > d",
        "how do I write <p> in a template",
        "List<String> is not sorted",
        "{not json}",
        "[VPN] is down",
        '{"a": 1}',
        "[1, 2]",
        "<<<<<<< HEAD",
        "",
    ],
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert plain_text(text) == text


@given(
    st.one_of(
        st.text(max_size=300), st.lists(st.sampled_from(["<p>", "</p>", "<br>", "<", "&lt;", "a", " "])).map("".join)
    )
)
def test_any_text_is_read(text: str) -> None:
    assert len(plain_text(text)) <= len(text)


@pytest.mark.parametrize(
    "piece",
    ["<style>", "<", "<p></p>", "<br", "br", "&amp;", "<a ", '{"a":', "[", "<!--", " \n", "</p>\n ", "<td>", "&"],
)
def test_none_takes_long(piece: str) -> None:
    text = "<br><" + piece * (200_000 // len(piece))
    started = time.process_time()
    plain_text(text), plain_text(text[4:])
    assert time.process_time() - started < 1


@pytest.mark.parametrize("depth", [10, 300, 900, 990, 5_000])
def test_nested_deep_it_is_read_or_stays_as_it_is(depth: int) -> None:
    text = "[" * depth + '"dark"' + "]" * depth
    assert plain_text(text) in {"dark", text}


def test_a_record_in_html_is_indexed_and_drafted_as_its_text() -> None:
    values = {
        "number": "INC1",
        "short_description": "printer",
        "description": MAIL,
        "close_notes": "<p>Tray cleaned</p>",
    }
    incident = incident_of(values)
    assert incident.description == MAIL
    said = [" ".join(passage.text.split()) for passage in passages_of(incident, HashingEncoder())]
    assert said == ["printer", " ".join(plain_text(MAIL).split()), "Tray cleaned"]
    assert "MsoNormal" not in incident.text
    assert redacted(Sources(incident, ()))[0].incident.close_notes == "Tray cleaned"
