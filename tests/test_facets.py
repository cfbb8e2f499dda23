"""By what a search can be narrowed: what each value would leave, of what one may see."""

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from kb_service import Searcher
from kb_service.access import EVERYTHING, PUBLIC, Sight
from kb_service.facets import MOST_VALUES, NAMES, Facet, Value, facet_of
from kb_service.query import Query, State
from tests.conftest import Desk


def told(facet: Facet) -> dict[str, int]:
    return {one.name: one.count for one in facet.values}


def test_a_value_counts_once_a_hit_whatever_its_case_and_is_written_as_the_first_hit_has_it() -> None:
    hits = [{"tag": ["Mail", "MAIL"]}, {"tag": ["mail", "Straße"]}, {"tag": ["STRASSE"]}, {"service": ["mail"]}, {}]
    assert told(facet_of("tag", hits, [])) == {"MAIL": 2, "Straße": 2}


def test_what_is_chosen_comes_first_then_the_commonest_then_by_name() -> None:
    hits = [{"tag": ["c", "b", "a"]}, {"tag": ["c", "rare"]}]
    found = facet_of("tag", hits, ["RARE", "gone"])
    chosen = (Value("rare", 1, True), Value("gone", 0, True))
    assert found.values == (*chosen, Value("c", 2, False), Value("a", 1, False), Value("b", 1, False))


def test_many_values_are_cut_but_none_that_is_chosen() -> None:
    many = [f"v{place:02}" for place in range(30)]
    assert [one.name for one in facet_of("tag", [{"tag": many}], []).values] == many[:MOST_VALUES]
    assert len(facet_of("tag", [{"tag": many}], many[10:]).values) == 20
    last = facet_of("tag", [{"tag": many}], many[-1:])
    assert [one.name for one in last.values] == [many[-1], *many[: MOST_VALUES - 1]]


WORD = st.sampled_from(["vpn", "VPN", "Straße", "STRASSE", "", "<b>", "ⅳ", "İ"])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.fixed_dictionaries({"tag": st.lists(WORD, max_size=4)}), max_size=8), st.lists(WORD, max_size=3))
def test_every_count_is_of_the_hits_that_have_the_value(hits: list[dict[str, list[str]]], chosen: list[str]) -> None:
    found = facet_of("tag", hits, chosen)
    keys = [one.name.casefold() for one in found.values]
    assert len(keys) == len(set(keys))
    assert {key for key, one in zip(keys, found.values, strict=True) if one.is_chosen} == {
        one.casefold() for one in chosen
    }
    for key, one in zip(keys, found.values, strict=True):
        assert one.count == sum(key in {value.casefold() for value in hit["tag"]} for hit in hits)


def searcher_of(desk: Desk) -> Searcher:
    """Over articles that all say the same, so that what differs is what they can be narrowed by."""
    articles = {
        "faq/1.md": "services: [Printing]\ntags: [Paper]\ntier: L1\naudience: public",
        "faq/2.md": "services: [printing, mail]\ntags: [paper]\ntier: L2",
        "runbooks/3.md": "services: [mail]\naudience: public",
        "runbooks/4.md": "services: [unborn]\ntags: [draft]\naudience: public\nworkflow_state: draft",
        "runbooks/5.md": "services: [payroll]\ntags: [secret]\naudience: restricted\ngroups: [HR]",
        "runbooks/6.md": "services: [mail]\ntags: [over]\naudience: public\nvalid_to: 2020-01-01",
    }
    for path, front in articles.items():
        desk.write(path, f"---\ntitle: The printer jams\n{front}\n---\nThe printer jams.\n")
    desk.write("faq/other.md", "---\ntitle: Holidays\nservices: [calendar]\n---\nDays off.\n")
    desk.update()
    return Searcher(desk.index, desk.encoder)


def counted(
    searcher: Searcher, sight: Sight | None = None, state: State = "published", limit: int = 10, **chosen: str
) -> Mapping[str, dict[str, int]]:
    facets = {name: frozenset({value}) for name, value in chosen.items()}
    asked = Query("printer jams", facets, state, sight or Sight(), limit, words_only=True, with_facets=True)
    return {one.name: told(one) for one in searcher.search(asked).facets}


def test_all_hits_are_counted_not_only_those_of_a_page(desk: Desk) -> None:
    searcher = searcher_of(desk)
    found = counted(searcher, limit=1)
    assert tuple(found) == NAMES
    assert found["type"] == {"faq": 2, "runbook": 1}
    assert found == {**found, "service": {"mail": 2, "Printing": 2}, "tier": {"L1": 1, "L2": 1}, "tag": {"Paper": 2}}


def test_a_facet_disregards_what_is_chosen_of_it_and_respects_the_others(desk: Desk) -> None:
    found = counted(searcher_of(desk), service="MAIL", type="faq")
    assert found["service"] == {"mail": 1, "Printing": 2}
    assert found["type"] == {"faq": 1, "runbook": 1}
    assert found["tier"] == {"L2": 1}


def test_each_count_is_what_choosing_the_value_leaves(desk: Desk) -> None:
    searcher = searcher_of(desk)
    for name, values in counted(searcher, EVERYTHING).items():
        for value, count in values.items():
            asked = Query("printer jams", {name: frozenset({value})}, sight=EVERYTHING, words_only=True)
            assert searcher.search(asked).total == count, (name, value)


def test_a_requester_s_counts_include_nothing_that_he_may_not_see(desk: Desk) -> None:
    searcher = searcher_of(desk)
    states: tuple[State, ...] = ("published", "draft", "expired", "any")
    for state in states:
        found = counted(searcher, PUBLIC, state)
        assert found["service"] == {"Printing": 1, "mail": 1}
        assert (found["tag"], found["tier"]) == ({"Paper": 1}, {"L1": 1})
    asked = counted(searcher, PUBLIC, service="PayRoll")
    assert asked["service"] == {"PayRoll": 0, "Printing": 1, "mail": 1}
    assert asked["tag"] == {}


def test_whose_services_are_others_or_whose_group_is_another_counts_none_of_theirs(desk: Desk) -> None:
    searcher = searcher_of(desk)
    assert counted(searcher, Sight(services=frozenset({"MAIL"})))["service"] == {"mail": 2, "printing": 1}
    assert "secret" not in counted(searcher, Sight("restricted", frozenset({"net"})))["tag"]
    assert counted(searcher, Sight("restricted", frozenset({"hr"})))["tag"]["secret"] == 1


def test_nothing_is_counted_unless_asked_for_and_nothing_found_leaves_what_is_chosen(desk: Desk) -> None:
    searcher = searcher_of(desk)
    assert searcher.search(Query("printer")).facets == ()
    found = searcher.search(Query("", {"tag": frozenset({"<b>"})}, with_facets=True)).facets
    assert [one.values for one in found] == [(), (), (), (Value("<b>", 0, True),)]
