"""What is counted while the service answers: requests, how long they and their lanes take, what is turned away.

One set belongs to one app. Also with ``kb serve --workers N`` every request comes through the one process, and those
that search beside it tell it how long their lanes took: the figures of a scrape are of the whole service.

No label holds anything that somebody sent: routes by their template, methods of a short list.
"""

from collections.abc import Mapping
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics

from kb_service.confidence import Corpus
from kb_service.gauges import Gauges
from kb_service.publishing import Published

Shed = Literal["overload", "rate", "wrong_keys", "connections", "bodies", "slow", "malformed"]
_SHED: tuple[Shed, ...] = ("overload", "rate", "wrong_keys", "connections", "bodies", "slow", "malformed")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_REQUEST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LANE_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_PUBLISH_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
# When each series began is of no use, and there would be as many more of them
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """The figures of one app. One serves all threads."""

    def __init__(self, gauges: Gauges) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(gauges)
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "kb_requests_total",
            "Requests that were answered, by template of the route (none: no route was reached).",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self._request_seconds = Histogram(
            "kb_request_seconds",
            "From the head of a request until its answer was handed over.",
            ("route",),
            buckets=_REQUEST_SECONDS,
            registry=self.registry,
        )
        lane_seconds = Histogram(
            "kb_lane_seconds",
            "Parts of a search that was not just given again: encoding the text, words, meaning, ranking.",
            ("index", "lane"),
            buckets=_LANE_SECONDS,
            registry=self.registry,
        )
        shed = Counter(
            "kb_shed_requests_total",
            "Requests turned away: overload (503), rate (429), wrong_keys (429), or hung up on for too many connections"
            " or bodies of one address, slowness, or a malformed head.",
            ("why",),
            registry=self.registry,
        )
        self.refused_credentials = Counter(
            "kb_refused_credentials_total",
            "Requests with a key, token or sign-in that is not valid.",
            registry=self.registry,
        )
        self.storage_errors = Counter(
            "kb_storage_errors_total",
            "Requests that failed since a file could not be read or written: a full disk, I/O errors, a lost lock.",
            registry=self.registry,
        )
        self._publish_seconds = Histogram(
            "kb_publish_seconds",
            "From the sign of a change until it could be found.",
            buckets=_PUBLISH_SECONDS,
            registry=self.registry,
        )
        self.workers_alive = Gauge(
            "kb_workers_alive", "Processes that search beside the service's own, now.", registry=self.registry
        )
        # Each is there from the start, so that a first one counts as a rise
        self._shed = {why: shed.labels(why) for why in _SHED}
        kinds: tuple[Corpus, ...] = ("articles", "incidents")
        self._lanes = {
            kind: {lane: lane_seconds.labels(kind, lane) for lane in ("encoding", "words", "meaning", "ranking")}
            for kind in kinds
        }

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """A request, by the template of its route."""
        known = method if method in _METHODS else "other"
        self._requests.labels(route, known, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def searched(self, kind: Corpus, seconds: Mapping[str, float]) -> None:
        """The seconds of a search by lane."""
        for lane, took in seconds.items():
            self._lanes[kind][lane].observe(took)

    def shed(self, why: Shed) -> None:
        """A request, or a connection, that was turned away."""
        self._shed[why].inc()

    def published(self, last: Published) -> None:
        """A publish that changed something."""
        self._publish_seconds.observe(last.seconds)
