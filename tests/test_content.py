"""Our own content: complete, clean, and found by the questions it answers."""

import posixpath
import re
from collections import Counter
from urllib.parse import unquote

import pytest

from indexer import KnowledgeObject, WorkingTree, parse
from kb_service import Query, Searcher, glossary
from kb_service.access import PUBLIC
from kb_service.query import filter_of
from tests.checking import check
from tests.conftest import REPOSITORY

CONTENT = REPOSITORY / "content"
LINK = re.compile(r"\]\(([^)\s]+)\)")
OBJECTS = {
    path.relative_to(CONTENT).as_posix(): parse(path.relative_to(CONTENT).as_posix(), path.read_bytes())
    for path in sorted(CONTENT.rglob("*.md"))
}


def known() -> dict[str, KnowledgeObject]:
    return {path: found for path, found in OBJECTS.items() if isinstance(found, KnowledgeObject)}


def test_nothing_of_it_is_refused() -> None:
    assert check(WorkingTree(CONTENT)) == []
    assert len(OBJECTS) >= 60


def test_every_type_serves_somebody() -> None:
    types = Counter(knowledge.type for knowledge in known().values())
    assert set(types) == {"faq", "runbook", "glossary", "howto", "known-error", "template", "policy"}
    assert {knowledge.audience for knowledge in known().values()} == {"public", "internal"}


@pytest.mark.parametrize("path", OBJECTS)
def test_links_and_related_ids_resolve(path: str) -> None:
    objects = known()
    ids = {knowledge.id for knowledge in objects.values()}
    knowledge = objects[path]
    assert set(knowledge.related) <= ids
    for target in LINK.findall(re.sub(r"```.*?```", "", knowledge.body, flags=re.S)):
        if "://" in target or target.startswith("mailto:"):
            continue
        file, _, anchor = unquote(target).partition("#")
        inside = posixpath.normpath(posixpath.join(posixpath.dirname(path), file)) if file else path
        assert inside in objects, f"{path} links to {target}"
        if anchor:
            assert anchor in {section.anchor for section in objects[inside].document.sections}, f"{path}: {target}"


@pytest.mark.parametrize("path", [path for path, found in known().items() if found.type == "runbook"])
def test_a_runbook_can_be_carried_out_checked_and_undone(path: str) -> None:
    headings = {section.title for section in known()[path].document.sections if section.level == 2}
    assert {"Symptoms", "Steps", "Verification", "Rollback", "Escalation"} <= headings
    assert known()[path].tier


def test_every_object_has_an_owner_a_summary_and_a_review_date() -> None:
    for path, knowledge in known().items():
        assert knowledge.owner, path
        assert knowledge.summary, path
        assert knowledge.review_by, path


def test_requesters_find_only_what_is_theirs(searcher: Searcher) -> None:
    hits = searcher.search(Query("reset my password", sight=PUBLIC)).hits
    assert hits[0].id == "faq/reset-my-password"
    public = {knowledge.id for knowledge in known().values() if knowledge.audience == "public"}
    assert {hit.id for hit in hits} <= public


@pytest.mark.parametrize(
    "name",
    ["SLA", "OLA", "MTTR", "ASA", "KPI", "KRA", "MIR", "RACI", "ITIL", "ETA", "RFI", "RFP", "RFI/RFP", "SOW", "REQ",
     "mean time to resolve", "on-call", "hypercare", "L3 support", "knowledge base", "knowledge object", "agile"],
)  # fmt: skip
def test_the_glossary_knows_the_desk_s_terms(searcher: Searcher, name: str) -> None:
    (term, *_) = glossary.lookup(searcher.index, filter_of(Query("")), name)
    assert len(term.definition) > 40


def test_a_wrong_expansion_is_not_repeated(searcher: Searcher) -> None:
    (term,) = glossary.lookup(searcher.index, filter_of(Query("")), "ASA")
    assert "average speed of answer" in term.definition
