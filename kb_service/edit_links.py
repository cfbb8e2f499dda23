"""Where an article is edited: at the git server that it comes from."""

from urllib.parse import quote, urlsplit

from kb_service.settings import Settings

# What each kind of server calls its editor, told by how such servers are named
_EDITORS = {"github": "edit", "gitlab": "-/edit", "gitea": "_edit", "forgejo": "_edit", "codeberg": "_edit"}


def edit_url(settings: Settings, path: str) -> str | None:
    """The address of the editor for a path of the content: as KB_EDIT_URL says, or by the remote's name; else None."""
    if settings.edit_url:
        return settings.edit_url.replace("{path}", quote(path))
    remote = urlsplit(settings.content_remote or "")
    kind = next((one for one in _EDITORS if one in (remote.hostname or "")), None)
    if remote.scheme != "https" or kind is None or not settings.content_ref:
        return None
    folder = settings.content_folder.strip("/")
    inside = quote(f"{folder}/{path}" if folder else path)
    # Without what a URL may hold to sign in by
    return (
        f"https://{remote.netloc.rpartition('@')[2]}{remote.path.rstrip('/').removesuffix('.git')}/{_EDITORS[kind]}/"
        f"{quote(settings.content_ref)}/{inside}"
    )
