"""A draft from a resolved record: what it takes over, under which heading, and what never gets into it."""

import re
import time
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from indexer import KnowledgeObject, parse
from indexer.language import ENGLISH
from indexer.markdown import parse_markdown
from indexer.skeletons import guidance_left
from kb_service.additions import additions
from kb_service.draft_sources import tier_of
from kb_service.drafting import (
    Draft,
    DraftType,
    NotDraftableError,
    Sources,
    draft,
    require_resolved,
    title_of,
    type_of,
)
from kb_service.incident import Incident
from kb_service.markdown_text import as_markdown
from kb_service.new_article import text_of
from tests.test_redaction import EMAILS, NAMES, PHONES, TOKENS, USERS


def incident(number: str = "INC1", **fields: Any) -> Incident:
    given = {
        "short_description": "VPN drops after an hour",
        "description": "Session ends at 60 minutes, error 809.",
        "state": "closed",
        "resolved_at": datetime(2026, 3, 14, 9, tzinfo=UTC),
        "close_notes": "Cause: the gateway proposes another group. Client profile renewed.",
    }
    return Incident(number=number, **{**given, **fields})


DRAFT_TYPES: tuple[DraftType, ...] = get_args(DraftType)
PROBLEM: dict[str, Any] = {"kind": "problem", "workaround": "Connect again before the hour is up."}


def article(made: Draft) -> KnowledgeObject:
    parsed = parse("runbooks/x.md", text_of(made.what, made.body).encode())
    assert isinstance(parsed, KnowledgeObject), parsed
    return parsed


def sections(made: Draft) -> dict[str, str]:
    """What is written below each heading, without the guidance."""
    kept = "\n".join(line for line in made.body.split("\n") if not line.startswith(">"))
    heads = re.split(r"^## (.+)$", f"\n{kept}", flags=re.MULTILINE)
    return {"": heads[0].strip(), **{name: text.strip() for name, text in zip(heads[1::2], heads[2::2], strict=True)}}


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"state": "new"}, "INC1 is new: what resolves it is not known yet. Resolve it with close notes"),
        ({"state": "in_progress"}, "is in progress"),
        ({"state": "on_hold", "kind": "problem"}, "is on hold"),
        ({"state": "canceled"}, "was canceled: nothing resolved it. Start by 'kb new"),
        ({"close_notes": ""}, "INC1 does not say what resolved it. Give it close notes first, or start by 'kb new"),
    ],
)
def test_a_record_without_an_end_is_refused_with_what_to_do(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(NotDraftableError, match=says):
        require_resolved(incident(**fields))


@pytest.mark.parametrize("fields", [{"state": "resolved"}, {"state": "closed"}, {**PROBLEM, "state": "in_progress"}])
def test_one_with_an_end_or_a_workaround_is_taken(fields: dict[str, Any]) -> None:
    require_resolved(incident(**fields))


@pytest.mark.parametrize(
    ("fields", "problem", "kind"),
    [
        ({}, None, "runbook"),
        (PROBLEM, None, "known-error"),
        ({"known_error": True}, None, "known-error"),
        ({}, incident("PRB1", **PROBLEM), "known-error"),
        ({"kind": "case", "short_description": "How do I share a folder?"}, None, "faq"),
        ({"kind": "case", "short_description": "Share a folder with finance"}, None, "howto"),
        ({"short_description": "Please give me access to the folder", "description": ""}, None, "howto"),
    ],
)
def test_the_type_is_what_the_record_is_about(fields: dict[str, Any], problem: Incident | None, kind: str) -> None:
    assert type_of(incident(**fields), problem) == kind


@pytest.mark.parametrize(
    ("kind", "fields", "wanted"),
    [
        ("runbook", {}, {"Symptoms": "Session ends at 60", "Steps": "Client profile renewed."}),
        (
            "known-error",
            {},
            {"Symptoms": "error 809", "Cause": "The gateway proposes another group.", "Workaround": "Client profile"},
        ),
        ("known-error", PROBLEM, {"Workaround": "before the hour is up", "Permanent fix": "Client profile renewed"}),
        ("faq", {}, {"": "Client profile renewed."}),
        ("howto", {}, {"Before you start": "Asked for as: Session ends", "Steps": "Client profile renewed."}),
        ("howto", {"description": "10. a\n\n    b"}, {"Before you start": "Asked for as: 10. a\n\nb"}),
        ("runbook", {"description": ""}, {"Symptoms": "VPN drops after an hour"}),
        ("runbook", {"cmdb_ci": "vpn-gw-1"}, {"Symptoms": "Seen on `vpn-gw-1`."}),
    ],
)
def test_what_the_record_says_stands_under_its_heading(
    kind: DraftType, fields: dict[str, Any], wanted: dict[str, str]
) -> None:
    found = sections(draft(Sources(incident(**fields)), kind))
    for heading, text in wanted.items():
        assert text in found[heading], heading


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("For some reason the printer went offline.", ""),
        ("This may cause the printer to fail.", ""),
        ("Root cause: disk full. Cleaned.", "Disk full."),
        ("The root cause was a full disk. Cleaned.", "A full disk."),
        ("Reason: disk full. Cleaned.", "Disk full."),
        ("The reason is: disk full. Cleaned.", "Disk full."),
    ],
)
def test_a_cause_is_what_is_said_to_be_one(said: str, cause: str) -> None:
    made = draft(Sources(incident(description="It fails.", close_notes=said)), "known-error")
    assert sections(made)["Cause"] == cause


