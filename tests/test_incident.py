"""Whatever a program says of a record: taken, or refused with each wrong field named."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kb_service.desk import Desk
from kb_service.incident import FIELDS, MOST_LETTERS, MOST_LETTERS_SHORT, Incident, InvalidIncidentError, incident_of
from kb_service.incident_rows import fields_of
from kb_service.incidents import Incidents


def taken(**fields: Any) -> Incident:
    return incident_of({"number": "INC1", "short_description": "x", **fields})


def judged(values: Mapping[str, Any]) -> tuple[Incident | None, dict[str, str]]:
    try:
        return incident_of(values), {}
    except InvalidIncidentError as error:
        return None, {one.field: one.problem for one in error.problems}


def refused(**fields: Any) -> dict[str, str]:
    with pytest.raises(InvalidIncidentError) as caught:
        taken(**fields)
    assert caught.value.remedy
    return {one.field: one.problem for one in caught.value.problems}


@pytest.fixture(scope="module")
def incidents(tmp_path_factory: pytest.TempPathFactory) -> Incidents:
    return Incidents(Desk(tmp_path_factory.mktemp("desk") / "desk.db"))


def test_what_is_not_said() -> None:
    record = taken()
    assert (record.kind, record.state, record.description, record.known_error) == ("incident", "new", "", False)
    blank = taken(kind="", state=None, priority=" ", service="", opened_at="", users_affected="", known_error="")
    assert blank == taken(known_error=None) == record


def test_numbers_and_labels_of_servicenow() -> None:
    record = taken(impact=1, urgency="2 - Medium", priority="1 - Critical", state="2", business_service="web")
    assert (record.impact, record.urgency, record.priority, record.state, record.service) == (
        "high", "medium", "P1", "in_progress", "web",
    )  # fmt: skip
    assert (taken(affected_users="40").users_affected, taken(known_error="true").known_error) == (40, True)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("2026-03-14T08:30:00Z", "2026-03-14T08:30:00+00:00"),
        ("2026-03-14T08:30:00+02:00", "2026-03-14T06:30:00+00:00"),
        ("2026-03-14 08:30:00", "2026-03-14T08:30:00+00:00"),
        (" 2026-03-14T08:30:00.999999-05:30 ", "2026-03-14T14:00:00+00:00"),
        ("2026-03-14", "2026-03-14T00:00:00+00:00"),
        ("1971-01-01T00:00:00", "1971-01-01T00:00:00+00:00"),
        (datetime(2026, 3, 14, 8, 30), "2026-03-14T08:30:00+00:00"),  # noqa: DTZ001
    ],
)
def test_times_are_utc_to_the_second(said: object, meant: str) -> None:
    opened = taken(opened_at=said).opened_at
    assert opened is not None
    assert opened.isoformat() == meant


def test_a_clock_may_go_a_little_ahead() -> None:
    soon = datetime.now(UTC) + timedelta(minutes=4)
    assert taken(opened_at=soon.isoformat()).opened_at == soon.replace(microsecond=0)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("yesterday", "'yesterday' is no date and time such as"),
        ("14/03/2026", "no date and time"),
        ("2026-02-30T00:00:00Z", "no date and time"),
        ("0001-01-01T00:00:00+14:00", "no date and time"),
        ("9999-12-31T23:59:59-14:00", "no date and time"),
        ("9999-12-31T23:59:59Z", "is in the future"),
        ("0001-01-01T00:00:00Z", "is before 1971"),
        ("1970-01-01T00:00:00Z", "leave it out where there is no time"),
        pytest.param((datetime.now(UTC) + timedelta(days=1)).isoformat(), "is in the future", id="tomorrow"),
        (1_700_000_000, "no date and time"),
        (True, "valid datetime"),
        (["2026-03-14"], "valid datetime"),
        ("\ud800", "no date and time"),
    ],
)
def test_what_is_no_time(said: object, why: str) -> None:
    problems = refused(opened_at=said)
    assert list(problems) == ["opened_at"]
    assert why in problems["opened_at"]


def test_it_cannot_be_resolved_before_it_was_opened() -> None:
    later, earlier = "2026-03-14T08:30:00Z", "2026-03-14T08:29:59Z"
    assert refused(state="closed", opened_at=later, resolved_at=earlier) == {"resolved_at": "is before opened_at"}
    assert taken(state="closed", opened_at=later, resolved_at=later).minutes_to_resolve == 0


def test_every_wrong_field_is_named_at_once() -> None:
    problems = refused(
        number="not a number", state="nonsense", priority="P9", impact="huge", opened_at="soon", users_affected=-1,
        known_error="perhaps", service="x" * 201, description=["a"], parent_incident="a b",
    )  # fmt: skip
    assert problems.keys() == {
        "number", "state", "priority", "impact", "opened_at", "users_affected", "known_error", "service", "description",
        "parent_incident",
    }  # fmt: skip
    assert problems["number"] == "'not a number' is no number such as INC0012345: letters, digits, - . _"
    assert problems["service"] == "is longer than 200 characters"


def test_a_number_and_something_said_are_needed() -> None:
    with pytest.raises(InvalidIncidentError) as caught:
        incident_of({})
    assert [str(one) for one in caught.value.problems] == ["number: is missing"]
    assert refused(short_description=" \0 ") == {"short_description": "is missing, and so is a description"}
    assert taken(short_description="", description="said").text == "said"


@pytest.mark.parametrize(
    "number", ["", " ", ".INC", "-1", "a/b", "INC 1", "INC1\n2", "x" * 65, "é1", None, True, [], {}]
)
def test_what_is_no_number(number: object) -> None:
    assert list(refused(number=number)) == ["number"]


@pytest.mark.parametrize("number", ["INC0012345", "ITSM-17", "4711", " INC1 ", 4711, "a.b_c-d", "x" * 64])
def test_what_is_a_number(number: object) -> None:
    assert taken(number=number).number == str(number).strip()


def test_over_long_texts() -> None:
    fits = taken(short_description="x" * MOST_LETTERS_SHORT, description="é" * MOST_LETTERS)
    assert len(fits.text) == MOST_LETTERS_SHORT + MOST_LETTERS + 2
    problems = refused(short_description="x" * (MOST_LETTERS_SHORT + 1), close_notes="x" * (MOST_LETTERS + 1))
    assert problems == {
        "short_description": "is longer than 1,000 characters", "close_notes": "is longer than 100,000 characters",
    }  # fmt: skip


def test_its_parent_is_not_itself() -> None:
    assert refused(parent_incident="inc1") == {"parent_incident": "is the record itself"}


def test_what_no_file_can_hold_is_replaced() -> None:
    record = taken(short_description="a\0b \ud800", service="\udfff", extra_text="\ud800", **{"\ud800": 1})
    assert (record.short_description, record.service) == ("ab ?", "?")
    assert record.extra == {"extra_text": "?", "?": 1}
    assert list(refused(state="\ud800")) == ["state"]


def test_unknown_fields_are_kept() -> None:
    extra = {"u_floor": 3, "tags": ["a", {"b": None}], "ratio": 0.5, "vip": False}
    record = taken(**extra)
    assert record.extra == extra
    assert taken(**extra, extra={"more": 1}).extra == {**extra, "more": 1}


def test_an_unknown_field_hides_no_known_one() -> None:
    record = taken(service="web", extra={"number": "INC9", "state": "closed", "url": "x", "business_service": "mail"})
    assert (record.number, record.state, record.service, record.extra) == ("INC1", "new", "web", {})


def test_numbers_that_json_has_not_are_kept_as_texts() -> None:
    assert taken(ratio=float("nan"), most=float("-inf"), count=10**400).extra == {
        "ratio": "nan", "most": "-inf", "count": 10**400,
    }  # fmt: skip


def test_too_much_of_the_unknown_is_refused() -> None:
    assert list(refused(**{f"u_{n}": n for n in range(101)})) == ["extra"]
    assert list(refused(u_log="x" * MOST_LETTERS)) == ["extra"]
    deep: list[Any] = []
    for _ in range(900):
        deep = [deep]
    assert refused(u_deep=deep) == {"extra": "unknown fields nested more than 20 levels deep"}
    assert refused(u_deep=deep, state="x").keys() == {"extra", "state"}
    assert list(refused(state=deep)) == ["state"]


ODD: tuple[object, ...] = (True, 1.5, [], ["x"], {}, {"a": {"b": []}}, -1, float("nan"))


@pytest.mark.parametrize("name", FIELDS)
def test_odd_types_are_refused_or_read_as_texts(name: str) -> None:
    for odd in ODD:
        record, problems = judged({"number": "INC1", "short_description": "x", name: odd})
        if record is None:
            assert list(problems) == [name]
        else:
            assert isinstance(odd, int | float), f"{name}: {odd!r} is no text"
            assert getattr(record, name) == (odd if isinstance(odd, bool) else str(odd))
            assert (name == "known_error") == isinstance(odd, bool), f"{name}: {odd!r} is no yes or no"


def test_a_record_sent_back_as_we_gave_it_out_is_the_same(incidents: Incidents) -> None:
    everything = {
        "number": "INC100", "kind": "incident", "short_description": "s", "description": "d\n\nd", "service": "web",
        "cmdb_ci": "ci", "category": "c", "impact": "high", "urgency": "low", "priority": "P2", "state": "closed",
        "assignment_group": "g", "opened_at": "2026-03-14T08:30:00Z", "resolved_at": "2026-03-14T09:30:00Z",
        "close_code": "cc", "close_notes": "cn", "parent_incident": "INC101", "problem_id": "PRB1",
        "users_affected": 3, "known_error": True, "workaround": "w", "u_floor": {"x": [1.5, None, "ü"]},
    }  # fmt: skip
    incidents.put(everything)
    given_out = fields_of(incidents.existing("inc100").incident)
    assert given_out == everything
    again = incidents.put(
        json.loads(json.dumps({**given_out, "open": False, "version": 7, "url": "/x", "children": []}))
    )
    assert again.version == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
LIKELY = st.sampled_from(
    ["INC7", "1", "2", "closed", "P1", "2026-03-14T08:30:00+02:00", "0001-01-01", "x", " ", "\0", "\ud800", 3, True]
)
OBJECTS = st.dictionaries(
    st.sampled_from([*FIELDS, "extra", "business_service", "url"]) | st.text(max_size=10), JSON | LIKELY, max_size=8
)


@given(OBJECTS, st.booleans())
@example({"number": "A", "short_description": "x", "state": "closed", "resolved_at": "2020-01-01"}, False)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_object_is_a_record_or_refused_and_comes_back_as_it_was_put(
    incidents: Incidents, said: Mapping[str, Any], whole: bool
) -> None:
    values = {**said, **({"number": "INC7", "short_description": "x"} if whole else {})}
    record, problems = judged(values)
    assert all(problem.encode() for problem in problems.values())
    if record is None:
        return
    try:
        put = incidents.put(values).incident
    except InvalidIncidentError as error:
        # What follows from the record before it and from others
        if {one.field for one in error.problems} <= {"resolved_at", "parent_incident", "problem_id"}:
            return
        raise
    back = incidents.existing(record.number)
    assert back.incident == put
    assert all(getattr(put, name) == getattr(record, name) for name in FIELDS if getattr(record, name) is not None
               and name not in {"number", "resolved_at"})  # fmt: skip
    assert put.extra == record.extra
    assert incidents.put(json.loads(json.dumps(fields_of(put)))).version == back.version
