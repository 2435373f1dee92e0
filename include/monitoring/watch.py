"""Looking at the platform again and again, and storing what is seen."""

import json
import logging
import time
from contextlib import closing
from datetime import UTC, datetime

from elastic_transport import TransportError
from elasticsearch import ApiError, Elasticsearch

from include.alerting.alert import Alert
from include.alerting.outbox import Outbox
from include.config import Settings
from include.errors import PartUnavailableError
from include.local.state import part_states
from include.messaging.topics import topic_states
from include.monitoring.airflow_events import AirflowEvents
from include.monitoring.alarms import Alarms
from include.monitoring.engines import Engines
from include.monitoring.exporter import Exporter
from include.monitoring.observations import of_deadlines, of_freshness, of_machine, of_parts, of_query, of_topics
from include.monitoring.tables import TableWrites
from include.producers.stopping import stop_on_signals
from include.serving.client import connect
from include.serving.kpis import read_kpis
from include.serving.pipeline_health import HealthRecord, publish

logger = logging.getLogger(__name__)

_NAP_SECONDS = 0.5


class Look:
    """One observer: it remembers the look before, since processor use is a difference."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._processor: dict[str, float] = {}
        self._at = 0.0
        self._since = time.monotonic()
        self._engines, self._tables = Engines(settings), TableWrites(settings)

    def take(self, client: Elasticsearch) -> list[HealthRecord]:
        """Look at everything; what does not answer is told by its own part's record."""
        now, clock = datetime.now(UTC), time.monotonic()
        parts = part_states(self._settings)
        passed = clock - self._at if self._at else 0.0
        records = list(of_parts(now, parts, self._processor, passed))
        self._processor, self._at = {part.part: part.cpu_seconds for part in parts}, clock
        records.append(of_machine(now, str(self._settings.platform_data_dir)))
        records += of_deadlines(now, self._settings, clock - self._since)
        records += self._tables.take(now, passed)
        try:
            records += of_topics(now, topic_states(self._settings))
            asked = time.monotonic()
            kpis = read_kpis(client, now, 1)
            records.append(of_query(now, "kpis", time.monotonic() - asked))
            records.append(of_freshness(now, kpis.freshness))
            records += self._engines.take(now, client, passed)
        except (PartUnavailableError, TransportError, ApiError) as error:
            logger.warning("look incomplete reason=%s", error)
        return records


def watch(settings: Settings, every: float, *, once: bool, as_json: bool) -> None:
    """Look, store, wait, until somebody asks to stop."""
    look, alarms, airflow = Look(settings), Alarms(settings), AirflowEvents(settings)
    exporter = Exporter(settings)
    with connect(settings) as client, closing(airflow), closing(exporter), stop_on_signals() as stopped:
        if not once:
            exporter.start()
        while not stopped():
            due = time.monotonic() + every
            records = look.take(client)
            exporter.show(records)
            if _store(client, [*records, *([] if once else airflow.take())]):
                airflow.stored()
            _tell(records, as_json)
            _alert(settings, alarms.judge(records, time.monotonic()))
            if once:
                return
            while not stopped() and time.monotonic() < due:
                time.sleep(_NAP_SECONDS)


def _store(client: Elasticsearch, records: list[HealthRecord]) -> bool:
    try:
        publish(client, records)
    except TransportError as error:
        # The next look comes soon, and what could not be stored is in this log.
        logger.warning("not stored records=%s reason=%s", len(records), error)
        return False
    return True


def _alert(settings: Settings, alerts: list[Alert]) -> None:
    outbox = Outbox(settings)
    for alert in alerts:
        outbox.put(alert)


def _tell(records: list[HealthRecord], as_json: bool) -> None:
    if as_json:
        print(json.dumps([record.document() for record in records]), flush=True)  # noqa: T201 - the command's output
        return
    bad = [f"{record.subject}: {record.reason}" for record in records if record.status not in ("ok", "unknown")]
    logger.info("look records=%s not_ok=%s %s", len(records), len(bad), "; ".join(bad))
