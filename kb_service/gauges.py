"""The service's figures, as Prometheus collects them."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from kb_service.knowledge_base import KnowledgeBase
from kb_service.publishing import Status


class Gauges(Collector):
    """One look at a knowledge base and at how publishing stands."""

    def __init__(self, base: KnowledgeBase, publishing: Status) -> None:
        self._base, self._publishing = base, publishing

    def collect(self) -> Iterator[Metric]:
        """Every figure with its help."""
        base, publishing, last = self._base, self._publishing, self._publishing.last
        passages, wanted, there = base.index.counts()
        refused = {refusal.path for refusal in base.searcher.catalogue.refusals()}
        gauges: tuple[tuple[str, str, float], ...] = (
            ("kb_publish_seconds", "From the sign of a change until it can be found, last publish.",
             last.seconds if last else 0.0),
            ("kb_publish_failing", "1 while the content cannot be published.", float(publishing.failure is not None)),
            ("kb_generation", "Rises with every publish.", base.index.generation),
            ("kb_articles", "Published articles.", base.searcher.catalogue.count()),
            ("kb_refused_files", "Files that are refused.", len(refused)),
            ("kb_passages", "Passages of all articles.", passages),
            ("kb_passages_without_vector", "Passages that cannot be found by meaning yet.", wanted - there),
            ("kb_incidents", "Records of the desk.", base.incidents.count()),
            ("kb_incidents_behind", "Changed records that cannot be found yet.", base.incident_index.behind()),
        )  # fmt: skip
        for name, said, value in gauges:
            yield GaugeMetricFamily(name, said, value)
        for name, said, count in (
            ("kb_publishes", "Publishes since the start.", publishing.publishes),
            ("kb_publish_failures", "Looks at the content that failed, since the start.", publishing.failures),
        ):
            yield CounterMetricFamily(name, said, count)
