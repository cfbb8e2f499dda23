"""Articles as they are written, and what of them is live and found."""

from indexer import Filter
from indexer.catalogue import Catalogue
from indexer.language import ENGLISH
from indexer.retrieval import Asked
from indexer.terms import query_terms
from tests.conftest import Desk
from tests.test_index import NOW

EVERYONE = Filter(frozenset({"public", "internal"}), NOW)


def catalogue(desk: Desk) -> Catalogue:
    return Catalogue(desk.index.connection)


def found(desk: Desk, text: str) -> list[str]:
    result = desk.index.search(Asked(query_terms(text, ENGLISH), (), desk.encoder.encode([text], "query")[0]), EVERYONE)
    best = sorted(result.candidates, key=lambda one: -one.article_words)
    return [candidate.owner_id for candidate in best if candidate.article_words > 0]


def article(title: str, *sections: str) -> str:
    return f"---\ntitle: {title}\n---\n" + "".join(f"## Part {n}\n\n{text}\n\n" for n, text in enumerate(sections))
