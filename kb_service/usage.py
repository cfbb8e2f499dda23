"""How articles are used and what readers say of them, counted from the desk's record."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from indexer.knowledge import KnowledgeObject
from kb_service.access import Sight
from kb_service.attachments import Attachments
from kb_service.desk import Desk
from kb_service.feedback import Feedback
from kb_service.incident_reading import CONCERN, concern_of


@dataclass(frozen=True, slots=True)
class Usage:
    """Counts of one article. ``flags`` are those of the text as it stands: an edit answers the ones before it."""

    flags: int = 0
    helped: int = 0
    not_helped: int = 0
    resolved: int = 0
    attached: int = 0
    clicks: int = 0

    @property
    def words(self) -> str:
        """What an owner should know of it, in a few words; nothing where there is nothing."""
        votes = self.helped + self.not_helped
        said = (
            f"{self.flags} flag{'s' if self.flags > 1 else ''} open" if self.flags else "",
            f"did not help {self.not_helped} of {votes}" if self.not_helped else "",
            f"resolved {self.resolved}" if self.resolved else "",
            f"attached {self.attached}" if self.attached else "",
            f"opened {self.clicks}×" if self.clicks else "",
        )
        return " · ".join(filter(None, said))


def usage_of(desk: Desk, article: KnowledgeObject, ids: Sequence[str]) -> Usage:
    """What the record knows of an article by its ids, now and before."""
    feedback = Feedback(desk)
    votes = feedback.votes(ids)
    attached = Attachments(desk).of_articles(ids)
    clicks = desk.connection.execute(
        "SELECT count(*) FROM clicks WHERE article IN (SELECT value FROM json_each(?))", (json.dumps(list(ids)),)
    ).fetchone()[0]
    resolved = sum(one.relation == "resolved_by" for one in attached)
    return Usage(
        flags=sum(one.revision == article.revision for one in feedback.flags(ids)),
        helped=votes.helped,
        not_helped=votes.not_helped,
        resolved=resolved,
        attached=len(attached) - resolved,
        clicks=int(clicks),
    )


def most_used(desk: Desk, since: datetime, sight: Sight) -> list[str]:
    """Articles by how often they were opened, attached or said to have helped since then, the most used first.

    By the ids that they had then. Requesters' pages know of no incident, and nobody's of one that one may not see.
    """
    of_incidents = (
        "UNION ALL SELECT a.article, a.at FROM attachments a JOIN incidents i ON i.number = a.number"
        f" WHERE a.relation <> 'detached' AND {CONCERN}"
    )
    rows = desk.connection.execute(
        "SELECT article, count(*) AS times, max(at) AS last FROM (SELECT article, at FROM clicks"
        " UNION ALL SELECT article, at FROM suggestion_events WHERE event IN ('opened', 'solved')"
        f" UNION ALL SELECT article, at FROM feedback WHERE verdict = 'helped' AND number IS NULL"
        f" {of_incidents if sight.within else ''}) WHERE at >= :since AND article IS NOT NULL"
        " GROUP BY article ORDER BY times DESC, last DESC",
        {"since": since.isoformat(), **concern_of(sight)},
    )
    return [row["article"] for row in rows]
