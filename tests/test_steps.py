"""The steps of a runbook: what can be ticked off, and what belongs to a step."""

import re

import pytest

from indexer.html import render_html
from indexer.markdown import parse_markdown
from kb_service import KnowledgeBase, Settings
from kb_service.steps import Steps, steps_of
from tests.client import client_of
from tests.conftest import Desk


def steps(text: str) -> Steps:
    return steps_of(parse_markdown(text))


def classes(found: Steps) -> list[str]:
    html = render_html(found.document, lambda target: target)
    return re.findall(r'<li class="([^"]*step-\d+)"', html)


def test_numbered_items_are_the_steps_over_several_lists() -> None:
    found = steps("1. Log in\n2. Look\n\nThen:\n\n7. Restart\n8. Look again\n")
    assert found.names == ("Log in", "Look", "Restart", "Look again")
    assert classes(found) == ["step-1", "step-2", "step-3", "step-4"]
    assert found.anchors == ()


def test_what_ends_with_a_colon_says_it_without() -> None:
    assert steps("1. Look:\n\n   ```\n   ls\n   ```\n").names == ("Look",)


def test_tasks_are_steps_and_other_items_of_their_list_are_not() -> None:
    found = steps("- [ ] Ask\n- [x] Done already\n- a remark\n\n* only\n* bullets\n")
    assert found.names == ("Ask", "Done already")
    assert classes(found) == ["task-list-item step-1", "task-list-item step-2"]


def test_numbered_items_and_tasks_count_together_in_reading_order() -> None:
    assert steps("1. one\n2. [ ] two\n\n- [ ] three\n").names == ("one", "two", "three")


@pytest.mark.parametrize(
    "inside",
    ["1. deeper\n   2. deeper still", "- bullet", "- [ ] a task of it", "> 1. quoted", "```\n   1. a command\n   ```"],
)
def test_what_is_nested_belongs_to_its_step(inside: str) -> None:
    found = steps(f"1. Look\n\n   {inside}\n\n2. Go\n")
    assert found.names == ("Look", "Go")
    assert classes(found) == ["step-1", "step-2"]


def test_a_list_within_a_quote_or_a_note_has_no_steps() -> None:
    found = steps("> 1. quoted\n\n:::note\n1. noted\n:::\n\n## Look\n")
    assert (found.names, found.anchors) == (("Look",), ("look",))


def test_where_there_are_no_items_the_sections_are_the_steps() -> None:
    found = steps("# Title\n\nText.\n\n## Look\n\n- bullet\n\n### Deeper\n\n## Öffnen & `go`\n\n## Look\n")
    assert found.names == ("Look", "Öffnen & go", "Look")
    assert found.anchors == ("look", "öffnen--go", "look-1")
    assert classes(found) == []


@pytest.mark.parametrize("text", ["", "\n", "Only text.", "# Title\n\n### Deep\n", "- bullets\n- alone\n"])
def test_a_text_may_have_no_steps(text: str) -> None:
    assert (steps(text).names, steps(text).anchors) == ((), ())


def test_a_name_is_what_a_reader_sees_in_one_line() -> None:
    found = steps("1. Run `ss -ltn` on **db1**, see\n   [the port](port.md)\n\n   More of it.\n")
    assert found.names == ("Run ss -ltn on db1, see the port",)


def test_a_long_name_is_cut_at_a_word() -> None:
    (named, whole, unbroken) = steps(f"1. {'wörd ' * 40}\n2. {'x' * 80}\n3. {'y' * 500}\n").names
    assert named == " ".join(["wörd"] * 16) + " …"
    assert whole == "x" * 80
    assert unbroken == "y" * 80 + " …"


def test_the_article_itself_is_left_as_it_is() -> None:
    document = parse_markdown("1. a step that is marked\n- [ ] and a task\n")
    before = [dict(token.attrs) for token in document.tokens]
    assert steps_of(document).names == steps_of(document).names == ("a step that is marked", "and a task")
    assert [dict(token.attrs) for token in document.tokens] == before


def test_many_steps_are_numbered_to_the_last() -> None:
    found = steps("\n".join(f"{n}. do {n}" for n in range(1, 501)))
    assert (len(found.names), classes(found)[-1]) == (500, "step-500")


def test_a_step_says_its_own_words_also_where_it_begins_with_a_command_or_says_nothing() -> None:
    assert steps("1. ```\n   reboot\n   ```\n2. Look\n").names == ("reboot", "Look")
    assert steps("1. Look\n2. \n\n## Rollback\n\nNone.\n").names == ("Look", "")


def test_each_step_has_its_box_and_nothing_else_has(desk: Desk) -> None:
    text = "## Step 1\n\n1. Look\n2. Go\n\n## Step 2\n\n- [ ] Ask\n"
    desk.write("port.md", f"---\ntitle: Port\ntype: runbook\n---\n{text}")
    base = KnowledgeBase(Settings(content=desk.content, data=desk.data, encoder="hashing"))
    base.update()
    client = client_of(base)
    page = client.post("/runs", data={"article": "port"}, headers={"Origin": str(client.base_url)}).text
    boxes = re.findall(r'(<[^<]*>)<form class="tick" id="(step-\d)"', page)
    assert boxes == [
        ('<li class="step-1">', "step-1"),
        ('<li class="step-2">', "step-2"),
        ('<li class="task-list-item step-3">', "step-3"),
    ]
