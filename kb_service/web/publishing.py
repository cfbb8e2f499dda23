"""The page of the authors: what is live, what was refused and why, what is due, flagged and asked for."""

from datetime import UTC, datetime
from itertools import islice

from fastapi import APIRouter, Request
from fastapi.responses import Response

from indexer.git_command import without_credentials
from kb_service.api.caller import Authors, Base, CallerSight, Publishing
from kb_service.edit_links import edit_url
from kb_service.flags import flags
from kb_service.query import may_read
from kb_service.reviews import due_reviews
from kb_service.web.page import page

router = APIRouter(include_in_schema=False, dependencies=[Authors])

_WITHIN_DAYS = 30
_MOST = 50


@router.get("/publishing")
def publishing_page(request: Request, base: Base, publisher: Publishing, sight: CallerSight) -> Response:
    """How the content stands, and what waits for somebody."""
    settings, catalogue = base.settings, base.searcher.catalogue
    passages, wanted, encoded = base.index.counts()
    seen = (one for one in catalogue.objects() if may_read(one, sight))
    context = {
        "status": publisher.status,
        "revision": base.index.meta("revision"),
        "count": catalogue.count(),
        "passages": passages,
        "encoded": 100 if wanted == encoded else 100 * encoded // wanted,
        "content": without_credentials(settings.content_remote or str(settings.content)),
        "ref": settings.content_ref,
        "refused": [(one, edit_url(settings, one.path)) for one in catalogue.refusals()],
        "due": due_reviews(seen, datetime.now(UTC).date(), _WITHIN_DAYS),
        "days": _WITHIN_DAYS,
        "flags": list(islice(flags(base, sight), _MOST)),
        "gaps": base.gaps.latest(_MOST),
        "most": _MOST,
    }
    return page(request, "publishing.html", context)