@pytest.mark.breaking
@pytest.mark.parametrize(
    "piece", ["cause ", "cause: ", "reason was ", "cause:          ", " ", "- ", "_", "<", "[a]: "]
)
def test_the_longest_text_of_a_record_is_drawn_from_at_once(piece: str) -> None:
    text = "cause:" + piece * (99_000 // len(piece))
    started = time.process_time()
    draft(Sources(incident(description=text, close_notes=text)), "known-error")
    assert time.process_time() - started < 5


@pytest.mark.parametrize("kind", DRAFT_TYPES)
def test_a_draft_is_valid_unfinished_and_takes_over_what_is_known(kind: DraftType) -> None:
    source = incident(service="vpn", category="network", assignment_group="Network Operations")
    made = draft(
        Sources(source),
        kind,
        owners=["service-desk", "network-operations"],
        tier="L2",
        attached=[("runbooks/a", "A")],
        related=["runbooks/b", "runbooks/a"],
    )
    one = article(made)
    assert (one.type, one.workflow_state, one.audience, one.tier) == (kind, "draft", "internal", "L2")
    assert (one.services, one.tags, one.owner) == (("vpn",), ("network",), "network-operations")
    assert one.related == ("runbooks/a", "runbooks/b")
    assert one.title == "VPN drops after an hour"
    assert guidance_left(one.body)
    assert "- Articles used: A (`runbooks/a`)" in one.body


def test_the_evidence_is_listed_by_number_with_how_each_ended() -> None:
    like = incident("INC2", short_description="vpn stops!", close_notes="Profile\nrenewed.", resolved_at=None)
    made = draft(Sources(incident(), (like,)), "runbook")
    assert sections(made)["Drawn from"].split("\n") == [
        "- INC1 (incident, closed, 2026-03-14): VPN drops after an hour – Cause: the gateway proposes another group."
        " Client profile renewed.",
        "- INC2 (incident, closed): vpn stops! – Profile renewed.",
    ]
    assert made.drawn_from == ("INC1", "INC2")
    assert article(made).aliases == ("vpn stops",)


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        ({"short_description": "checkout again!!"}, "Checkout again"),
        ({"short_description": "[redacted: name]: printer is dark"}, "Printer is dark"),
        ({"short_description": "[redacted: name] sees nothing"}, "[redacted: name] sees nothing"),
        ({"short_description": "", "description": "It fails. Since today."}, "It fails"),
        ({"short_description": "word " * 60}, "Word " + "word " * 23 + "…"),
        ({"short_description": "!!!", "description": "x"}, "INC1"),
        ({"short_description": "\x01", "description": "It fails."}, "It fails"),
        ({"short_description": "\x01\x02", "description": "\x03"}, "INC1"),
    ],
)
def test_the_title_is_how_it_was_reported(fields: dict[str, Any], title: str) -> None:
    assert title_of(incident(**fields)) == title


