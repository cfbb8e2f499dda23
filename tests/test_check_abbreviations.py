"""Which abbreviations an article explains, and which need none."""

from typing import Any

import pytest

from indexer import WorkingTree
from indexer.check_options import Options
from tests.checking import check
from tests.conftest import Desk


def unexplained(desk: Desk, text: str, **options: Any) -> list[str]:
    desk.write("a.md", f"---\ntitle: Title\nservices: [mpx]\n---\n{text}")
    desk.write("glossary/zdx.md", "---\ntitle: ZDX (zone data exchange)\naliases: [ZDY]\n---\nIts RTX stands for x.")
    desk.write("glossary/all.md", "# Terms\n\nQDX\n: Something.\n\n| Term | Meaning |\n|---|---|\n| WDX | Else. |\n")
    findings = check(WorkingTree(desk.content), Options.model_validate(options), paths={"a.md"})
    return [one.problem.split("'")[1] for one in findings if one.rule == "undefined-abbreviation"]


@pytest.mark.parametrize(
    "text",
    [
        "The central data exchange (CDX) is down. Call CDX.",
        "The CDX (central data exchange) is down.",
        "The CDX (which is a good thing) is the central data exchange (CDX).",
        "CDX stands for something.",
        "CDX is short for something.",
        "CDX is the central data exchange.",
        "CDX: central data exchange.",
        "Several central data exchanges (CDXs) are down.",
        "A central\ndata exchange (CDX).",
        "| CDX | Central data exchange |\n|---|---|\n| a | b |",
        "Ask ZDX, ZDY, RTX, QDX, WDX and MPX.",
        "By HTTP, DNS and USB, at 9 AM UTC; the API of the FAQ.",
        "DO NOT UNPLUG CDX NOW",
        "`CDX` and ``a CDX`` and <https://CDX.example.com>.",
        "```\nCDX\n```\n\n    CDX",
        "ORA-01017, KB00023583, UTF-8, CVE-2021-44228, L2TP, S3, X1, CDX-12, A/CDX, CDX_NAME, cdx.CDX, $CDX, CDX=1.",
        "Part II and chapter IV, in Q3, P1.",
        'It says "CDX: FAILED" on the screen.',
        "[a](CDX.md) [CDX]: x",
        "NXDOMAIN and LISTENING are long.",
    ],
)
def test_no_explanation_is_missing(desk: Desk, text: str) -> None:
    assert unexplained(desk, text) == []


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("The CDX is down.", ["CDX"]),
        ("The CDXs are down; CDX's too.", ["CDX"]),
        ("The exchange (CDX) is down.", ["CDX"]),
        ("CDX (see below) is down. CDX (or not).", ["CDX"]),
        ("CDX and CDY, CDX again.", ["CDX", "CDY"]),
        ("**CDX**, (CDY), CDZ.", ["CDX", "CDY", "CDZ"]),
        ("CDX is down.", ["CDX"]),
        ("## CDX\n\nThe CDX.", ["CDX"]),
        ("| CDX | 5 |\n|---|---|\n| a | b |", ["CDX"]),
    ],
)
def test_an_explanation_is_missing(desk: Desk, text: str, missing: list[str]) -> None:
    assert unexplained(desk, text) == missing
    assert unexplained(desk, text, known_abbreviations=missing) == []


def test_a_retired_glossary_explains_nothing(desk: Desk) -> None:
    desk.write("glossary/old.md", "---\ntitle: CDX (central data exchange)\nworkflow_state: retired\n---\nCDX.")
    assert unexplained(desk, "The CDX is down.") == ["CDX"]
