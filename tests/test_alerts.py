"""The alerting rules: each asks for figures that there are, and its runbook exists and is found by the alert's name."""

import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from indexer import KnowledgeObject, parse
from kb_service import KnowledgeBase, Query, Searcher, Settings
from tests.client import client_of
from tests.conftest import CONTENT

FOLDER = CONTENT / "operations"
# What Prometheus itself adds to each scrape
OF_PROMETHEUS = {"up"}
_WORDS = {"and", "or", "unless", "by", "on", "without"}
_FUNCTIONS = {"sum", "rate", "increase", "delta", "min_over_time", "histogram_quantile", "time", "topk"}


def rules() -> list[dict[str, Any]]:
    (group,) = YAML(typ="safe").load((FOLDER / "alerts.yaml").read_text("utf-8"))["groups"]
    assert group["name"] == "knowledge-base"
    return list(group["rules"])


RULES = {rule["alert"]: rule for rule in rules()}
RUNBOOKS = {f"operations/{file.stem}": file for file in sorted(FOLDER.glob("*.md"))}


def runbook_of(rule: dict[str, Any]) -> str:
    found = re.fullmatch(r"https://kb\.example\.org/a/(operations/[a-z-]+)", rule["annotations"]["runbook_url"])
    assert found, rule["annotations"]["runbook_url"]
    return found[1]


def names_in(expression: str) -> set[str]:
    """The figures that an expression asks for: all names but words, functions, labels and durations."""
    bare = re.sub(r'"[^"]*"', "", expression)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\b(?:by|on|without) *\([^)]*\)", " ", bare)
    return set(re.findall(r"[a-zA-Z_][\w:]*", bare)) - _WORDS - _FUNCTIONS


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The figures that a service gives which was asked something, each with the names of its labels."""
    folder = tmp_path_factory.mktemp("alerts")
    base = KnowledgeBase(Settings(content=folder, data=folder / "data", encoder="hashing"))
    found: dict[str, set[str]] = {}
    with client_of(base) as client:
        client.get("/healthz")
        lines = client.get("/metrics").text.splitlines()
    for line in lines:
        if match := re.match(r"(\w+)(?:\{(.*)\})? ", line):
            found.setdefault(match[1], set()).update(re.findall(r'(\w+)="', match[2] or ""))
    return found


def test_names_are_told_from_all_else() -> None:
    expression = 'sum by (le) (rate(kb_x_bucket{route="kb_y"}[5m])) / on (job) kb_z > 1 and up == 0'
    assert names_in(expression) == {"kb_x_bucket", "kb_z", "up"}
    assert names_in("abs(kb_x)") == {"abs", "kb_x"}, "a function that is not known is noticed"


@pytest.mark.parametrize("name", RULES)
def test_an_alert_asks_for_figures_and_labels_that_there_are(told: dict[str, set[str]], name: str) -> None:
    expression = RULES[name]["expr"]
    assert names_in(expression)
    assert names_in(expression) <= told.keys() | OF_PROMETHEUS
    for figure, matchers in re.findall(r"(kb_\w+)\{([^}]*)\}", expression):
        assert set(re.findall(r"(\w+)(?:=~|!=|!~|=)", matchers)) <= told[figure]


@pytest.mark.parametrize("name", RULES)
def test_an_alert_says_how_urgent_it_is_and_what_it_is_about(name: str) -> None:
    rule = RULES[name]
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"]
    assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"\d+[mh]", rule.get("for", "0m"))


@pytest.mark.parametrize("name", RULES)
def test_its_runbook_exists_and_names_it(name: str) -> None:
    article = runbook_of(RULES[name])
    knowledge = parse(f"{article}.md", RUNBOOKS[article].read_bytes())
    assert isinstance(knowledge, KnowledgeObject)
    assert knowledge.type == "runbook"
    assert name in knowledge.aliases


def test_every_runbook_here_belongs_to_an_alert() -> None:
    assert {runbook_of(rule) for rule in RULES.values()} == RUNBOOKS.keys()


@pytest.mark.parametrize("name", RULES)
def test_who_searches_for_the_alert_finds_its_runbook_first(searcher: Searcher, name: str) -> None:
    for text in (name, f"[FIRING:1] {name} kb.example.org:8000", name.lower()):
        assert searcher.search(Query(text)).hits[0].id == runbook_of(RULES[name]), text


@pytest.mark.parametrize("article", RUNBOOKS)
def test_a_runbook_names_figures_that_there_are(told: dict[str, set[str]], article: str) -> None:
    text = RUNBOOKS[article].read_text("utf-8")
    named = set(re.findall(r"\bkb_[a-z_]*[a-z]\b(?![(_])", text)) - {"kb_service"}
    assert named <= told.keys(), article


def test_settings_that_runbooks_name_exist() -> None:
    known = {f"KB_{name.upper()}" for name in Settings.model_fields}
    for file in RUNBOOKS.values():
        assert set(re.findall(r"\bKB_[A-Z_]+", file.read_text("utf-8"))) <= known, file
