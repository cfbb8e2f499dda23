"""Everything that is tried, by name."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.fuzz import articles, asking, incoming, tickets


@dataclass(frozen=True, slots=True)
class Target:
    """``run`` takes any bytes and asserts what must hold; inputs are made of ``seeds`` and of ``words``."""

    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    words: Sequence[bytes]


TARGETS: Mapping[str, Target] = {
    "front-matter": Target(articles.front_matter, articles.front_matter_seeds, articles.FRONT_MATTER_WORDS),
    "passages": Target(articles.passages, articles.passages_seeds, articles.PASSAGES_WORDS),
    "identifiers": Target(asking.found_identifiers, asking.identifiers_seeds, asking.WORDS),
    "terms": Target(asking.found_terms, asking.terms_seeds, asking.WORDS),
    "queries": Target(asking.queries, asking.queries_seeds, asking.WORDS),
    "filters": Target(asking.filters, asking.filters_seeds, ()),
    "tickets": Target(tickets.said, tickets.said_seeds, tickets.WORDS),
    "webhooks": Target(incoming.webhooks, incoming.webhooks_seeds, incoming.WEBHOOKS_WORDS),
    "records": Target(incoming.records, incoming.records_seeds, incoming.RECORDS_WORDS),
    "tables": Target(incoming.tables, incoming.tables_seeds, incoming.TABLES_WORDS),
}
