"""What the desk was asked lately: the questions that a change of the articles is tried on."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kb_service.answering import Question
from kb_service.desk import Desk
from kb_service.incident_reading import Selection
from kb_service.incidents import Incidents
from kb_service.searches import Searches

SEARCH_DAYS = 90


@dataclass(frozen=True, slots=True)
class Demand:
    """The questions; how many incidents the record has in all, and whether it is a sample, nobody's own."""

    questions: tuple[Question, ...] = ()
    of_incidents: int = 0
    is_sample: bool = False

    def count(self, kind: str) -> int:
        """How many of the questions are incidents, or searches."""
        return sum(one.kind == kind for one in self.questions)


def demand(record: Path, most: int) -> Demand:
    """The latest incidents and the latest different searches of a desk's record, at most ``most`` of each.

    Nothing where there is no record. Raises DeskError.
    """
    if not most or not record.exists():
        return Demand()
    desk = Desk(record, read_only=True)
    incidents, total = Incidents(desk).listed(Selection(limit=most))
    searched = Searches(desk).since(datetime.now(UTC) - timedelta(days=SEARCH_DAYS), most)
    recorded = (one.incident for one in incidents)
    questions = [Question("incident", one.text, one.number, service=one.service) for one in recorded]
    questions += [Question("search", one.text, times=one.times) for one in searched]
    return Demand(tuple(questions), total, desk.is_demo)
