"""Every rule asked at once: in order, only of what is asked for, and as the options say."""

import re
import time
from collections.abc import Mapping
from typing import Any

import pytest

from indexer import Encoder, VectorCache, WorkingTree
from indexer.check import Meaning
from indexer.check_options import Options
from tests.checking import check
from tests.conftest import CONTENT, Desk

OWNED = "---\nowner: service-desk\nreview_by: 2099-01-01\n---\n"


def found(desk: Desk, paths: set[str] | None = None, **options: Any) -> list[tuple[str, int, str]]:
    findings = check(WorkingTree(desk.content), Options.model_validate(options), paths=paths)
    return [(one.path, one.line, one.rule) for one in findings]


def test_our_own_content_is_clean(encoder: Encoder, model_cache: Any) -> None:
    cache = VectorCache(model_cache / "vectors.db", encoder.identity)
    findings = check(WorkingTree(CONTENT), meaning=Meaning(encoder, cache))
    cache.close()
    assert [str(finding) for finding in findings] == []


def test_findings_come_by_file_and_line(desk: Desk) -> None:
    desk.write("good.md", f"{OWNED}# Good")
    desk.write("a.md", "---\ntitle: T\ntier: L9\naudience: all\n---\n")
    desk.write("b.md", "---\ntitle: a: b\n---\n")
    desk.write("c.md", f"---\nid: good\n{OWNED[4:]}# C\n\n[x](x.md) and\n[y](y.md)\n")
    assert found(desk) == [
        ("a.md", 3, "refused"),
        ("a.md", 4, "refused"),
        ("b.md", 2, "refused"),
        ("c.md", 2, "duplicate-id"),
        ("c.md", 8, "broken-link"),
        ("c.md", 9, "broken-link"),
        ("good.md", 1, "duplicate-id"),
    ]


def test_a_finding_says_what_where_and_what_to_do(desk: Desk) -> None:
    desk.write("a.md", f"{OWNED}[x](b.md)")
    (finding,) = check(WorkingTree(desk.content))
    assert str(finding) == "a.md:5: error broken-link: there is no 'b.md'. Mend the path, or write the article"


def test_paths_limit_what_is_reported_and_not_what_is_read(desk: Desk) -> None:
    desk.write("a.md", f"{OWNED}[x](b.md) [y](c.md)")
    desk.write("b.md", "# B")
    desk.write("C.md", f"{OWNED}# C")
    assert found(desk, {"a.md"}) == [("a.md", 5, "broken-link")]
    assert found(desk, {"C.md"}) == []


@pytest.mark.parametrize(
    ("options", "rules"),
    [
        ({}, {"missing-owner", "missing-review-date", "undefined-abbreviation", "prose-command"}),
        ({"disable": ["missing-owner", "prose-command"]}, {"missing-review-date", "undefined-abbreviation"}),
        (
            {"ignore": {"notes/*": ["missing-owner"]}},
            {"missing-review-date", "undefined-abbreviation", "prose-command"},
        ),
        ({"ignore": {"notes/deep/*": ["*"]}}, set()),
        ({"ignore": {"*.md": ["*"]}}, set()),
        (
            {"ignore": {"a/*": ["*"]}, "known_abbreviations": ["ZDX"], "undated_types": ["howto"]},
            {"missing-owner", "prose-command"},
        ),
    ],
)
def test_rules_are_switched_and_tuned(desk: Desk, options: Mapping[str, Any], rules: set[str]) -> None:
    desk.write("notes/deep/a.md", "# Note\n\nAsk the ZDX team.\n\nRun ipconfig /all there.\n")
    assert {rule for _, _, rule in found(desk, **options)} == rules


def test_a_severity_is_the_rule_s_unless_set(desk: Desk) -> None:
    desk.write("a.md", "---\nowner: service-desk\n---\n# A")
    (finding,) = check(WorkingTree(desk.content))
    assert finding.severity == "warning"
    (finding,) = check(WorkingTree(desk.content), Options(severity={"missing-review-date": "error"}))
    assert finding.severity == "error"


