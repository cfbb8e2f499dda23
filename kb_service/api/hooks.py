"""For git servers: a push is live as soon as they say so."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from kb_service.api.caller import Base, Publishing
from kb_service.api.description import FOR_ANYBODY, As
from kb_service.api.problems import HOOK_PROBLEMS, RESPONSES
from kb_service.content import followed_ref, followed_repository
from kb_service.webhooks import Replays, check_repository, read_webhook

# GitHub sends no larger ones
_MOST_BODY_BYTES = 25 * 1024 * 1024
router = APIRouter(tags=["operation"], responses=RESPONSES, max_body_size=_MOST_BODY_BYTES)
_HEADERS = {
    "X-Hub-Signature-256": "`sha256=` and the HMAC-SHA256 of the body: GitHub, Gitea and Forgejo.",
    "X-Gitlab-Token": "The secret itself: GitLab.",
    "X-GitHub-Event": "`push`, `ping` or what else it is; Gitea and Forgejo send it too.",
    "X-Gitlab-Event": "`Push Hook`, `Tag Push Hook` or what else it is.",
}
_REPOSITORY = {"type": "object", "properties": {"full_name": {"type": "string"}, "clone_url": {"type": "string"}}}
_PROJECT = {"type": "object", "properties": {"path_with_namespace": {"type": "string"}}}
_PUSHED: dict[str, Any] = {
    **FOR_ANYBODY,
    "parameters": [
        {"name": name, "in": "header", "required": False, "description": said, "schema": {"type": "string"}}
        for name, said in _HEADERS.items()
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"ref": {"type": "string"}, "repository": _REPOSITORY, "project": _PROJECT},
                }
            }
        },
    },
}


class TakenBody(BaseModel):
    """What becomes of it."""

    status: Literal["accepted", "ignored", "pong"]
    why: str = Field("", description="Why it is ignored.")


async def _body(request: Request) -> bytes:
    return await request.body()


@router.post("/hooks/git", summary="A git server says that something was pushed", status_code=202,
             responses=HOOK_PROBLEMS, openapi_extra=_PUSHED)  # fmt: skip
def pushed(
    request: Request, base: Base, publishing: Publishing, body: Annotated[bytes, Depends(_body)]
) -> Annotated[dict[str, Any], As(TakenBody)]:
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
