"""The questions of ``dashboard_users`` sent straight to Elasticsearch, for Locust: what the HTTP API adds."""

import json
import os
import random
from datetime import UTC, datetime
from typing import Any, Final

from locust import FastHttpUser, task

from include.names import Alias
from include.recommendations.reranking import lookup
from include.serving.api.questions import SeriesQuestion
from include.serving.api.series import series_search
from include.serving.kpis import kpi_searches, range_of

_CUSTOMERS: Final = int(os.environ.get("DASHBOARD_CUSTOMERS", "10000"))
_PAUSE: Final = float(os.environ.get("DASHBOARD_PAUSE", "5"))
_JSON: Final = {"Content-Type": "application/json"}


class Direct(FastHttpUser):
    """Asks for the same, by the same pauses; Elasticsearch has no stream to listen to."""

    network_timeout = 30.0
    connection_timeout = 30.0

    def wait_time(self) -> float:
        """As people are: from half to one and a half of the mean."""
        return random.uniform(0.5, 1.5) * _PAUSE

    def _ask(self, name: str, alias: Alias, body: dict[str, Any]) -> None:
        self.client.post(f"/{alias.value}/_search", data=json.dumps(body, default=str), name=name, headers=_JSON)

    @task(3)
    def figures(self) -> None:
        """The key figures of now."""
        since, until = range_of(datetime.now(UTC), 15)
        lines = "".join(f"{json.dumps(line, default=str)}\n" for line in kpi_searches(since, until))
        self.client.post(f"/{Alias.METRICS.value}/_msearch", data=lines, name="key figures", headers=_JSON)

    @task(4)
    def series(self) -> None:
        """Sums over time, of all or by what they are looked at."""
        dimension = random.choice(("all", "category", "country", "device"))
        question = SeriesQuestion.model_validate({"dimension": dimension, "interval": "1m"})
        since, until = question.span(datetime.now(UTC))
        self._ask("series", Alias.METRICS, dict(series_search(question, since, until)))

    @task(2)
    def recommendations(self) -> None:
        """What was learnt of one of many customers."""
        subject = f"u-{random.randrange(_CUSTOMERS):07d}"
        self._ask("recommendations", Alias.RECOMMENDATIONS, lookup("user", subject))
