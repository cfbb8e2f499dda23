"""Text becomes an object, or every problem it has, with its line."""

import json
from datetime import UTC, date, datetime

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer import KnowledgeObject, Problem, parse, plain_yaml
from indexer.frontmatter import json_schema
from indexer.git import blob_id
from indexer.knowledge import MAX_FILE_BYTES, id_of_path
from tests.fuzz.articles import as_the_whole_of_yaml_reads_it


def known(text: str, path: str = "notes/vpn.md") -> KnowledgeObject:
    parsed = parse(path, text.encode())
    assert isinstance(parsed, KnowledgeObject), parsed
    return parsed


def refused(text: str | bytes, path: str = "notes/vpn.md") -> list[Problem]:
    parsed = parse(path, text if isinstance(text, bytes) else text.encode())
    assert isinstance(parsed, list), parsed
    return parsed


def test_only_a_title_is_needed() -> None:
    knowledge = known("---\ntitle: VPN\n---\nText.\n")
    assert (knowledge.id, knowledge.workflow_state, knowledge.audience) == ("notes/vpn", "published", "internal")
    assert knowledge.body_line == 4


@pytest.mark.parametrize(
    ("path", "text", "title"),
    [
        ("a/KubePodCrashLooping.md", "---\ntitle: Pod restarts\n---\n# Other", "Pod restarts"),
        ("a/KubePodCrashLooping.md", "# Pod `restarts`\n\ntext", "Pod restarts"),
        ("a/port.md", "## Only heading\n\ntext", "Only heading"),
        ("a/port-check.md", "## Symptoms\n\ntext\n\n## Steps\n\ntext", "Port check"),
        ("a/KubePodCrashLooping.md", "text", "Kube Pod Crash Looping"),
        ("a/check_port-52311.html.md", "text", "Check port 52311"),
        ("vpn/README.md", "text", "Vpn"),
        ("a/b.md", "---\ntitle: no\n---\n", "no"),
        ("a/b.md", "---\ntitle: 1.10\n---\n", "1.10"),
    ],
)
def test_titles(path: str, text: str, title: str) -> None:
    assert known(text, path).title == title


@pytest.mark.parametrize(
    ("path", "text", "kind"),
    [
        ("runbooks/x.md", "text", "runbook"),
        ("team/runbooks/linux/x.md", "text", "runbook"),
        ("FAQs/x.md", "text", "faq"),
        ("x.md", "# How do I reset it?\n\nSo.", "faq"),
        ("x.md", "# X\n## Meaning\na\n## Impact\nb\n## Diagnosis\nc", "runbook"),
        ("x.md", "RFI\n: Request for information\n\nRFP\n: Request for proposal", "glossary"),
        ("x.md", "# Network glossary\n\ntext", "glossary"),
        ("x.md", "text", "howto"),
        ("runbooks/x.md", "---\ntype: faq\n---\n", "faq"),
    ],
)
def test_types(path: str, text: str, kind: str) -> None:
    assert known(text, path).type == kind


def test_fields_are_read_as_written() -> None:
    knowledge = known(
        "---\nid: 0123\ntitle: T\ntags: vpn, remote\nservices: [vpn]\nvalid_from: 2026-01-01\n"
        "valid_to: 2026-01-31\nreview_by: 2027-05-31\nweight: 20\nnested: {a: [1, 2026-01-01]}\n---\n"
    )
    assert (knowledge.id, knowledge.tags, knowledge.services) == ("0123", ("vpn", "remote"), ("vpn",))
    assert knowledge.valid_from == datetime(2026, 1, 1, tzinfo=UTC)
    assert knowledge.valid_to == datetime(2026, 1, 31, 23, 59, 59, 999999, UTC)
    assert knowledge.review_by == date(2027, 5, 31)
    assert knowledge.extra == {"weight": 20, "nested": {"a": [1, "2026-01-01"]}}