@pytest.mark.parametrize(
    ("rule", "text", "option"),
    [
        ("overdue-review", "---\nowner: o\nreview_by: 2020-01-01\n---\n# A", {"review_grace_days": 100_000}),
        ("long-section", f"{OWNED}# A\n\n{'word ' * 800}", {"section_most_tokens": 900}),
        ("vague-question", f"---\ntype: faq\n{OWNED[4:]}# How do I {'very ' * 20}?", {"question_most_words": 30}),
        (
            "no-rollback",
            f"---\ntype: runbook\n{OWNED[4:]}# A\n## Verification\nx\n## Escalation\nx\n## Ruhestand\nx",
            {"rollback_headings": ["ruhestand"]},
        ),
    ],
)
def test_thresholds_are_options(desk: Desk, rule: str, text: str, option: Mapping[str, Any]) -> None:
    desk.write("a.md", text)
    assert [name for _, _, name in found(desk)] == [rule]
    assert found(desk, **option) == []


def test_a_secret_is_never_printed(desk: Desk) -> None:
    desk.write("a.md", f"{OWNED}The password is Winter2024! and the key is\nAKIA{'Z7Q3MVUP4LX2WTRB'}.")
    findings = check(WorkingTree(desk.content))
    assert [finding.problem for finding in findings] == [
        "a secret in the text: password (11 characters)",
        "a secret in the text: AWS access key AKIA… (20 characters)",
    ]


SECRET = "S3cret!pass9"  # noqa: S105 (nobody's)


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("prose-command", f"Run mysql -u root -p{SECRET} on the server."),
        ("prose-command", f"Run mysql -u root -h db.example.com -p{SECRET} there."),
        ("broken-link", f"[x](ftp://bob:{SECRET}@files.example.com)"),
        ("broken-link", "[x](ftp://bob:S3crét!pass9@files.example.com)"),
        ("broken-picture", f"![x](ftp://root:{SECRET}@a.example.com/{'long/' * 20})"),
        ("broken-picture", f"![x](ftp://administrator-of-the-files-of-all-the-desks:{SECRET}@a.example.com)"),
        ("skipped-heading", f"#### The password is {SECRET}"),
    ],
)
def test_no_other_rule_prints_a_secret_either(desk: Desk, rule: str, line: str) -> None:
    desk.write("a.md", f"{OWNED}{line}")
    findings = check(WorkingTree(desk.content))
    assert {one.rule for one in findings} == {"secret", rule}
    assert not any(part in f"{one}" for one in findings for part in ("S3cr", "S3", "pass9"))


def test_a_related_place_prints_no_secret(desk: Desk, encoder: Encoder) -> None:
    text = f"{OWNED}# A\n\n## The password is {SECRET}\n\n{'The spooler is restarted by the agent at night. ' * 4}"
    desk.write("a.md", text)
    desk.write("b.md", text)
    meaning = Meaning(encoder, VectorCache(desk.data / "cache.db", encoder.identity))
    findings = check(WorkingTree(desk.content), meaning=meaning)
    meaning.cache.close()
    assert any(one.related for one in findings)
    assert not any(SECRET in repr(one) for one in findings)


def test_a_finding_is_one_line(desk: Desk) -> None:
    desk.write("a.md", f"{OWNED}[x](<a%0Ab.md>)")
    (finding,) = check(WorkingTree(desk.content))
    assert finding.problem == "there is no 'a b.md'"


def test_a_file_that_cannot_be_read_is_refused_and_the_others_are_checked(desk: Desk) -> None:
    class Unreadable(WorkingTree):
        def read(self, path: str) -> bytes:
            if path == "a.md":
                raise PermissionError(13, "Permission denied")
            return super().read(path)

    desk.write("a.md", "# A")
    desk.write("b.md", f"{OWNED}[a](a.md)")
    findings = check(Unreadable(desk.content))
    assert [(one.path, one.problem) for one in findings] == [
        ("a.md", "cannot be read: Permission denied"),
        ("b.md", "'a.md' is refused, so that readers get no link"),
    ]


def test_likeness_is_sought_of_the_paths_asked_for_against_all(desk: Desk, encoder: Encoder) -> None:
    copy = "Write the note before the shift ends, and read it aloud together. Set your tickets to the group.\n"
    desk.write("a.md", f"{OWNED}# Shift change\n\n## Steps\n\n{copy}")
    desk.write("b.md", f"{OWNED}# Hand over\n\n## What to do\n\n{copy}")
    desk.write(
        "c.md", f"{OWNED}# Order a phone\n\nAsk in the portal for a phone; it comes by post within two weeks or so.\n"
    )
    meaning = Meaning(encoder, VectorCache(desk.data / "cache.db", encoder.identity))
    (finding,) = check(WorkingTree(desk.content), paths={"b.md", "c.md"}, meaning=meaning)
    assert (finding.path, finding.rule) == ("b.md", "near-duplicate")
    assert finding.problem == "says the same as a.md, 100% alike"
    assert [(one.path, one.line, one.text) for one in finding.related] == [
        ("a.md", 7, "'What to do' ~ 'Steps', 100% alike")
    ]
    assert check(WorkingTree(desk.content), Options(disable=("near-duplicate",)), meaning=meaning) == []
    meaning.cache.close()


