"""Reading an article: what is hostile does nothing, what is long is found, what is wrong is said."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.authors import Service
from tests.browser.conftest import Opened
from tests.browser.test_every_page import violations
from tests.written import article

RAN = "window.ran = true"
HOSTILE = f"""---
title: "Hostile <script>{RAN}</script> & \\"quoted\\""
type: faq
audience: internal
summary: "<img src=x onerror='{RAN}'>"
tags: ["<svg onload='{RAN}'>"]
owner: "<b onmouseover='{RAN}'>o</b>"
odd: "<script>{RAN}</script>"
---
## A heading <script>{RAN}</script>

<script>{RAN}</script><img src=x onerror="{RAN}"><svg onload="{RAN}"></svg><iframe srcdoc="<script>{RAN}</script>">
<style>body {{ display: none }}</style><form action="https://evil.example"><input autofocus onfocus="{RAN}">

[click](javascript:{RAN}) [data](data:text/html,<script>{RAN}</script>) ![x](javascript:{RAN})
[a "title](x "t\\" onmouseover=\\"{RAN}")

```html" onload="{RAN}
<script>{RAN}</script>
```

| a | b |
|---|---|
| <img src=x onerror="{RAN}"> | `<script>{RAN}</script>` |
"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("hostile")
    content = folder / "content"
    content.mkdir()
    (content / "hostile.md").write_text(HOSTILE, "utf-8")
    terms = f"---\ntitle: Hostile <img src=x onerror='{RAN}'>\ntype: glossary\n---\nSaid of <script>{RAN}</script>.\n"
    (content / "term.md").write_text(terms, "utf-8")
    (content / "video.md").write_text("# Video\n\n![How to reset](reset.mp4)\n", "utf-8")
    (content / "odd.md").write_text(FLAGGED, "utf-8")
    (content / "called.md").write_text(CALLED_AS_OURS, "utf-8")
    (content / "letter.md").write_text("---\ntitle: Letter\ntype: template\n---\n" + FIELDS_AS_OURS, "utf-8")
    (content / "plan.png").write_bytes(b"\x89PNG")
    (content / "reset.mp4").write_bytes(b"no video at all")
    (content / "reset.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:02.000\nHold the reset button\n", "utf-8")
    service = Service(folder / "data", KB_CONTENT=str(content))
    with service.running() as client:
        yield str(client.base_url)


# Headings as the page calls its own parts, and fields as a form calls its own
CALLED_AS_OURS = "---\ntitle: Called\ntype: runbook\n---\n" + "\n".join(
    f"## {one}\n\n1. Do `{{{{{one}}}}}`\n"
    for one in (
        "Flag",
        "Said",
        "Run",
        "Say",
        "Main",
        "Search",
        "Fill",
        "Step 1",
        "Attached",
        "trustedTypes {#trustedTypes}",
    )
)
FIELDS_AS_OURS = "Dear " + ", ".join(f"[{one}]" for one in ("elements", "token", "action", "addEventListener", "Name"))


# What a pointer and the keyboard do to everything on a page, but open it
TOUCHED = """() => { for (const one of document.querySelectorAll('main *'))
  for (const event of ['mouseover', 'mouseenter', 'focus', 'load', 'error', 'toggle'])
    one.dispatchEvent(new Event(event))
}"""


@pytest.mark.parametrize("path", ["/a/hostile", "/?q=hostile+script", "/a/term", "/glossary", "/publishing", "/"])
def test_nothing_of_an_article_runs_or_is_asked_of_another_site(hostile: str, opened: Opened, path: str) -> None:
    page = opened(hostile)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(hostile + path, wait_until="networkidle")
    page.evaluate(TOUCHED)
    assert page.evaluate("window.ran") is None
    assert [url for url in asked if not url.startswith(f"{hostile}/")] == []
    assert page.locator("main script, main iframe, main style, main svg, main [onerror], main [onload]").count() == 0
    assert page.locator("a[href^=javascript], a[href^=data]").count() == 0


def test_no_script_may_stand_in_a_page(hostile: str, browser: Browser) -> None:
    """Were one let through after all, the browser would not run it."""
    page = browser.new_page()
    page.goto(f"{hostile}/a/hostile")
    policy = page.request.get(f"{hostile}/a/hostile").headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    with page.expect_console_message(lambda line: "Content Security Policy" in line.text):
        page.evaluate(
            "() => document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))"
        )
    assert page.evaluate("window.ran") is None
    page.close()


CUES = """() => new Promise(done => {
  const track = document.querySelector('track');
  track.track.mode = 'hidden';
  if (track.readyState === 2) done(track.track.cues.length);
  track.addEventListener('load', () => done(track.track.cues.length));
  track.addEventListener('error', () => done('error'));
})"""


def test_a_video_has_its_captions_and_what_is_said_in_it(hostile: str, opened: Opened) -> None:
    page = opened(hostile, "/a/video")
    assert page.evaluate(CUES) == 1
    page.get_by_text("What is said").click()
    expect(page.get_by_text("Hold the reset button")).to_be_visible()
    assert violations(page) == []


def test_code_is_copied_and_sections_have_addresses(demo: str, opened: Opened) -> None:
    page = opened(demo, "/a/runbooks/disk-full-linux")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    block = page.locator(".code").first
    block.get_by_role("button", name="Copy this code").click()
    expect(page.locator("#said")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == block.locator("pre").inner_text().rstrip("\n")
    page.locator("nav.contents a").last.click()
    anchor = page.url.rpartition("#")[2]
    expect(page.locator(f"[id='{anchor}']")).to_be_in_viewport()


def test_a_term_is_explained_on_focus_and_escape_takes_it_away(demo: str, opened: Opened) -> None:
    page = opened(demo, "/a/faq/sla-or-ola")
    term = page.locator(".text a.term").first
    term.focus()
    tip = page.locator(".text .tip").first
    expect(tip).to_be_visible()
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()


def test_a_paragraph_is_flagged_where_it_stands(demo: str, opened: Opened) -> None:
    page = opened(demo, "/a/runbooks/wifi-drops")
    heading = page.locator(".text h2").first
    heading.hover()
    heading.get_by_role("button").click()
    page.keyboard.type("The menu is called otherwise now")
    page.get_by_role("button", name="Flag it for the owner").click()
    expect(page.locator(".banner.good")).to_contain_text("The owner sees what you wrote")
    page.goto(f"{demo}/publishing")
    expect(page.locator("section[aria-labelledby=flagged]")).to_contain_text("The menu is called otherwise now")


def test_a_single_paragraph_is_flagged_by_the_pointer_or_by_the_keyboard(demo: str, opened: Opened) -> None:
    page = opened(demo, "/a/runbooks/wifi-drops")
    paragraph = page.locator(".text li").first
    begins = paragraph.inner_text()[:20]
    paragraph.hover()
    page.get_by_role("button", name="Flag this paragraph").click()
    page.keyboard.type("Not any more")
    written = page.get_by_label("What is wrong").input_value()
    assert written.startswith(f"“{begins}")
    assert written.endswith("”\nNot any more")
    where = page.get_by_label("Where")
    chosen = where.locator("option:checked").inner_text()
    assert chosen.startswith(f"– {begins}")
    where.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("What is wrong")).not_to_have_value(written)
    written = page.get_by_label("What is wrong").input_value()
    assert begins not in written
    assert written.endswith("”\nNot any more")
    page.get_by_role("button", name="Flag it for the owner").click()
    page.goto(f"{demo}/publishing")
    expect(page.locator("section[aria-labelledby=flagged]")).to_contain_text("”\nNot any more")


FLAGGED = """# Odd

- Open the menu
  - then this

| a | b |
|---|---|
| left | right |

![The plan](plan.png)
"""


def test_whatever_says_something_can_be_flagged(hostile: str, opened: Opened) -> None:
    page = opened(hostile, "/a/odd")
    page.get_by_text("Something is wrong in it").click()
    offered = page.get_by_label("Where").locator("option").all_inner_texts()
    assert offered == ["the whole", "– Open the menu", "– then this", "– a | b", "– left | right", "– The plan"]
    for text in ("Open the menu", "left"):
        page.locator(".text").get_by_text(text).hover(position={"x": 5, "y": 5})
        page.get_by_role("button", name="Flag this paragraph").click()
        expect(page.get_by_label("What is wrong")).to_have_value(re.compile(f"^“{text}"))


def test_a_template_is_filled_in_while_one_types(demo: str, opened: Opened) -> None:
    page = opened(demo, "/a/templates/call-opening-lines")
    page.get_by_label("Customer's Name").fill("Ms <b>Okafor</b> [Your Name] $&")
    page.get_by_label("Your Name", exact=True).fill("Ann")
    text = page.locator(".text").inner_text()
    assert "Ms <b>Okafor</b> [Your Name] $&" in text
    assert "you are talking to Ann" in text
    assert "[Customer's Name]" not in text
    page.get_by_label("Customer's Name").fill("")
    assert "[Customer's Name]" in page.locator(".text").inner_text()


def test_what_differs_from_place_to_place_is_written_over_where_it_stands(demo: str, opened: Opened) -> None:
    page = opened(demo, "/a/templates/major-incident-first-notice")
    page.get_by_label("Service", exact=True).fill("Mail")
    expect(page.locator('#fill input[name="field:time, time zone"]')).to_have_count(0)
    places = page.locator(".text").get_by_role("textbox", name="time, time zone")
    many = places.count()
    assert many > 2
    places.nth(0).click()
    page.keyboard.type("02:14 CET")
    places.nth(1).click()
    page.keyboard.type("03:00 CET")
    places.nth(2).focus()
    page.keyboard.press("Delete")
    page.keyboard.press("Tab")
    said = page.locator(".text").inner_text()
    assert (said.count("02:14 CET"), said.count("03:00 CET")) == (1, 1)
    assert said.count("[time, time zone]") == many - 2
    assert "Mail" in said


def test_a_template_is_filled_in_without_script_too(demo: str, opened: Opened) -> None:
    page = opened(demo, "/a/templates/call-opening-lines", java_script_enabled=False)
    page.get_by_label("Your Name", exact=True).fill("Ann")
    page.get_by_role("button", name="Fill in").click()
    assert "you are talking to Ann" in page.locator(".text").inner_text()


def test_what_is_printed_is_the_article(demo: str, opened: Opened, tmp_path: Path) -> None:
    page = opened(demo, "/a/runbooks/check-port")
    page.emulate_media(media="print")
    for one in ("body > header", ".beside", ".code > button", "nav.contents"):
        expect(page.locator(one).first).to_be_hidden()
    expect(page.locator("article h1")).to_be_visible()
    expect(page.locator(".text pre").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("getComputedStyle(document.querySelector('.text table')).display") == "table"
    page.pdf(path=tmp_path / "printed.pdf")
    assert (tmp_path / "printed.pdf").read_bytes().startswith(b"%PDF")


def test_what_an_article_calls_its_headings_and_fields_is_not_taken_for_a_part_of_the_page(
    hostile: str, opened: Opened
) -> None:
    page = opened(hostile, "/a/called")
    page.get_by_role("link", name="Run it").click()
    expect(page.get_by_role("button", name="Begin")).to_be_in_viewport()
    page.locator(".text h2").first.hover()
    page.get_by_role("button", name="Flag “Flag”").click()
    expect(page.get_by_label("What is wrong")).to_be_focused()
    page.get_by_role("button", name="Begin").click()
    page.wait_for_url("**/runs/*")
    page.get_by_role("button", name="Step 1 done").click()
    expect(page.locator(".progress")).to_contain_text("1 of")
    expect(page.locator("p#said")).to_contain_text("1 of")
    page.goto(f"{hostile}/a/letter")
    page.get_by_label("elements").fill("first")
    page.get_by_label("Name").fill("Ann")
    expect(page.locator(".text")).to_contain_text("Dear first, [token], [action], [addEventListener], Ann")


def test_a_template_with_such_fields_is_filled_in_without_script_too(hostile: str, opened: Opened) -> None:
    page = opened(hostile, "/a/letter", java_script_enabled=False)
    page.get_by_label("token").fill("mine")
    page.get_by_role("button", name="Fill in").click()
    expect(page.locator(".text")).to_contain_text("Dear [elements], mine")


def test_a_saved_file_is_shown_unless_somebody_has_written_something(tmp_path: Path, opened: Opened) -> None:
    content = tmp_path / "content"
    content.mkdir()
    (content / "vpn.md").write_text(article("VPN", "Restart the client."), "utf-8")
    service = Service(tmp_path / "data", KB_CONTENT=str(content))
    with service.running("--watch") as client:
        address = str(client.base_url).rstrip("/")
        page, writing = opened(address, "/a/vpn"), opened(address, "/triage")
        writing.get_by_label("What came in").fill("VPN drops")
        (content / "vpn.md").write_text(article("VPN", "Renew the lease."), "utf-8")
        expect(page.locator(".text")).to_contain_text("Renew the lease.")
        expect(writing.locator("#said")).to_contain_text("The articles have changed")
        expect(writing.get_by_label("What came in")).to_have_value("VPN drops")
        (content / "vpn.md").write_text("---\ntitle: a: b\n---\n", "utf-8")
        expect(page.locator(".banner")).to_contain_text("vpn.md:2: broken YAML")
        expect(page.locator(".text")).to_contain_text("Renew the lease.")
        # They go on asking
        for one in (page, writing):
            one.context.close()
    assert service.log.read_text().count("refused vpn.md:2: broken YAML") == 1
