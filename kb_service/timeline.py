"""When the incidents of a flood came in: so many in each span of time, for a small picture of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kb_service.incident import Incident

SPANS = 12


@dataclass(frozen=True, slots=True)
class Timeline:
    """Counts of equal spans from a time on: ``counts`` of each, ``longest`` the largest of them."""

    start: datetime
    span: timedelta
    counts: tuple[int, ...]

    @property
    def longest(self) -> int:
        return max(self.counts, default=0)

    @property
    def end(self) -> datetime:
        return self.start + self.span * len(self.counts)

    @property
    def text(self) -> str:
        """The same in words."""
        most = self.counts.index(self.longest)
        at = self.start + self.span * most
        return (
            f"{sum(self.counts)} came in from {self.start:%Y-%m-%d %H:%M} to {self._time(self.end)} UTC, most"
            f" ({self.longest}) at {self._time(at)}"
        )

    def _time(self, at: datetime) -> str:
        """With its day where that is another than the first."""
        return f"{at:%H:%M}" if at.date() == self.start.date() else f"{at:%Y-%m-%d %H:%M}"


def timeline(incidents: Sequence[Incident]) -> Timeline | None:
    """Of incidents by when they were opened; None where they are too few to draw."""
    times = sorted(one.opened_at for one in incidents if one.opened_at)
    if len(times) < 2:
        return None
    # Rounded up, so that the last one is within
    span = max(-(-(times[-1] - times[0]) // SPANS), timedelta(minutes=1))
    places = [min(int((time - times[0]) / span), SPANS - 1) for time in times]
    counts = [places.count(place) for place in range(places[-1] + 1)]
    return Timeline(times[0], span, tuple(counts))
