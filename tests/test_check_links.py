"""What is wrong with a link, and what was meant."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from indexer import WorkingTree
from indexer.check import check_library
from indexer.library import read_library
from tests.checking import check
from tests.conftest import Desk


def said(desk: Desk, text: str) -> list[str]:
    desk.write("runbooks/deep/new.md", "# New\n\n## A Heading\n\n## A Heading\n\n> ## Quoted\n")
    desk.write("faq/with id.md", "---\nid: answers/forty-two\n---\n# Answer")
    for name in ("pictures/a.png", "faq/b.svg", "faq/form.pdf", "faq/how.vtt", "faq/how.mp4", "faq/clip.mp4"):
        desk.write(name, "")
    desk.write("faq/a.md", text)
    findings = check(WorkingTree(desk.content), paths={"faq/a.md"})
    rules = ("broken", "renamed")
    return [f"{one.rule}: {one.problem}. {one.remedy}" for one in findings if one.rule.startswith(rules)]


@pytest.mark.parametrize(
    "text",
    [
        "[a](../runbooks/deep/new.md) [b](../runbooks/deep/new.md#a-heading-1) [c](../runbooks/deep/new.md#quoted)",
        "[a](<with id.md>) [b](with%20id.md) [c](../answers/forty-two) [d](../runbooks/deep/new)",
        "[a](#title)\n\n# Title",
        "![a](../pictures/a.png) [b](../pictures/a.png) [e](how.mp4) ![d](how.mp4)",
        "[a](https://www.ietf.org/a.md) <mailto:a@example.com> [b](tel:+49301234)",
        "---\nrelated: [answers/forty-two, runbooks/deep/new]\n---\n",
        "`[a](none.md)`",
    ],
)
def test_what_leads_somewhere_is_no_fault(desk: Desk, text: str) -> None:
    assert said(desk, text) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[a](new.md)", "broken-link: there is no 'faq/new.md'. '../runbooks/deep/new.md' was meant?"),
        (
            "[a](../runbook/deep/neu.md)",
            "broken-link: there is no 'runbook/deep/neu.md'. '../runbooks/deep/new.md' was",
        ),
        ("[a](xyz.md)", "broken-link: there is no 'faq/xyz.md'. Mend the path, or write the article"),
        (
            "[a](/runbooks/deep/new.md)",
            "broken-link: '/runbooks/deep/new.md' leads out of the content. Link to ../runb",
        ),
        (
            "[a](../../x.md)",
            "broken-link: '../../x.md' leads out of the content. Link to a file of the content, relative",
        ),
        ("[a](form.pdf)", "broken-link: 'form.pdf' is not an article, so that readers get no link. Link to an article"),
        ("[a](b.svg)", "broken-link: 'b.svg' is not an article"),
        ("[a](../runbooks)", "broken-link: there is no 'runbooks'"),
        ("[a](ms-settings:display)", "broken-link: 'ms-settings:display' is not shown as a link"),
        ("[a](//files/share)", "broken-link: '//files/share' is not shown as a link"),
        ("[a][b]", "broken-link: the link's reference [b] is defined nowhere. Define it, as in [b]: other-article.md"),
        ("[a](#titel)\n\n# Title", "broken-anchor: faq/a.md has no heading '#titel'. '#title' was meant?"),
        (
            "[a](../runbooks/deep/new.md#a-heading-2)",
            "broken-anchor: runbooks/deep/new.md has no heading '#a-heading-2'",
        ),
        ("![a](A.png)", "broken-picture: there is no picture 'faq/A.png'"),
        (
            "![a](../pictures/A.png)",
            "broken-picture: there is no picture 'pictures/A.png'. 'pictures/a.png' was meant?",
        ),
        (
            "![a](https://www.ietf.org/x.png)",
            "broken-picture: a picture of another site is not shown",
        ),
        ("![a](b.svg)", "broken-picture: SVG is not shown. Save it as PNG, JPEG, GIF or WebP"),
        (
            "![a](clip.mp4)",
            "broken-picture: a video is without its words. Put its transcript beside it as .vtt",
        ),
        ("![a](none.mp4)", "broken-picture: there is no picture 'faq/none.mp4'"),
        ("![a](../../x.png)", "broken-picture: the picture '../../x.png' leads out of the content"),
        (
            "---\nrelated: [answers/forty-to]\n---\n",
            "broken-related: related: there is no article 'answers/forty-to'. 'answ",
        ),
    ],
)
def test_what_leads_nowhere_is_told_with_what_was_meant(desk: Desk, text: str, told: str) -> None:
    (found,) = said(desk, text)
    assert found.startswith(told)


def test_former_names_are_looked_through_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write("a.md", "".join(f"[x](gone-{n}.md)\n" for n in range(100)))
    library = read_library(WorkingTree(desk.content), date(2026, 7, 1))
    asked: list[str] = []

    class Names(dict[str, str]):
        def items(self) -> Any:
            asked.append("items")
            return super().items()

    class History:
        def latest_names(self) -> Names:
            return Names({"old.md": "a.md"})

    monkeypatch.setattr(WorkingTree, "history", lambda *_: History())
    assert sum(one.rule == "broken-link" for one in check_library(library)) == 100
    assert asked == ["items"]


def test_a_former_name_works_as_an_id_and_as_a_file(desk: Desk, git: Callable[..., str]) -> None:
    desk.write("runbooks/old.md", "# A long enough article about a thing that was renamed\n\nWith text.\n")
    git(desk.content, "init", "-q")
    git(desk.content, "add", "-A")
    git(desk.content, "commit", "-q", "-m", "write")
    git(desk.content, "mv", "runbooks/old.md", "runbooks/now.md")
    git(desk.content, "commit", "-q", "-m", "rename")
    text = "---\nrelated: [runbooks/old]\n---\n[a](../runbooks/old) [b](../runbooks/old.md)"
    assert said(desk, text) == [
        "renamed-link: related: 'runbooks/old' was renamed. Name it 'runbooks/now'",
        "renamed-link: '../runbooks/old' works only because runbooks/now.md once had that name. "
        "Link to ../runbooks/now.md",
        "renamed-link: '../runbooks/old.md' works only because runbooks/now.md once had that name. "
        "Link to ../runbooks/now.md",
    ]
