"""Nobody can tell what there is besides what they may see: every endpoint answers as if the rest were not there.

Two services are built, one over everything and one without what a caller must not see, and asked the same.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.client import routes_of
from tests.seen_desk import ARTICLE, RECORD, ROLES, SENTENCE, Article, Record, service
from tests.seen_requests import ASKED

# Authors read the repository: what was published and refused is told to them whole
_WHOLE = {("author", "/api/publishing"), ("author", "/publishing")}


def test_every_route_is_asked(tmp_path: Path) -> None:
    with service(tmp_path, "agent", {}, {}) as asker:
        routes = [(method, one.path) for one in routes_of(asker.app) for method in one.methods or ()]
    assert set(routes) == set(ASKED)


GENERATED = given(st.lists(ARTICLE, min_size=4, max_size=8), st.lists(RECORD, max_size=5), SENTENCE)
# To make a failure smaller would take hours: each case is two services
QUICK = settings(deadline=None, max_examples=1, suppress_health_check=list(HealthCheck), phases=[Phase.generate])


# Those who see least; of the others it is tried by ``make test-breaking``
@pytest.mark.parametrize("role", ["requester", "agent for mail"])
@QUICK
@GENERATED
def test_what_one_may_not_see_changes_nothing(
    role: str, articles: list[Article], records: list[Record], text: str
) -> None:
    compare(role, articles, records, text)


@pytest.mark.breaking
@pytest.mark.parametrize("role", ROLES)
@settings(QUICK, max_examples=3)
@GENERATED
def test_what_one_may_not_see_changes_nothing_in_some_cases(
    role: str, articles: list[Article], records: list[Record], text: str
) -> None:
    compare(role, articles, records, text)


@pytest.mark.long
@pytest.mark.parametrize("role", ROLES)
@settings(QUICK, max_examples=100)
@GENERATED
def test_what_one_may_not_see_changes_nothing_in_many_cases(
    role: str, articles: list[Article], records: list[Record], text: str
) -> None:
    compare(role, articles, records, text)


def compare(role: str, articles: Sequence[Article], records: Sequence[Record], text: str) -> None:
    """Ask both services everything."""
    everything, recorded = dict(enumerate(articles)), dict(enumerate(records, 1))
    seen = {place: article for place, article in everything.items() if article.seen_by(role)}
    shown = {number: record for number, record in recorded.items() if record.seen_by(role)}
    with (
        TemporaryDirectory() as one,
        TemporaryDirectory() as other,
        service(Path(one), role, everything, recorded) as whole,
        service(Path(other), role, seen, shown) as less,
    ):
        ids = [f"x/{place}" for place in everything]
        for (method, path), requests in ASKED.items():
            if (role, path) in _WHOLE:
                continue
            # The one thing that a hidden record does: nobody may write over it
            if method == "PUT" and 1 in recorded.keys() - shown.keys() and role != "requester":
                continue
            for address, body, params in requests(text, ids):
                told, expected = (asker.ask(method, address, body, params) for asker in (whole, less))
                assert told == expected, f"{method} {address} {json.dumps(body)} {params}"
