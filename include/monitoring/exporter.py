"""The latest observations for Prometheus, at ``http://<host>:PROMETHEUS_PORT/metrics``."""

import re
from collections.abc import Iterable, Iterator, Sequence
from threading import Thread
from typing import Final
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from include.config import Settings
from include.serving.pipeline_health import HealthRecord

_STATUS: Final = {"ok": 1.0, "degraded": 0.5, "failed": 0.0}
_LABELS: Final = ("kind", "subject")
_NO_NAME: Final = re.compile(r"[^a-zA-Z0-9_]")


class Exporter(Collector):
    """Shows the latest record of each kind and subject: ``platform_<metric>``, and ``platform_up`` from 0 to 1."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._records: Sequence[HealthRecord] = ()
        self._server: tuple[WSGIServer, Thread] | None = None

    def start(self) -> None:
        """Listen.

        Raises:
            OSError: If the port is taken.
        """
        registry = CollectorRegistry()
        registry.register(self)
        self._server = start_http_server(self._settings.prometheus_port, self._settings.platform_bind_host, registry)

    def show(self, records: Iterable[HealthRecord]) -> None:
        """Replace what is shown."""
        self._records = tuple(records)

    def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            server, thread = self._server
            server.shutdown()
            server.server_close()
            thread.join()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """What Prometheus asks for."""
        up = GaugeMetricFamily("platform_up", "1 ok, 0.5 degraded, 0 failed", labels=_LABELS)
        gauges: dict[str, GaugeMetricFamily] = {}
        for record in self._records:
            labels = (record.kind, record.subject)
            if record.status in _STATUS:
                up.add_metric(labels, _STATUS[record.status])
            for name, value in record.metrics.items():
                full = f"platform_{_NO_NAME.sub('_', name)}"
                gauge = gauges.setdefault(full, GaugeMetricFamily(full, f"{name} of pipeline-health", labels=_LABELS))
                gauge.add_metric(labels, value)
        yield up
        yield from gauges.values()
