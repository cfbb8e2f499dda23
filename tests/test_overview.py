"""What one sees who has asked nothing yet: what is new, what is used, what ends; of what one may see."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from indexer.catalogue import Catalogue
from kb_service.access import EVERYTHING, INTERNAL, PUBLIC, Sight
from kb_service.attachments import Attachments
from kb_service.deflection import SuggestionSessions
from kb_service.desk import Desk as Record
from kb_service.feedback import Feedback
from kb_service.incidents import Incidents
from kb_service.overview import MOST, Overview, overview
from kb_service.searches import Searches
from tests.conftest import Desk

Seen = Callable[..., Overview]


def day(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


def ids(articles: tuple[object, ...]) -> list[str]:
    return [str(getattr(one, "id", "")) for one in articles]


class Used:
    """A desk's record in which articles are used."""

    def __init__(self, record: Record) -> None:
        self.record, self.feedback, self.searches = record, Feedback(record), Searches(record)
        self.sessions = SuggestionSessions(record)
        self.incidents, self.attachments = Incidents(record), Attachments(record)

    def opened(self, article: str, times: int = 1) -> None:
        for _ in range(times):
            search = self.searches.keep("search", "x", [article])
            assert search
            self.searches.click(search, article, "r")


@pytest.fixture
def used(tmp_path: Path) -> Used:
    return Used(Record(tmp_path / "desk.db"))


@pytest.fixture
def seen(desk: Desk, used: Used) -> Seen:
    """The overview over articles written as ``name: front matter``, each changed a minute before the one before."""

    def look(sight: Sight = INTERNAL, **articles: str) -> Overview:
        for place, (name, front) in enumerate(articles.items()):
            file = desk.write(f"faq/{name}.md", f"---\ntitle: About {name}\n{front}\n---\nText of {name}.\n")
            at = datetime(2026, 1, 1, tzinfo=UTC).timestamp() - 60 * place
            os.utime(file, (at, at))
        desk.update()
        return overview(Catalogue(desk.index.connection), used.record, sight)

    return look


def test_an_empty_knowledge_base_has_nothing_to_show(seen: Seen) -> None:
    assert seen() == Overview((), (), ())


def test_what_was_changed_last_is_new_and_comes_first(seen: Seen) -> None:
    articles = {f"a{place}": "" for place in range(MOST + 3)}
    assert ids(seen(**articles).new) == [f"faq/a{place}" for place in range(MOST)]


def test_drafts_and_what_one_may_not_see_are_nowhere(seen: Seen, used: Used) -> None:
    hidden = {
        "draft": "workflow_state: draft\naudience: public",
        "retired": "workflow_state: retired\naudience: public",
        "restricted": "audience: restricted\ngroups: [HR]",
        "payroll": "services: [payroll]",
    }
    ending = {name: f"{front}\nreview_by: {day(3)}" for name, front in hidden.items()}
    sight = Sight(services=frozenset({"mail"}))
    for name in (*ending, "shown"):
        used.opened(f"faq/{name}", 3)
    found = seen(sight, **ending, shown=f"services: [Mail]\nvalid_to: {day(5)}")
    assert [ids(one) for one in (found.new, found.used, found.ending)] == [["faq/shown"]] * 3
    everything = seen(EVERYTHING)
    assert set(ids(everything.new)) == {"faq/shown", "faq/restricted", "faq/payroll"}
    assert set(ids(everything.used)) == set(ids(everything.ending)) == set(ids(everything.new))


def test_a_requester_sees_only_what_holds_now_and_nothing_of_what_ends(seen: Seen, used: Used) -> None:
    articles = {
        "internal": f"review_by: {day(3)}",
        "over": "audience: public\nvalid_to: 2020-01-01",
        "soon": f"audience: public\nvalid_from: {day(2)}",
        "now": f"audience: public\nvalid_to: {day(3)}",
    }
    for name in articles:
        used.opened(f"faq/{name}")
    found = seen(PUBLIC, **articles)
    assert (ids(found.new), ids(found.used), found.ending) == (["faq/now"], ["faq/now"], ())


def test_what_is_opened_attached_and_said_to_help_is_used(seen: Seen, used: Used) -> None:
    used.incidents.put({"number": "INC1", "short_description": "x", "service": "mail"})
    for article in ("faq/a", "faq/gone"):
        used.opened(article, 2)
    used.attachments.add("INC1", "faq/b", "r", "resolved_by")
    used.feedback.add("faq/b", "r", "helped")
    session = used.sessions.keep(None, "x", ["faq/b"], None)
    used.sessions.report(session, "opened", article="faq/b", revision="r", number=None, caller=None)
    used.feedback.add("faq/c", "r", "not_helped")
    used.feedback.add("faq/c", "r", "flag", comment="wrong")
    assert ids(seen(**dict.fromkeys("abc", "audience: public")).used) == ["faq/b", "faq/a"]
    # Without the incident both are used twice, and the other one later
    assert ids(seen(PUBLIC).used) == ["faq/b", "faq/a"]
    used.opened("faq/a")
    assert ids(seen(PUBLIC).used) == ["faq/a", "faq/b"]


def test_incidents_that_one_may_not_see_make_nothing_used(seen: Seen, used: Used) -> None:
    used.incidents.put({"number": "INC1", "short_description": "x", "service": "payroll"})
    used.attachments.add("INC1", "faq/a", "r", "attached")
    assert ids(seen(a="audience: public").used) == ["faq/a"]
    assert seen(PUBLIC).used == ()
    assert seen(Sight(services=frozenset({"mail"}))).used == ()
    assert ids(seen(Sight(services=frozenset({"PAYROLL"}))).used) == ["faq/a"]


def test_what_was_used_long_ago_is_not_used_now(seen: Seen, used: Used) -> None:
    used.opened("faq/a")
    for days, expected in ((6.9, ["faq/a"]), (7.1, [])):
        at = (datetime.now(UTC) - timedelta(days=days)).isoformat()
        used.record.connection.execute("UPDATE clicks SET at = ?", (at,))
        assert ids(seen(a="").used) == expected


def test_an_article_that_was_renamed_is_listed_once(seen: Seen, used: Used, desk: Desk) -> None:
    assert ids(seen(before="").new) == ["faq/before"]
    used.opened("faq/before", 2)
    (desk.content / "faq/before.md").rename(desk.content / "faq/after.md")
    used.opened("faq/after")
    assert ids(seen().used) == ["faq/after"]


def test_what_ends_or_must_be_reviewed_within_a_month_comes_soonest_first(seen: Seen) -> None:
    ending = {"ends": f"valid_to: {day(20)}", "overdue": "review_by: 2020-01-01", "due": f"review_by: {day(10)}"}
    others = {"later": f"valid_to: {day(40)}", "over": "valid_to: 2020-01-01", "never": ""}
    assert ids(seen(**ending, **others).ending) == ["faq/overdue", "faq/due", "faq/ends"]
