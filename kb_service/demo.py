"""A sample of a desk's records for a newcomer, in a demo desk of its own: nothing of it ever enters a real record.

``sample.jsonl`` tells times in minutes before now, so that its flood is always going on when it is loaded.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from indexer.catalogue import Catalogue
from kb_service.attachments import Attachments
from kb_service.desk import Desk
from kb_service.desk_check import DeskError
from kb_service.incidents import Incidents

SAMPLE = Path(__file__).parent / "sample.jsonl"


def load(desk: Desk, catalogue: Catalogue) -> int:
    """Put the sample into an empty desk or a demo desk, as of now, and mark that as one; gives how many records.

    Raises DeskError for a desk that has records of its own.
    """
    incidents, attachments = Incidents(desk), Attachments(desk)
    if not desk.is_demo and incidents.count():
        raise DeskError(f"{desk.path} holds real records: the sample is not put among them", "Name another data folder")
    with desk.writing() as connection:
        connection.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('demo', 'sample records')")
    rows = list(_rows(datetime.now(UTC)))
    refused = [one for one in incidents.put_many(list(enumerate(rows, 1))) if one.status == "refused"]
    if refused:
        raise DeskError(f"the sample's line {refused[0].line} is wrong: {refused[0].problem}", "Report this")
    attachments.add_given({row["number"]: row.get("articles") for row in rows}, catalogue)
    return len(rows)


def _rows(now: datetime) -> Iterator[dict[str, Any]]:
    for line in SAMPLE.read_text("utf-8").splitlines():
        row = json.loads(line)
        for name in ("opened", "resolved"):
            minutes = row.pop(f"{name}_minutes_ago", None)
            row[f"{name}_at"] = None if minutes is None else (now - timedelta(minutes=minutes)).isoformat()
        yield row
