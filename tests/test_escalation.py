"""As what, and to whom: incident or case with the reason, the group of those like it, the article on being on call."""

from pathlib import Path

import pytest

from kb_service import Searcher
from kb_service.access import INTERNAL
from kb_service.escalation import escalation, kind_of
from kb_service.related import Like
from kb_service.vocabulary import Level
from tests.conftest import Desk
from tests.test_related import NOISE, PRINTER, Records, row

H, M, L = "high", "medium", "low"


@pytest.mark.parametrize(
    ("text", "impact", "urgency", "kind", "reason"),
    [
        # It tells of a failure
        ("Outlook crashes when I open an attachment", None, None, "incident", "tells of a failure ('crashes')"),
        ("cannot print", None, None, "incident", "('cannot')"),
        ("The portal is down", None, None, "incident", "('down')"),
        ("HTTP 503 at checkout", None, None, "incident", "('503')"),
        ("VPN disconnects every hour", None, None, "incident", "('disconnects')"),
        ("Drucker: Fehler 12", None, None, "incident", "when in doubt, restore first"),
        ("", None, None, "incident", "when in doubt, restore first"),
        # It asks for something
        ("How do I connect from home?", None, None, "case", "asks for something ('How do')"),
        ("please give me access to the finance folder", None, None, "case", "('please give')"),
        ("New laptop for a colleague who starts in May", None, None, "case", "('New laptop')"),
        ("I need access to the project share", None, None, "case", "asks for something"),
        ("Where is the form for a mobile?", None, None, "case", "asks for something"),
        # A failure in the words of a question is one all the same
        ("Can I get help, my screen is broken?", None, None, "incident", "('broken')"),
        ("why is the intranet not working?", None, None, "incident", "tells of a failure"),
        ("Got a new phone, authenticator shows nothing", None, None, "incident", "when in doubt, restore first"),
        ("Outlook on my new laptop?\n0x80070005", None, None, "incident", "('0x80070005')"),
        # Impact and urgency go before the words
        ("How do I connect from home?", H, H, "incident", "impact high, urgency high: service is disturbed"),
        ("please give me access to the folder", L, H, "incident", "must be restored (P3)"),
        ("please give me access to the folder", M, M, "incident", "(P3)"),
        ("please give me access to the folder", L, L, "case", "impact low, urgency low, and it asks for something"),
        ("headset crackles", L, L, "incident", "impact low, urgency low: taken for a failure"),
        ("headset is broken", L, M, "incident", "impact low, urgency medium, and it tells of a failure"),
        # One of the two alone gives no priority
        ("please give me access to the folder", H, None, "case", "impact and urgency are not said"),
    ],
)
def test_incident_or_case(text: str, impact: Level | None, urgency: Level | None, kind: str, reason: str) -> None:
    found = kind_of(text, impact, urgency)
    assert (found.suggested, reason in found.reason) == (kind, True), found


@pytest.fixture
def articles(desk: Desk) -> Searcher:
    desk.write(
        "runbooks/printer.md",
        f"---\ntitle: {PRINTER}\ntype: runbook\ntier: L2\nowner: print-team\n---\n{PRINTER}\n",
    )
    desk.write("faq/on-call.md", "---\ntitle: Who is on call\ntags: [on-call]\n---\nHow to call: look into the plan.\n")
    desk.write(
        "faq/whom-to-ring.md",
        "---\ntitle: Who is on call\ntags: [on-call]\nservices: [vpn]\n---\nHow to call: look into the plan.\n",
    )
    desk.write("glossary/on-call.md", "---\ntitle: On call\ntags: [on-call]\n---\nWho is on call, how to call.\n")
    desk.update()
    return Searcher(desk.index, desk.encoder)


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path)


def test_tier_and_owner_are_the_article_s_and_the_group_that_of_those_like_it(
    articles: Searcher, records: Records
) -> None:
    groups = ["print-team", "print-team", "workplace"]
    records.put(
        row("INC100", PRINTER),
        *(row(f"INC{n}", PRINTER, state="closed", assignment_group=group) for n, group in enumerate(groups)),
        *({**one, "assignment_group": "facilities"} for one in NOISE),
    )
    found = records.triage(articles, "INC100").escalation
    assert (found.tier, found.owner, found.article) == ("L2", "print-team", "runbooks/printer")
    assert found.group
    assert (found.group.name, set(found.group.incidents)) == ("print-team", {"INC0", "INC1"})
    assert found.group.share == pytest.approx(2 / 3, abs=0.01)
    assert not found.urgent
    assert found.reason == f"{PRINTER} is L2, owned by print-team; 67% of those like it ended with print-team"


def test_where_nothing_is_known_it_says_so(articles: Searcher, records: Records) -> None:
    records.put(row("INC100", "zzz"), *NOISE)
    found = records.triage(articles, "INC100").escalation
    assert (found.tier, found.owner, found.article, found.group) == (None, None, None, None)
    assert found.reason == "nothing like it is known: the escalation policy of the desk applies"


@pytest.mark.parametrize(
    ("priority", "flood", "urgent", "reason"),
    [
        ("P1", False, True, "call, do not wait in a queue: it is P1"),
        ("P2", False, True, "it is P2"),
        ("P3", False, False, "nothing like it is known"),
        (None, True, True, "call, do not wait in a queue: it may be a major incident"),
    ],
)
def test_what_is_urgent_is_called_in(
    articles: Searcher, priority: str | None, flood: bool, urgent: bool, reason: str
) -> None:
    found = escalation(articles, INTERNAL, (), (), None, priority=priority, flood=flood)  # type: ignore[arg-type]
    assert (found.urgent, reason in found.reason) == (urgent, True)


@pytest.mark.parametrize(
    ("service", "wanted"), [("vpn", "faq/whom-to-ring"), ("mail", "faq/on-call"), (None, "faq/on-call")]
)
def test_the_on_call_article_of_the_service_goes_before_the_general_one(
    articles: Searcher, records: Records, service: str | None, wanted: str
) -> None:
    records.put(row("INC100", "zzz", service=service))
    found = records.triage(articles, "INC100").escalation.on_call
    assert found
    assert found.id == wanted


def test_our_own_article_on_being_on_call_is_found(searcher: Searcher) -> None:
    found = escalation(searcher, INTERNAL, (), (), "web", priority="P1", flood=False).on_call
    assert found
    assert (found.id, found.type) == ("faq/when-to-call-on-call", "faq")


def test_without_an_article_on_it_nobody_is_named(desk: Desk) -> None:
    desk.write("a.md", "---\ntitle: Who is on call\n---\nHow to call.\n")
    desk.update()
    searcher = Searcher(desk.index, desk.encoder)
    assert escalation(searcher, INTERNAL, (), (), None, priority=None, flood=False).on_call is None


def test_only_what_is_alike_speaks_for_a_group(articles: Searcher, records: Records) -> None:
    records.put(*({**one, "assignment_group": "facilities"} for one in NOISE))
    related = records.related.find(Like("badge reader and coffee machine, calendar and headset"))
    assert escalation(
        articles, INTERNAL, (), [one for one in related.open if one.probability < 0.3], None,
        priority=None, flood=False,
    ).group is None  # fmt: skip
