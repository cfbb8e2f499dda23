"""Where each of the glossary's terms is used."""

from collections.abc import Sequence

from indexer.index import PassageIndex
from indexer.retrieval import Filter
from indexer.terms import query_terms
from kb_service.glossary import Lexicon, Term

# So many passages that have the words of a name are read to see whether they say it
_MOST_READ = 200


def uses(index: PassageIndex, wanted: Filter, terms: Sequence[Term]) -> list[tuple[str, ...]]:
    """For each term the ids of the articles that say it by any of its names, its own left out, in order."""
    with index.snapshot() as snapshot:
        keys_of = [
            [
                key
                for name in term.names
                for key in snapshot.passages_saying(index.connection, tuple(query_terms(name, index.language)), wanted)[
                    :_MOST_READ
                ]
            ]
            for term in terms
        ]
        passages = index.passages({key for keys in keys_of for key in keys})
    found = []
    for term, keys in zip(terms, keys_of, strict=True):
        lexicon = Lexicon([term], index.language)
        said = [passages[key] for key in keys if key in passages and next(lexicon.said(passages[key].text), None)]
        found.append(tuple(sorted({passage.owner_id for passage in said} - {term.article_id})))
    return found