def test_the_type_of_another_program_is_kept_and_a_misspelt_one_of_ours_refused() -> None:
    foreign = known("---\ntitle: T\nlayout: manual\ntype: learn\n---\n")
    assert (foreign.type, foreign.extra["type"]) == ("howto", "learn")
    (misspelt,) = refused("---\ntitle: T\nlayout: manual\ntype: runbok\n---\n")
    assert "'runbook' was meant" in misspelt.remedy
    assert refused("---\ntitle: T\ntype: learn\n---\n")


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("---\ntitle: a: b\n---\n", 2, "broken YAML"),
        ("---\ntitle: T\ntags: [a\n---\n", 3, "broken YAML"),
        ("---\ntitle: T\nx: &a [1]\n---\n", 3, "anchors"),
        ("---\ntitle: T\nx: *a\n---\n", 3, "anchors"),
        ("---\ntitle: T\ntitle: U\n---\n", 3, "stands twice"),
        ("---\ntitle: [a]\n---\n", 2, "title"),
        ("---\ntitle: T\ntype: nonsense\n---\n", 3, "type is 'nonsense'"),
        ("---\ntitle: T\ntier: L9\n---\n", 3, "tier"),
        ("---\ntitle: T\nvalid_from: 2026-02-01\nvalid_to: 2026-01-01\n---\n", 4, "before"),
        ("---\ntitle: T\ngroups: [HR]\n---\n", 3, "everybody of the audience 'internal' would see it"),
        ("---\ntitle: T\naudiance: restricted\n---\n", 3, "'audiance' is no key"),
        ("---\ntitle: T\nAudience: restricted\n---\n", 3, "without 'audience' more people would see this"),
        ("---\ntitle: T\nworkflow-state: draft\n---\n", 3, "without 'workflow_state'"),
        ("---\ntitle: T\nvalidFrom: 2999-01-01\n---\n", 3, "without 'valid_from'"),
        ("---\ntitle: T\nreview_by: soon\n---\n", 3, "review_by"),
        ("---\ntitle: T\nid: ../../etc/passwd\n---\n", 3, "id"),
        ("---\ntitle: T\ntags: {a: b}\n---\n", 3, "tags"),
        ("---\ntitle: T\nx: " + "[" * 20 + "]" * 20 + "\n---\n", 3, "nested"),
        ("---\ntitle: T\n", 1, "never closed"),
        ("---\n- a\n- b\n---\n", 2, "key: value"),
        ("---\ntitle: " + "x" * 20_000 + "\n---\n", 1, "bytes"),
        (b"---\ntitle: T\n---\n\nna\xefve", 5, "UTF-8"),
        (b"title\n\x00", 2, "NUL"),
        (b"x" * (MAX_FILE_BYTES + 1), 1, "bytes"),
        ("---\ntitle: T\nvalid_from: 0001-01-01T00:00:00+14:00\n---\n", 3, "no such time"),
        ("---\ntitle: T\nvalid_to: 9999-12-31T23:00:00-14:00\n---\n", 3, "no such time"),
        ('---\ntitle: "\\e[2J"\n---\n', 2, "control character"),
        ('---\ntitle: T\n"\\ud800": "\\udfff"\n---\n', 3, "control character"),
        ("---\ntitle: T\nid: a\u202eb\n---\n", 3, "cannot be seen"),
        ("---\ntitle: T\nx: !!bool maybe\n---\n", 3, "tags"),
        ("---\n%YAML 1.1\n--- {x: +_}\n---\n", 2, "directives"),
        ("---\n%TAG ! a\n--- {x: 1}\n---\n", 2, "directives"),
        ("---\ntitle: T\nx: {[a]: 1, ? [b, [c]] : 2}\n---\n", 3, "broken YAML"),
        ("---\ntitle: T\nx: 0x" + "f" * 15_000 + "\n---\n", 3, "broken YAML"),
        ('---\ntier: "L9' + "x" * 9_000 + '\\u202e"\n---\n', 2, "tier is 'L9x"),
        ('---\n"\\u202e": 1\n"\\u202e": 2\n---\n', 3, "stands twice"),
        ("---\ntitle: T\n---\n" + "word\n: meaning\n" * 10_000, 1, "20,000 is the most"),
    ],
)
def test_refusals_name_the_line(text: str | bytes, line: int, says: str) -> None:
    problem = refused(text)[0]
    assert (problem.path, problem.line) == ("notes/vpn.md", line)
    assert says in problem.problem
    assert problem.problem.isprintable()
    assert len(problem.problem) < 300
    assert problem.remedy


def test_a_slip_in_a_key_that_hides_nothing_and_a_key_of_another_program_are_kept() -> None:
    said = "---\ntitle: T\nTitle: U\naudience: public\naudiences: [dev]\nstate: draft\nexpires: 2026-01-01\n---\n"
    assert known(said).extra.keys() == {"Title", "audiences", "state", "expires"}


def test_all_problems_of_a_file_in_one_go() -> None:
    problems = refused("---\ntitle: T\ntype: x1\ntier: L9\nreview_by: soon\naudience: all\n---\n")
    assert sorted(problem.line for problem in problems) == [3, 4, 5, 6]


def test_a_key_left_blank_is_a_key_left_out() -> None:
    knowledge = known(
        '---\ntitle: "  "\ntags:\nsummary:\naudience:\nworkflow_state: ""\ntier: ""\nreview_by: \n---\n# VPN\n'
    )
    assert (knowledge.title, knowledge.audience, knowledge.tags, knowledge.tier) == ("VPN", "internal", (), None)


def test_a_number_longer_than_programs_take_is_kept_as_text() -> None:
    assert known(f"---\na: {2**63 - 1}\nb: {2**63}\n---\n").extra == {"a": 2**63 - 1, "b": str(2**63)}


@pytest.mark.parametrize(("path", "object_id"), [("a/b.md", "a/b"), ("...md", "...md"), ("a/..md", "a/..md")])
def test_an_id_is_a_path_without_its_ending_and_never_a_step_up(path: str, object_id: str) -> None:
    assert id_of_path(path) == object_id