def test_what_was_compared_once_is_not_encoded_again(desk: Desk, encoder: Encoder) -> None:
    class Counting:
        identity, dimension, max_tokens = encoder.identity, encoder.dimension, encoder.max_tokens
        counter = None
        encoded = 0

        def count_tokens(self, text: str) -> int:
            return encoder.count_tokens(text)

        def encode(self, texts: Any, kind: Any = "passage") -> Any:
            self.encoded += len(texts)
            return encoder.encode(texts, kind)

    counting = Counting()
    for name in "abc":
        desk.write(
            f"{name}.md", f"{OWNED}# Title\n\n" + f"The {name} article says something of its own about {name}. " * 3
        )
    meaning = Meaning(counting, VectorCache(desk.data / "cache.db", encoder.identity))
    check(WorkingTree(desk.content), meaning=meaning)
    assert counting.encoded == 3
    check(WorkingTree(desk.content), meaning=meaning)
    assert counting.encoded == 3
    meaning.cache.close()


def test_a_part_of_another_article_is_told(desk: Desk, encoder: Encoder) -> None:
    part = (CONTENT / "runbooks" / "wifi-drops.md").read_text("utf-8")
    more = (CONTENT / "howto" / "write-a-good-incident-description.md").read_text("utf-8").split("---\n", 2)[2]
    desk.write("runbooks/part.md", part.replace("Update the adapter's driver", "Renew the driver of the adapter"))
    desk.write("runbooks/whole.md", f"{part}\n\n## How to write it down\n\n{more}".replace("title: ", "title: All of "))
    meaning = Meaning(encoder, VectorCache(desk.data / "cache.db", encoder.identity))
    findings = check(WorkingTree(desk.content), Options(near_duplicate=0.9), meaning=meaning)
    (told,) = (one for one in findings if one.rule == "near-duplicate")
    assert told.path == "runbooks/part.md"
    assert re.fullmatch(r"is wholly said in runbooks/whole\.md, (9[5-9]|100)% alike", told.problem)
    meaning.cache.close()


@pytest.mark.breaking
@pytest.mark.parametrize(
    "text",
    [
        "<!-- ",
        "[a][b] ",
        "](a(b",
        '"a ',
        "ABC ",
        "ABC (A) ",
        "sudo a ",
        "[a](b.md) ",
        "`a``",
        "PS C:\\",
        "PS C:\\ ",
        "mysql ",
        "curl ",
        "eyJ-",
        "sk-",
        "# a\n",
        "- [ ] a\n",
    ],
)
def test_no_text_takes_long(desk: Desk, text: str) -> None:
    """Where a pattern looks at all that follows from each place on, twice the text takes four times as long."""

    def seconds(letters: int) -> float:
        desk.write("a.md", text * (letters // len(text)))
        start = time.process_time()
        found(desk)
        return time.process_time() - start

    seconds(100)
    # Once is enough: on a busy machine a run now and then takes long, a pattern of that kind each time
    assert any(seconds(80_000) < 3 * seconds(40_000) + 0.3 for _ in range(3))


def test_many_broken_anchors_do_not_take_long(desk: Desk) -> None:
    desk.write("a.md", "".join(f"## Heading {n}\n\n[x](#broken-{n})\n\n" for n in range(2_000)))
    start = time.process_time()
    assert len(found(desk, disable=["missing-owner", "missing-review-date"])) == 2_000
    assert time.process_time() - start < 5


def test_no_bytes_break_the_check(desk: Desk) -> None:
    for number, data in enumerate(
        [b"", b"\xff", b"\0", b"---\n", b"# \n[](", b"[a](http://[)", b"![](//x)", b"[x]: y"]
    ):
        (desk.content / f"{number}.md").write_bytes(data)
    assert found(desk)
