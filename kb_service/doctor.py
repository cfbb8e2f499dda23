"""Looks at all that a knowledge base stands on, one thing after the other, and changes nothing.

It is used when something is broken. So no look may keep the others from being done: each has its time, and whatever
goes wrong in one is what it found.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping

from indexer.errors import KnowledgeBaseError
from kb_service import doctor_content, doctor_desk, doctor_files, doctor_index, doctor_machine, doctor_settings
from kb_service.diagnosis import Case, Diagnosis, Look
from kb_service.doctor_service import service

# A look is given up after so long, or so soon when all together took too long: a file system that hangs, hangs for each
LOOK_SECONDS, SHORT_SECONDS, ALL_SECONDS = 25.0, 2.0, 90.0

LOOKS: Mapping[str, Look] = {
    "program": doctor_machine.program,
    "git": doctor_machine.git,
    "open files": doctor_machine.file_limit,
    "settings": doctor_settings.settings,
    "data folder": doctor_files.data_folder,
    "free space": doctor_files.room,
    "left over": doctor_files.left_over,
    "desk.db": doctor_desk.record,
    "backup": doctor_desk.backup,
    "keys": doctor_desk.keys,
    "model": doctor_index.model,
    "index.db": doctor_index.articles,
    "incidents.db": doctor_index.incidents,
    "vectors": doctor_index.caches,
    "content": doctor_content.content,
    "remote": doctor_content.remote,
    "hooks": doctor_content.hooks,
    "service": service,
}


def examine(case: Case, looks: Mapping[str, Look] = LOOKS, seconds: float = LOOK_SECONDS) -> Iterator[Diagnosis]:
    """What each look finds, as soon as it is found; within a minute and a half whatever hangs."""
    end = time.monotonic() + ALL_SECONDS
    for name, look in looks.items():
        found: list[Diagnosis] = []
        # A daemon, as one that hangs must not keep the process
        thread = threading.Thread(target=_look, args=(name, look, case, found), daemon=True)
        thread.start()
        patience = max(SHORT_SECONDS, min(seconds, end - time.monotonic()))
        thread.join(patience)
        if thread.is_alive():
            said = f"it was not looked through within {patience:.0f} s"
            found.append(
                Diagnosis(name, "warning", said, "Look at the disk and the network: something does not answer")
            )
        yield from tuple(found)


def _look(name: str, look: Look, case: Case, found: list[Diagnosis]) -> None:
    def failed(said: str, remedy: str) -> None:
        found.append(Diagnosis(name, "error", said, remedy))

    try:
        for one in look(case):
            found.append(one)  # noqa: PERF402 (one by one: what was found before a fault is kept)
    except KnowledgeBaseError as error:
        failed(error.problem, error.remedy)
    except PermissionError as error:
        failed(str(error), "Mend its permissions, or do this as the user whose it is")
    except (OSError, sqlite3.Error) as error:
        failed(f"it cannot be read: {error}", "Look at the disk and its permissions")
    except Exception as error:
        failed(f"it cannot be judged: {type(error).__name__}: {error}", "Report this")
