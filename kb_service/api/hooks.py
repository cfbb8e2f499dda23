"""For git servers: a push is live as soon as they say so."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.exceptions import HTTPException

from kb_service.api.caller import Base, Publishing
from kb_service.api.problems import HOOK_PROBLEMS
from kb_service.content import followed_ref, followed_repository
from kb_service.webhooks import Replays, check_repository, read_webhook

router = APIRouter(tags=["operation"])
# GitHub sends no larger ones
MOST_BODY_BYTES = 25 * 1024 * 1024


async def _body(request: Request) -> bytes:
    return await request.body()


@router.post("/hooks/git", summary="A git server says that something was pushed", status_code=202,
             responses=HOOK_PROBLEMS)  # fmt: skip
def pushed(
    request: Request, base: Base, publishing: Publishing, body: Annotated[bytes, Depends(_body)]
) -> dict[str, Any]:
    """GitHub, GitLab, Gitea and Forgejo, signed by `KB_HOOK_SECRET`.

    Answers at once; many pushes make one publish. What it came to is told by `GET /api/publishing`.
    """
    secret = base.settings.hook_secret
    if secret is None:
        raise HTTPException(403, "Webhooks are not taken here. Set KB_HOOK_SECRET to take them.")
    webhook, key = read_webhook(request.headers, body, secret.get_secret_value())
    check_repository(webhook, followed_repository(base.settings))
    replays: Replays = request.app.state.replays
    replays.take(key)
    if webhook.kind == "ping":
        return {"status": "pong"}
    if webhook.kind != "push":
        return {"status": "ignored", "why": "it is no push"}
    followed = followed_ref(base.settings)
    if webhook.ref is not None and followed is not None and webhook.ref not in followed:
        return {"status": "ignored", "why": f"{webhook.ref} is not followed"}
    publishing.publish("webhook")
    return {"status": "accepted"}
