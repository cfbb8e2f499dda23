"""Findings of ``kb check`` as others read them: lines, JSON, GitHub's annotations, SARIF 2.1.0 (OASIS)."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from indexer.check_rules import RULES
from indexer.findings import Finding, Related, Rule

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_GITHUB = {"error": "error", "warning": "warning", "note": "notice"}


def text(findings: Sequence[Finding]) -> Iterator[str]:
    """A line for each finding, indented lines for what it is alike to, and how many there are of each severity."""
    for finding in findings:
        yield str(finding)
        yield from (f"    {one.path}:{one.line}: {one.text}" for one in finding.related)
    yield summary(findings)


def summary(findings: Sequence[Finding]) -> str:
    """How many there are of each severity."""
    counts = Counter(finding.severity for finding in findings)
    told = [f"{n} {name}{'s' * (n > 1)}" for name in ("error", "warning", "note") if (n := counts[name])]
    return ", ".join(told) or "No problems"


def as_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """All of it for a program."""
    counts = Counter(finding.severity for finding in findings)
    return {
        "findings": [asdict(finding) for finding in findings],
        "errors": counts["error"],
        "warnings": counts["warning"],
        "notes": counts["note"],
    }


def github(findings: Sequence[Finding]) -> Iterator[str]:
    """Annotations of GitHub Actions; their own characters are escaped as its runner asks."""
    for finding in findings:
        path, title = (_property(value) for value in (finding.path, finding.rule))
        told = "\n".join([f"{finding.problem}. {finding.remedy}", *(_told(one) for one in finding.related)])
        yield f"::{_GITHUB[finding.severity]} file={path},line={finding.line},title={title}::{_message(told)}"


def sarif(findings: Sequence[Finding]) -> dict[str, Any]:
    """A log of one run. Paths are relative to ``%SRCROOT%``, which is what the findings' paths are relative to."""
    names = list(RULES)
    driver = {"name": "kb check", "version": version("kb-service"), "rules": [_rule(RULES[name]) for name in names]}
    results = [_result(finding, names.index(finding.rule)) for finding in findings]
    return {
        "$schema": SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The top of the repository."}}},
                "results": results,
            }
        ],
    }


def rule_lines(rule: Rule) -> Iterator[str]:
    """A rule for a person: what it finds, what an example has that it should not have, and how that is mended."""
    needs = f", needs the {rule.needs}" if rule.needs else ""
    yield f"{rule.name} ({rule.severity}{needs})"
    yield f"  {rule.statement}"
    fault, mended = differences(rule)
    yield from (f"  - {line}" for line in fault)
    yield from (f"  + {line}" for line in mended)


def differences(rule: Rule, most: int = 100) -> tuple[list[str], list[str]]:
    """The lines that only the faulty example has, and those that only the mended one has, cut at ``most`` letters."""
    fault, mended = (lines.splitlines() for lines in (rule.example.fault, rule.example.mended))
    short = [[line if len(line) <= most else f"{line[:most]}…" for line in lines if line] for lines in (fault, mended)]
    return [line for line in short[0] if line not in short[1]], [line for line in short[1] if line not in short[0]]


def rules_json() -> list[dict[str, Any]]:
    """All rules for a program."""
    return [
        {
            "name": rule.name,
            "severity": rule.severity,
            "needs": rule.needs or None,
            "statement": rule.statement,
            "example": asdict(rule.example),
        }
        for rule in RULES.values()
    ]


def _rule(rule: Rule) -> dict[str, Any]:
    fault, mended = rule.example.fault, rule.example.mended
    return {
        "id": rule.name,
        "shortDescription": {"text": rule.statement},
        "fullDescription": {"text": rule.statement},
        "help": {
            "text": f"{rule.statement}\nFor example: {fault}\nMended: {mended}",
            "markdown": f"{rule.statement}\n\n```markdown\n{fault}\n```\n\nMended:\n\n```markdown\n{mended}\n```",
        },
        "defaultConfiguration": {"level": rule.severity},
    }


def _result(finding: Finding, index: int) -> dict[str, Any]:
    # Without the line, so that what was known stays known when lines above it come and go
    known_by = "\n".join([finding.path, finding.rule, finding.problem])
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.severity,
        "message": {"text": f"{finding.problem}. {finding.remedy}"},
        "locations": [{"physicalLocation": _location(finding.path, finding.line)}],
        "relatedLocations": [
            {"id": number, "physicalLocation": _location(one.path, one.line), "message": {"text": one.text}}
            for number, one in enumerate(finding.related, 1)
        ],
        "partialFingerprints": {"kbFinding/v1": hashlib.sha256(known_by.encode()).hexdigest()[:32]},
    }


def _location(path: str, line: int) -> dict[str, Any]:
    return {"artifactLocation": {"uri": quote(path), "uriBaseId": "%SRCROOT%"}, "region": {"startLine": line}}


def _told(one: Related) -> str:
    return f"{one.path}:{one.line}: {one.text}"


def _message(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _message(value).replace(",", "%2C").replace(":", "%3A")