@pytest.mark.parametrize(
    ("fields", "tier"),
    [
        ({"extra": {"tier": "l2"}}, "L2"),
        ({"assignment_group": "Network L3"}, "L3"),
        ({"extra": {"support_level": "high"}, "assignment_group": "XL2000"}, None),
    ],
)
def test_the_tier_is_what_the_record_says(fields: dict[str, Any], tier: str | None) -> None:
    assert tier_of(incident(**fields)) == tier


def test_who_and_what_is_personal_goes_from_all_records_and_is_counted() -> None:
    own = incident(
        short_description="Jane cannot print",
        description="Hi team,\nJane's printer at LAP-JDOE fails, call +1 202 555 0175.\nRegards,\nJane Doe",
        close_notes="user jdoe unlocked, password set to Winter2026!",
        cmdb_ci="LAP-JDOE",
        service="printing",
        assignment_group="jane.doe@acme.com",
        extra={"caller_id": "Jane Doe", "location": "Berlin"},
    )
    other = incident("INC2", short_description="Tom and jane cannot print", extra={"opened_by": "Tom Riddle"})
    made = draft(Sources(own, (other,)), "runbook")
    text = text_of(made.what, made.body)
    for gone in ("Jane", "Doe", "jdoe", "JDOE", "Tom", "Riddle", "555", "Winter2026", "acme", "Berlin"):
        assert gone not in text, gone
    assert made.redacted == {"name": 5, "user": 2, "phone": 1, "password": 1}
    assert article(made).owner is None
    assert article(made).services == ("printing",)


SENTENCES = st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=30), max_size=4)


@settings(max_examples=150, deadline=None)
@given(EMAILS, PHONES, TOKENS, NAMES, USERS, SENTENCES, st.sampled_from(DRAFT_TYPES))
def test_nothing_personal_that_was_put_in_comes_out(
    email: str, phone: str, token: str, name: str, user: str, said: list[str], kind: DraftType
) -> None:
    around = "\n".join(said)
    own = incident(
        short_description=f"{name} cannot sign in",
        description=f"{around}\nwrite to {email} or {phone} \n{around}\n\nThanks,\n{name}",
        close_notes=f"user {user} got a token {token} . {around}",
        extra={"caller": name, "u_login": user},
    )
    other = incident("INC2", description=f"{user} again, {email} ", workaround=f"ask {name} {around}")
    made = draft(Sources(own, (other,)), kind)
    one = article(made)
    text = text_of(made.what, made.body)
    assert one.workflow_state == "draft"
    for gone in (email, phone, token, user, name):
        assert gone.casefold() not in text.casefold()


def shown(text: str) -> str:
    """What a reader sees of a Markdown text that is made of nothing but words, bullets and numbered steps."""
    seen: list[str] = []
    numbers: list[int] = []
    for token in parse_markdown(text).tokens:
        match token.type:
            case "ordered_list_open":
                numbers.append(int(token.attrGet("start") or 1))
            case "bullet_list_open":
                numbers.append(-1)
            case "list_item_open":
                seen.append(token.markup if numbers[-1] < 0 else f"{numbers[-1]}{token.markup}")
                numbers[-1] += numbers[-1] > 0
            case "ordered_list_close" | "bullet_list_close":
                numbers.pop()
            case "inline":
                assert token.children is not None
                assert {child.type for child in token.children} <= {"text", "softbreak"}, text
                seen += [child.content or " " for child in token.children]
            case other:
                assert other in {"list_item_close", "paragraph_open", "paragraph_close"}, text
    return "".join("".join(seen).split())


