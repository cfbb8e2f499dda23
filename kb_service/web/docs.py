"""The description of the API, to read and to try in a browser."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from kb_service.web.page import POLICY, page

router = APIRouter(include_in_schema=False)

# Its arrows are pictures that stand in its style
_POLICY = POLICY.replace("img-src 'self'", "img-src 'self' data:")


@router.get("/docs")
def docs_page(request: Request) -> Response:
    """Swagger's page, from this service alone and under the policy of every page."""
    response = page(request, "docs.html", {})
    response.headers["Content-Security-Policy"] = _POLICY
    return response
