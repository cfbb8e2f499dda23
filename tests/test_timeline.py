"""When the incidents of a flood came in, as a small picture of it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb_service.incident import Incident
from kb_service.timeline import SPANS, Timeline, timeline

START = datetime(2026, 3, 14, 8, 30, tzinfo=UTC)


def opened(*minutes: float | None) -> list[Incident]:
    return [
        Incident(number=f"INC{place}", opened_at=None if one is None else START + timedelta(minutes=one))
        for place, one in enumerate(minutes)
    ]


def drawn(*minutes: float | None) -> Timeline:
    found = timeline(opened(*minutes))
    assert found
    return found


@pytest.mark.parametrize("minutes", [(), (0,), (None, None, None), (None, 5)])
def test_fewer_than_two_times_are_too_few_to_draw(minutes: tuple[float | None, ...]) -> None:
    assert timeline(opened(*minutes)) is None


def test_all_at_one_time_are_one_span_of_a_minute() -> None:
    found = drawn(0, 0, 0)
    assert (found.start, found.span, found.counts, found.longest) == (START, timedelta(minutes=1), (3,), 3)
    assert found.end == START + timedelta(minutes=1)


def test_the_order_of_the_incidents_does_not_matter_and_those_without_a_time_are_left_out() -> None:
    assert drawn(3, None, 0, 2, 0) == drawn(0, 0, 2, 3)
    assert drawn(0, 0, 2, 3).counts == (2, 0, 1, 1)


def test_a_span_is_never_shorter_than_a_minute() -> None:
    assert drawn(0, 0.5, 11.9).span == timedelta(minutes=1)
    assert drawn(0, 0.5, 11.9).counts == (2, *[0] * 10, 1)


def test_a_long_time_is_cut_into_equal_spans() -> None:
    found = drawn(0, 9, 10, 11, 119)
    assert found.span == timedelta(minutes=119) / SPANS
    assert found.counts[:2] == (2, 2)
    assert (sum(found.counts), found.counts[-1]) == (5, 1)


def test_in_words_it_says_how_many_from_when_to_when_and_when_most() -> None:
    said = "7 came in from 2026-03-14 08:30 to 08:36 UTC, most (3) at 08:34"
    assert drawn(0, 2, 2, 4, 4, 4, 5).text == said
    # Of spans as long the first
    assert drawn(0, 0, 3, 3).text.endswith("most (2) at 08:30")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.timedeltas(timedelta(0), timedelta(days=20_000)), min_size=2, max_size=30))
def test_each_incident_is_counted_once_in_its_span(after: list[timedelta]) -> None:
    first = datetime(1970, 1, 1, tzinfo=UTC)
    times = [first + one for one in after]
    found = timeline([Incident(number=f"INC{place}", opened_at=time) for place, time in enumerate(times)])
    assert found
    assert len(found.counts) <= SPANS
    assert found.start == min(times)
    assert max(times) <= found.end
    assert found.counts[0] > 0
    assert found.counts[-1] > 0
    for place, count in enumerate(found.counts[:-1]):
        begins = found.start + found.span * place
        assert count == sum(begins <= time < begins + found.span for time in times)
    # The end belongs to the last
    assert sum(found.counts) == len(times)
