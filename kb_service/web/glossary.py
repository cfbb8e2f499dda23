"""The page of the glossary: letters, terms, and where each is used."""

from collections.abc import Iterable
from itertools import groupby

from fastapi import APIRouter, Request
from fastapi.responses import Response

from kb_service import glossary
from kb_service.api.caller import Base, CallerSight
from kb_service.glossary import Term
from kb_service.query import Query, filter_of
from kb_service.term_uses import uses
from kb_service.web.page import page

router = APIRouter(include_in_schema=False)

_OTHERS = "#"


@router.get("/glossary")
def glossary_page(request: Request, base: Base, sight: CallerSight) -> Response:
    """Every term by its letter."""
    wanted = filter_of(Query("", sight=sight))
    terms = glossary.terms(base.index, wanted)
    used = uses(base.index, wanted, terms)
    titles = base.searcher.catalogue.titles({article for articles in used for article in articles})
    entries = [
        (term, sorted((titles[article], article) for article in articles if article in titles))
        for term, articles in zip(terms, used, strict=True)
    ]
    return page(request, "glossary.html", {"letters": list(_by_letter(entries))})


Entry = tuple[Term, list[tuple[str, str]]]


def _by_letter(entries: Iterable[Entry]) -> Iterable[tuple[str, list[Entry]]]:
    """What begins with no letter stands first."""

    def letter(entry: Entry) -> str:
        first = entry[0].term[:1].upper()
        return first if first.isalpha() else _OTHERS

    return [(one, list(found)) for one, found in groupby(sorted(entries, key=letter), letter)]
