"""Findings as GitHub, SARIF viewers and programs read them."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from jsonschema import Draft202012Validator

from indexer.check_rules import RULES
from indexer.findings import Finding, Related
from kb_service import check_formats

FINDINGS = [
    Finding("content/a b,c.md", 3, "broken-link", "error", "there is no 'x%y'", "Mend: it\nnow"),
    Finding("content/d.md", 1, "near-duplicate", "warning", "says the same as e.md", "Keep one",
            (Related("content/e.md", 7, "'A' ~ 'B', 90% alike"), Related("content/e.md", 9, "'C' ~ 'D', 80% alike"))),
    Finding("content/d.md", 1, "unchecked-external-link", "note", "could not be checked", "Open it"),
]  # fmt: skip


def _object(required: str, **properties: Any) -> dict[str, Any]:
    """An object of SARIF: no other properties than these."""
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


# The parts of SARIF 2.1.0 that are used, as its chapter 3 demands them
_TEXT = {"type": "string", "minLength": 1}
_LEVEL = {"enum": ["none", "note", "warning", "error"]}
_MESSAGE = _object("text", text=_TEXT, markdown=_TEXT)
_PLACE = _object("uri", uri={"type": "string", "pattern": "^[^\\s\\\\]+$"}, uriBaseId=_TEXT)
_REGION = _object("startLine", startLine={"type": "integer", "minimum": 1})
_PHYSICAL = _object("artifactLocation", artifactLocation=_PLACE, region=_REGION)
_NUMBER = {"type": "integer", "minimum": 0}
_LOCATION = _object("physicalLocation", physicalLocation=_PHYSICAL, id=_NUMBER, message=_MESSAGE)
_RULE = _object(
    "id shortDescription fullDescription help",
    id=_TEXT,
    shortDescription=_MESSAGE,
    fullDescription=_MESSAGE,
    help=_MESSAGE,
    defaultConfiguration=_object("level", level=_LEVEL),
)
_RESULT = _object(
    "ruleId ruleIndex level message locations",
    ruleId=_TEXT,
    ruleIndex=_NUMBER,
    level=_LEVEL,
    message=_MESSAGE,
    locations={"type": "array", "items": _LOCATION, "minItems": 1},
    relatedLocations={"type": "array", "items": _LOCATION, "uniqueItems": True},
    partialFingerprints={"type": "object", "additionalProperties": _TEXT},
)
_RUN = _object(
    "tool results",
    tool=_object(
        "driver",
        driver=_object(
            "name rules", name=_TEXT, version=_TEXT, rules={"type": "array", "items": _RULE, "uniqueItems": True}
        ),
    ),
    originalUriBaseIds={"type": "object", "additionalProperties": _object("", description=_MESSAGE)},
    results={"type": "array", "items": _RESULT},
)
LOG = _object(
    "version runs",
    **{"$schema": {"type": "string"}},
    version={"const": "2.1.0"},
    runs={"type": "array", "items": _RUN, "minItems": 1},
)


@pytest.mark.parametrize("findings", [[], FINDINGS], ids=["none", "some"])
def test_sarif_is_as_its_specification_demands(findings: list[Finding]) -> None:
    log = json.loads(json.dumps(check_formats.sarif(findings)))
    assert [error.message for error in Draft202012Validator(LOG).iter_errors(log)] == []
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(RULES)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        for location in (*result["locations"], *result["relatedLocations"]):
            place = location["physicalLocation"]["artifactLocation"]
            assert place["uriBaseId"] in run["originalUriBaseIds"]
            assert not urlsplit(place["uri"]).scheme and not place["uri"].startswith("/")  # noqa: PT018


def test_sarif_says_where_and_what_else_it_is_about() -> None:
    first, second, third = check_formats.sarif(FINDINGS)["runs"][0]["results"]
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "content/a%20b%2Cc.md", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 3},
    }
    assert (first["level"], second["level"], third["level"]) == ("error", "warning", "note")
    assert first["message"]["text"] == "there is no 'x%y'. Mend: it\nnow"
    assert [(one["id"], one["message"]["text"]) for one in second["relatedLocations"]] == [
        (1, "'A' ~ 'B', 90% alike"),
        (2, "'C' ~ 'D', 80% alike"),
    ]


def test_a_finding_is_known_again_on_another_line() -> None:
    def print_of(line: int, problem: str) -> str:
        finding = Finding("a.md", line, "broken-link", "error", problem, "Mend")
        return str(check_formats.sarif([finding])["runs"][0]["results"][0]["partialFingerprints"])

    assert print_of(3, "x") == print_of(9, "x") != print_of(3, "y")


def test_github_s_own_characters_are_escaped() -> None:
    first, second, third = check_formats.github(FINDINGS)
    assert first == ("::error file=content/a b%2Cc.md,line=3,title=broken-link::there is no 'x%25y'. Mend: it%0Anow")
    assert second.startswith(
        "::warning file=content/d.md,line=1,title=near-duplicate::says the same as e.md. Keep one%0A"
    )
    assert second.endswith("%0Acontent/e.md:7: 'A' ~ 'B', 90%25 alike%0Acontent/e.md:9: 'C' ~ 'D', 80%25 alike")
    assert third.startswith("::notice ")


def test_text_has_a_line_each_and_the_sections_alike_below() -> None:
    lines = list(check_formats.text(FINDINGS[1:]))
    assert lines == [
        "content/d.md:1: warning near-duplicate: says the same as e.md. Keep one",
        "    content/e.md:7: 'A' ~ 'B', 90% alike",
        "    content/e.md:9: 'C' ~ 'D', 80% alike",
        "content/d.md:1: note unchecked-external-link: could not be checked. Open it",
        "1 warning, 1 note",
    ]
    assert list(check_formats.text([])) == ["No problems"]


def test_json_has_everything() -> None:
    told = json.loads(json.dumps(check_formats.as_json(FINDINGS)))
    assert (told["errors"], told["warnings"], told["notes"]) == (1, 1, 1)
    assert told["findings"][0] == {
        "path": "content/a b,c.md", "line": 3, "rule": "broken-link", "severity": "error",
        "problem": "there is no 'x%y'", "remedy": "Mend: it\nnow", "related": [],
    }  # fmt: skip
    assert told["findings"][1]["related"][0] == {"path": "content/e.md", "line": 7, "text": "'A' ~ 'B', 90% alike"}