LINES = st.lists(
    st.lists(
        st.sampled_from(
            "- , * , + ,1. ,2. ,3. ,14. ,7) ,#,# ,>,===,---,***,___,~~,~ ,: ,|,`,``,```,\\,(,),[a],[ ] ,[x] ,![p](http://x)"
            ",[a]: b,<a:b>,&amp;,:::,!!! ,???,note,text,_it_,snake_case_,*b*,a*b,\\\\fs01\\share,C:\\_temp\\,__init__"
            ", ,    ,\t".split(",")
        ),
        max_size=5,
    ).flatmap(lambda words: st.sampled_from([" ", ""]).map(lambda between: between.join(words))),
    max_size=9,
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(st.characters(codec="utf-8")), LINES.map("\n".join)))
@example("# heading\n\n---\n===\n```\n~~~\n::: note\n!!! note\n> quote\n[a]: b\n|x|\n    code\n\ttab")
@example("text\n-\ntext\n=")
@example("\x1b   0")
@example("[redacted: email]: is a definition")
@example("\\\\fs01\\share C:\\_temp __init__ ![p](http://x)\\")
@example("a | b\n--- | ---\n- # H\n- ```\n***\n- [ ] x\nterm\n: meaning\n??? x\n- - - x")
@example("1. Open\n\n   the console\n\n2. Go on\n10. ten\n\n    more\n\n14. March\n21. March")
@example("text\n10. ten\n\n    four blanks\n\n- a\n5. b\n\n    c\n\n     d")
def test_plain_text_stays_plain_in_markdown(text: str) -> None:
    made = as_markdown(text)
    parsed = parse("a.md", f"---\ntitle: T\n---\n## Symptoms\n\n{made}\n\n## Steps\n\nlast\n".encode())
    assert isinstance(parsed, KnowledgeObject)
    assert [section.title for section in parsed.document.sections if section.level] == ["Symptoms", "Steps"]
    # The parser shows a control character as a blank
    assert shown(made) == "".join(re.sub("[\x00-\x1f\x7f-\x9f]", " ", text).split())


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("my_file_name.txt costs 3 * 4 & 5 < 6 [see note] ~/x", None),
        ("- one\n  * inside\n- two\n\n  with a paragraph\n", "- one\n  * inside\n- two\n\n  with a paragraph"),
        ("Steps:\n 9. nine\n\n 10. ten\n   - a\n\n     more", "Steps:\n9\\. nine\n\n10. ten\n    - a\n\n    more"),
        ("1. one\n\n\n   more\n2. two", "1. one\n\n   more\n2. two"),
        ("14. March\n21. March", "14. March\n21\\. March"),
        (r"\\fs01\share, C:\temp\new, C:\_x", r"\\\fs01\share, C:\temp\new, C:\\\_x"),
    ],
)
def test_only_what_would_be_read_otherwise_is_escaped(text: str, wanted: str | None) -> None:
    assert as_markdown(text) == (text if wanted is None else wanted)


ARTICLE = KnowledgeObject(
    id="a", type="runbook", title="Backup failed", path="a.md", revision="",
    body="The job log says what failed. Renew the credential and run the job.",
)  # fmt: skip


def test_what_an_incident_adds_is_what_the_article_does_not_say() -> None:
    own = incident(
        short_description="Backup failed",
        description="The job failed. Tape library reports a mechanical fault, ORA-19502. See INC0012345.",
        close_notes="Renewed the credential, ran the job; cleaning cartridge inserted before.",
    )
    found = additions(own, ARTICLE, ENGLISH)
    assert found.seen == ("Tape library reports a mechanical fault, ORA-19502.",)
    assert found.helped == ("cleaning cartridge inserted before.",)
    assert found.codes == ("ORA-19502",)
    assert not additions(
        incident(short_description="backup", description="", close_notes="Run the job."), ARTICLE, ENGLISH
    )
