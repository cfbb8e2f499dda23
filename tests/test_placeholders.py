"""What is to be filled in, what is not, and that nothing that is filled in does more than stand there."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.html import render_html
from indexer.markdown import Document, parse_markdown
from kb_service.placeholders import (
    MOST_LETTERS,
    clean,
    command_fields,
    text_fields,
    with_commands_filled,
    with_texts_filled,
)


def html(document: Document) -> str:
    return render_html(document, lambda target: target)


def test_fields_of_commands_are_in_code_of_any_kind_each_once_in_order() -> None:
    text = "`ping {{host}}` {{not in code}}\n\n```bash\nssh {{ user }}@{{host}}\n```\n\n    dig {{a.b-c d_e}}\n"
    assert command_fields(parse_markdown(text)) == ("host", "user", "a.b-c d_e")
    assert text_fields(parse_markdown(text)) == ()


@pytest.mark.parametrize(
    "code",
    [
        "{{ $labels.instance }}", "{{< note >}}", "{{% note %}}", "{{ .Values.x }}", "{{ if x | y }}", "{{}}", "{host}",
        "{{ 1st }}", "{{ }}", "{{a\nb}}", "{{" + "x" * 50 + "}}", "${HOST}", "{{host}", "{{ f(x) }}",
    ],
)  # fmt: skip
def test_variables_of_template_languages_are_no_fields_and_stay(code: str) -> None:
    document = parse_markdown(f"```\n{code}\n```\n")
    assert command_fields(document) == ()
    filled = with_commands_filled(document, {code.strip("{} $"): "no", "host": "no", "a": "no"})
    assert html(filled) == html(document)


def test_fields_of_texts_stand_in_brackets_in_text_and_code() -> None:
    text = "Dear [Customer's Name],\n\n- **[Größe]** of [Name 2]\n\n`to [Name 2]`\n\n```\n[Ticket]\n```\n"
    assert text_fields(parse_markdown(text)) == ("Customer's Name", "Größe", "Name 2", "Ticket")


def test_what_has_no_capital_is_another_thing_in_each_place() -> None:
    text = (
        "[Service] is down since [time], [what] for [Service]. Next at [time]. [größe] and [größe], [名前] and [名前]\n"
    )
    document = parse_markdown(text)
    assert text_fields(document) == ("Service", "what", "名前")
    filled = html(with_texts_filled(document, {"Service": "Mail", "time": "10:00", "what": "slow"}))
    assert "Mail is down since [time], slow for Mail. Next at [time]." in filled


@pytest.mark.parametrize(
    "text",
    [
        "[a](b)", "![a](b.png)", "[a][r]\n\n[r]: there", "[r]\n\n[r]: there", "- [ ] to do\n- [x] done\n- [X] done",
        "1. [x] done", "said[^1]\n\n[^1]: so", "[1]", "[ ]", "[]", "[_x]", "[" + "x" * 90 + "]", "[two\nlines]",
    ],
)  # fmt: skip
def test_links_boxes_and_notes_are_no_fields_and_stay(text: str) -> None:
    document = parse_markdown(text)
    assert text_fields(document) == ()
    assert html(with_texts_filled(document, dict.fromkeys(["a", "r", "x", "X", " ", "", "^1", "1"], "no"))) == html(
        document
    )


def test_what_is_known_is_filled_in_everywhere_and_the_rest_stays() -> None:
    document = parse_markdown("`ping {{ host }}` {{host}}\n\n```bash\nssh {{host}} {{port}}\n```\n")
    filled = html(with_commands_filled(document, {"host": "db1", "port": " \n", "other": "x"}))
    assert "ping db1</code> {{host}}" in filled
    assert command_fields(with_commands_filled(document, {"host": "db1", "port": " \n"})) == ("port",)
    text = with_texts_filled(parse_markdown("## For [Name]\n\n**[Name]** has `[Code]`, [Rest].\n"), {"Name": "Änne"})
    assert [one.title for one in text.sections if one.level] == ["For Änne"]
    assert text_fields(text) == ("Code", "Rest")
    assert html(text).count("Änne") == 2


def test_a_value_that_looks_like_a_field_is_not_filled_in_again() -> None:
    commands = with_commands_filled(parse_markdown("`{{a}} {{b}}`"), {"a": "{{b}}", "b": "{{a}}"})
    assert "<code>{{b}} {{a}}</code>" in html(commands)
    texts = with_texts_filled(parse_markdown("[Aa] [Bb]"), {"Aa": "[Bb]", "Bb": r"\1 \g<0>"})
    assert html(texts) == "<p>[Bb] \\1 \\g&lt;0&gt;</p>\n"


def test_a_value_is_text_whatever_it_says() -> None:
    hostile = "**bold** [x](javascript:alert(1)) <script>alert(1)</script> ``` & \"'"
    filled = html(with_texts_filled(parse_markdown("[Name] `[Name]`"), {"Name": hostile}))
    assert "&lt;script&gt;" in filled
    assert all(tag not in filled for tag in ("<script", "<strong", "<a "))


def test_a_value_that_is_pasted_cannot_run_by_itself() -> None:
    filled = with_commands_filled(
        parse_markdown("```\nping {{host}}\n```"), {"host": "db1\r\nrm\u2028-rf /\n\x1b[2J\x00"}
    )
    assert filled.tokens[0].content == "ping db1 rm -rf / [2J\n"


def test_the_article_itself_is_left_as_it_is() -> None:
    document = parse_markdown("`{{host}}` [Name]")
    before = html(document)
    assert html(with_commands_filled(document, {"host": "x"})) != before
    assert html(with_texts_filled(document, {"Name": "x"})) != before
    assert html(document) == before


def test_of_very_many_fields_the_first_are_asked_for() -> None:
    document = parse_markdown("```\n" + "\n".join(f"{{{{f{n}}}}} [F{n}]" for n in range(1_000)) + "\n```\n")
    assert command_fields(document) == tuple(f"f{n}" for n in range(60))
    assert len(text_fields(document)) == 60


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=600))
def test_a_filled_value_is_one_line_and_no_longer_than_its_most(value: str) -> None:
    line = clean(value)
    assert len(line) <= MOST_LETTERS
    assert len(line.splitlines()) <= 1
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in line)
    code = with_commands_filled(parse_markdown("`{{x}}`"), {"x": value}).tokens[1].children
    assert code
    assert code[0].content == (line or "{{x}}")


@pytest.mark.parametrize("text", ["`${{ github.sha }}`", "`{{{x}}}`"])
def test_what_another_template_language_fills_in_is_no_field(text: str) -> None:
    assert command_fields(parse_markdown(text)) == ()


@pytest.mark.parametrize("text", ["Look at [x] here.", "Then `a[i]` is printed.", "![Name](p.png)"])
def test_a_box_a_place_and_a_picture_are_no_fields_of_a_text(text: str) -> None:
    assert text_fields(parse_markdown(text)) == ()
    assert (
        with_texts_filled(parse_markdown(text), {"x": "y", "i": "y", "Name": "y"}).tokens == parse_markdown(text).tokens
    )
