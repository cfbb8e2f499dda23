"""Settings that lie in files of a folder, as vaults, containers and systemd's credentials give secrets to a service."""

from pathlib import Path

_PREFIX = "kb_"


def settings_in(folder: Path) -> dict[str, str]:
    """What the files of a folder say that are called like settings (``KB_HOOK_SECRET``), by the fields' names.

    Without the space around it; an empty file says nothing. Raises ValueError with what cannot be read.
    """
    found: dict[str, str] = {}
    try:
        for file in sorted(folder.iterdir()):
            name = file.name.lower()
            if name.startswith(_PREFIX) and not file.is_dir() and (said := file.read_text("utf-8").strip()):
                found[name.removeprefix(_PREFIX)] = said
    except OSError as error:
        raise ValueError(f"{error.filename or folder} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{file} is no text") from error
    return found
