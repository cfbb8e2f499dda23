"""What differs between two versions of an article, in one line."""

import pytest

from indexer.knowledge import KnowledgeObject, parse
from kb_service.article_changes import article_changes

TEXT = """---
title: VPN fails
tags: [vpn]
type: runbook
---
Before all sections.

## Symptoms

The tunnel is down.

## Steps

Restart the [client](client.md).
"""


def article(text: str, path: str = "vpn.md") -> KnowledgeObject:
    parsed = parse(path, text.encode())
    assert isinstance(parsed, KnowledgeObject)
    return parsed


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("is down", "is up", "changed: Symptoms"),
        ("Before all", "Above all", "changed: the beginning"),
        ("## Steps", "## Resolution", "added: Resolution; removed: Steps"),
        ("## Symptoms\n\nThe tunnel is down.\n\n", "", "removed: Symptoms"),
        ("client.md", "other.md", "formatting, links or pictures"),
        ("is down", "is **down**", "formatting, links or pictures"),
        ("title: VPN fails", "title: VPN breaks", "title"),
        ("type: runbook", "type: faq", "type: runbook → faq"),
        ("tags: [vpn]", "tags: [vpn]\nworkflow_state: draft", "workflow_state: published → draft"),
        ("tags: [vpn]", "tier: L1\ncolour: red", "tier: none → L1; tags; keys of other programs"),
        ("tags: [vpn]", "tags:   [vpn]  # as before", None),
        ("\n", "\r\n", None),
        ("Before", "\n\nBefore", "formatting, links or pictures"),
    ],
)
def test_what_a_reader_sees_of_a_change(old: str, new: str, what: str | None) -> None:
    before, after = article(TEXT), article(TEXT.replace(old, new))
    changes = article_changes({"vpn": before}, {"vpn": after}, {"vpn": "vpn"})
    assert [(change.kind, change.what) for change in changes] == ([] if what is None else [("changed", what)])


def test_many_sections_are_not_all_named() -> None:
    text = "".join(f"## Part {number}\n\ntext\n\n" for number in range(9))
    (change,) = article_changes({}, {"a": article(text, "a.md")}, {})
    assert (change.kind, change.what) == (
        "added",
        "howto; sections: Part 0, Part 1, Part 2, Part 3, Part 4, Part 5 and 3 more",
    )


def test_a_file_that_moved_but_has_an_id_of_its_own_is_renamed() -> None:
    text = "---\nid: KB1\ntitle: VPN\n---\ntext\n"
    before, after = article(text, "a.md"), article(text, "b.md")
    (change,) = article_changes({"KB1": before}, {"KB1": after}, {"KB1": "KB1"})
    assert (change.kind, change.id, change.what) == ("renamed", "KB1", "was a.md")


def test_what_is_gone_and_what_came() -> None:
    old, new = article(TEXT, "old.md"), article("# Mail", "mail.md")
    changes = article_changes({"old": old}, {"mail": new}, {})
    assert [(change.kind, change.id, change.before_id) for change in changes] == [
        ("added", "mail", ""),
        ("deleted", "old", "old"),
    ]
