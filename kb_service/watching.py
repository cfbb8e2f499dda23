"""Says when to look at the content: a file of it was saved, or git's own hook asks for a publish."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import watchfiles

from indexer.source import NEVER_CONTENT
from kb_service.settings import Settings

# Saves in one go are one: an editor writes a file in several steps
DEBOUNCE_MS = 150
_STEP_MS = 25

_log = logging.getLogger("kb.watching")


class Watch:
    """Watches the hook's request file, and with ``files`` the working tree too; calls ``changed`` with which."""

    def __init__(self, settings: Settings, changed: Callable[[Literal["watch", "hook"]], None], *, files: bool) -> None:
        self._request = settings.request_file.resolve()
        self._content = (settings.content / settings.content_folder).resolve() if files else None
        self._ours = [folder.resolve() for folder in (settings.data, settings.cache_folder)]
        self._changed = changed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        self._request.parent.mkdir(parents=True, exist_ok=True)
        self._thread.start()

    def stop(self) -> None:
        """End watching; returns when it has."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        for polling in (False, True):
            try:
                self._watch(polling=polling)
            except (OSError, RuntimeError) as error:
                # Too many watches, or a file system that tells nobody: looking at every file works everywhere
                _log.warning("files are looked at instead of watched: %s", error)
            else:
                return

    def _watch(self, *, polling: bool) -> None:
        for changes in watchfiles.watch(
            *filter(None, [self._request.parent, self._content]),
            watch_filter=lambda _change, path: self._concerns(Path(path)),
            debounce=DEBOUNCE_MS,
            step=_STEP_MS,
            stop_event=self._stop,
            rust_timeout=500,
            raise_interrupt=False,
            force_polling=polling or None,
        ):
            hook = any(Path(path) == self._request for _, path in changes)
            self._changed("hook" if hook else "watch")

    def _concerns(self, path: Path) -> bool:
        if path == self._request:
            return True
        if self._content is None or any(path.is_relative_to(folder) for folder in self._ours):
            return False
        return NEVER_CONTENT.isdisjoint(part.lower() for part in path.relative_to(self._content).parts)