def test_no_text_commands_a_terminal() -> None:
    knowledge = known("# A\x1b]0;x\x07 log\n\n```\n\x1b[31mred\x9b\n```\n")
    assert (knowledge.title, knowledge.body) == ("A ]0;x log", "# A ]0;x  log\n\n```\n [31mred \n```\n")


def test_a_thematic_break_is_no_front_matter() -> None:
    assert known("---\n\nText\n").body.startswith("---")


def test_front_matter_may_be_empty() -> None:
    for empty in ("---\n---\n", "---\n...\n", "---\n\n---\n"):
        assert known(f"{empty}# VPN\n\ntext\n\n---\n\nmore\n").body == "# VPN\n\ntext\n\n---\n\nmore\n"


def test_windows_line_ends_and_a_byte_order_mark() -> None:
    knowledge = parse("a.md", b"\xef\xbb\xbf---\r\ntitle: T\r\n---\r\nText\r\n")
    assert isinstance(knowledge, KnowledgeObject)
    assert (knowledge.title, knowledge.body) == ("T", "Text\n")


def test_a_revision_is_git_s_name_of_the_bytes() -> None:
    assert blob_id(b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"


def test_the_schema_takes_what_the_parser_takes() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    good = {
        "title": "T",
        "tags": "a, b",
        "services": ["x"],
        "groups": "HR",
        "valid_to": "2026-01-01",
        "own": {"kept": 1},
    }
    jsonschema.validate(json.loads(json.dumps(good)), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"title": "T", "type": "nonsense"}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"type": "faq"}, schema)


@given(
    st.binary(max_size=400) | st.text(max_size=400).map(lambda text: f"---\n{text}\n---\nx".encode("utf-8", "ignore"))
)
def test_any_bytes_are_an_object_or_problems(data: bytes) -> None:
    parsed = parse("a/b.md", data)
    if isinstance(parsed, KnowledgeObject):
        assert parsed.id
        assert isinstance(parsed.title, str)
        json.dumps(dict(parsed.extra))
    else:
        assert parsed
        assert all(problem.problem and problem.remedy and problem.line >= 1 for problem in parsed)


LINES = st.lists(
    st.one_of(
        st.text("ab01: -[]{}&*!\\\"'|>#?,%@`~=<.+\t\x07\u2028\xa0é", max_size=14),
        st.sampled_from(
            [
                "a: b",
                "tags: [a, b]",
                "b:",
                "- a",
                "  - b",
                "c: 'd'",
                'd: "x',
                "x: [a: b]",
                "- a: b",
                "  e: f",
                "f: |",
                "g: >-",
                "h: no",
                "i: 0123",
                "j: 2027-05-31",
                "k: ~",
                "l: 1:30",
                "m: [http://a.b/c, 'd', \"e\"]",
                "n: 'a",
                "- 'b'",
                "- - c",
            ]
        ),
    ),
    max_size=6,
).map("\n".join)


@given(LINES)
def test_what_looks_plain_at_a_glance_is_read_as_the_whole_of_yaml_reads_it(front: str) -> None:
    as_the_whole_of_yaml_reads_it(front)


def test_usual_front_matter_looks_plain() -> None:
    assert plain_yaml.compose("title: Is a port open?\ntags: [net, vpn]\nrelated:\n  - a/b\n  - c\nid: 'x'\n")
    assert not plain_yaml.compose("a:\n  - b:\n    - c:\n")
    assert not plain_yaml.compose("a: &b c\n")
    assert not plain_yaml.compose("a: b: c\n")


@pytest.mark.parametrize("front", ["a:\n" + "- " * 5_000 + "b", "a:\n" + "".join(" " * n + "- \n" for n in range(150))])
def test_lists_in_lists_without_end_are_refused(front: str) -> None:
    assert plain_yaml.compose(front) is None
    problems = parse("a.md", f"---\n{front}\n---\nx".encode())
    assert isinstance(problems, list)
    (problem,) = problems
    assert "nested over 8 deep" in problem.problem or "broken YAML" in problem.problem


def test_without_libyaml_the_whole_of_yaml_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.plain_yaml._LOADER", None)
    found = parse("a.md", b"---\ntitle: Is a port open?\ntags: [net, vpn]\n---\nx")
    assert isinstance(found, KnowledgeObject)
    assert (found.title, found.tags) == ("Is a port open?", ("net", "vpn"))


def test_values_are_those_of_yaml_1_2_whoever_reads_them() -> None:
    said = "a: no\nb: 0123\nc: 1:30\nd: 0x1F\ne: [on, 12, 1.5, true, null]\n"
    (plain, whole) = (parse("a.md", f"---\ntitle: T\n{said}{more}---\nx".encode()) for more in ("", "f: {g: h}\n"))
    assert isinstance(plain, KnowledgeObject)
    assert isinstance(whole, KnowledgeObject)
    read = dict(plain.extra)
    assert read == {name: value for name, value in whole.extra.items() if name != "f"}
    assert read == {"a": "no", "b": 123, "c": "1:30", "d": 31, "e": ["on", 12, 1.5, True, None]}
