"""How it stands with the content, the desk's record and the disk, looked at whenever Prometheus asks."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from kb_service.incident_index import Follower
from kb_service.knowledge_base import KnowledgeBase
from kb_service.publishing import Publisher

Figures = Iterator[tuple[str, str, float]]


class Gauges(Collector):
    """One look at a knowledge base, at how publishing stands, and at what follows the record."""

    def __init__(self, base: KnowledgeBase, publisher: Publisher, follower: Follower) -> None:
        self._base, self._publisher, self._follower = base, publisher, follower

    def collect(self) -> Iterator[Metric]:
        """Every figure with its help. What cannot be read now is left out, so that the rest is seen."""
        for name, said, value in (*self._publishing(), *self._if_readable(self._content), *self._disk()):
            yield GaugeMetricFamily(name, said, value)
        desk = self._if_readable(self._desk)
        yield GaugeMetricFamily("kb_desk_failing", "1 while the desk's record cannot be read.", float(not desk))
        for name, said, value in (*desk, *self._if_readable(self._records)):
            yield GaugeMetricFamily(name, said, value)
        publishing = self._publisher.status
        for name, said, count in (
            ("kb_publishes", "Publishes since the start.", publishing.publishes),
            ("kb_publish_failures", "Looks at the content that failed, since the start.", publishing.failures),
        ):
            yield CounterMetricFamily(name, said, count)

    def _if_readable(self, figures: Callable[[], Figures]) -> list[tuple[str, str, float]]:
        try:
            return list(figures())
        except (sqlite3.Error, OSError):
            return []

    def _publishing(self) -> Figures:
        publishing = self._publisher.status
        seconds = publishing.last.seconds if publishing.last else 0.0
        yield "kb_last_publish_seconds", "From the sign of a change until it could be found, last publish.", seconds
        yield "kb_publish_failing", "1 while the content cannot be published.", float(publishing.failure is not None)

    def _content(self) -> Figures:
        base = self._base
        passages, wanted, there = base.index.counts()
        refused = {refusal.path for refusal in base.searcher.catalogue.refusals()}
        generation = base.index.generation
        yield (
            "kb_ready",
            "1 once anything is published, so that there is something to answer from.",
            float(generation > 0),
        )
        yield "kb_generation", "Rises with every publish.", generation
        yield "kb_articles", "Published articles.", base.searcher.catalogue.count()
        yield "kb_refused_files", "Files that are refused.", len(refused)
        yield "kb_passages", "Passages of all articles.", passages
        yield "kb_passages_without_vector", "Passages that cannot be found by meaning yet.", wanted - there
        yield "kb_workers", "Processes that are to search beside the service's own.", base.settings.workers

    def _desk(self) -> Figures:
        base = self._base
        yield "kb_incidents", "Records of the desk.", base.incidents.count()
        last = base.desk.meta("backup")
        at = datetime.fromisoformat(last).timestamp() if last else 0.0
        yield "kb_last_backup_timestamp_seconds", "When 'kb backup' last copied the record; 0: not known of any.", at

    def _records(self) -> Figures:
        failing = self._follower.failure is not None
        yield "kb_incidents_failing", "1 while changed records cannot be indexed.", float(failing)
        behind = self._base.incident_index.behind()
        yield "kb_incidents_behind", "1 while there are changed records that cannot be found yet.", float(behind)

    def _disk(self) -> Figures:
        try:
            disk = shutil.disk_usage(self._base.settings.data)
        except OSError:
            return
        yield "kb_disk_bytes", "Size of the file system that the data folder is on.", disk.total
        yield "kb_disk_free_bytes", "What is free of it.", disk.free
