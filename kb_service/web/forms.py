"""Forms of the pages: read only where a page of the same session sent them."""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import Depends, Request

from kb_service.page_sessions import ForeignFormError, PageSession

# Of one in which nobody writes texts
MOST_SHORT_FORM_BYTES = 16 * 1024
OF_ARTICLE = "field:"


async def form(request: Request) -> dict[str, str]:
    """A form's fields, sent by a page of ours: of the session that it names, or where there is none, by what the
    browser says of where it stood (the gate has refused what names another site). Raises ForeignFormError.
    """
    sent = (await request.body()).decode("utf-8", "replace")
    fields = {name: values[-1] for name, values in parse_qs(sent, keep_blank_values=True).items()}
    # For who is shown what was not taken
    request.state.fields = fields
    session: PageSession | None = request.state.session
    if session is not None:
        session.check(fields.get("token", ""))
    elif request.state.caller is None or "origin" not in request.headers:
        raise ForeignFormError
    return fields


def article_fields(fields: Mapping[str, str]) -> dict[str, str]:
    """What was filled in of an article, by the names that it gives, and what was emptied.

    None of them is a field of the form's own.
    """
    return {name.removeprefix(OF_ARTICLE): value for name, value in fields.items() if name.startswith(OF_ARTICLE)}


Form = Annotated[dict[str, str], Depends(form)]
