"""What ``start`` shows at its end: where everything is, how to log in, and the first live numbers."""

import time
from datetime import UTC, datetime
from typing import Final

from rich.console import Console
from rich.table import Table

from include.config import Settings
from include.errors import PartUnavailableError
from include.names import Part

_PATIENCE_SECONDS: Final = 120
_MINUTES: Final = 5


def show_addresses(settings: Settings, console: Console) -> None:
    """Print the table of addresses, and the log-in of Airflow."""
    from include.local.airflow import ADMIN, Airflow
    from include.local.grafana import Grafana

    host = settings.platform_bind_host
    airflow, grafana = Airflow(settings), Grafana(settings)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_row("Airflow", settings.airflow_url, f"user {ADMIN}, password {airflow.password()}")
    table.add_row("HTTP API", f"{settings.api_url}/docs", "key figures, search, recommendations")
    table.add_row("Spark", f"http://{host}:{settings.spark_ui_port}", "live numbers, instant fraud, archive")
    table.add_row("", f"http://{host}:{settings.spark_background_ui_port}", "all other streams")
    table.add_row("Elasticsearch", settings.search_url, "read by alias: metrics, events, pipeline-health")
    if grafana.program_file:
        table.add_row("Grafana", grafana.url, f"user {ADMIN}, the same password")
    else:
        table.add_row("Grafana", "not installed", "the Platform page in Airflow shows the same")
    table.add_row("Kafka", settings.bootstrap_servers, "")
    table.add_row("Data", str(settings.platform_data_dir), "logs are in logs/")
    console.print()
    console.print(table, highlight=False, soft_wrap=True)
    console.print()


def show_first_numbers(settings: Settings, console: Console) -> None:
    """Wait for the first counted event and print the key figures; without demo traffic, say how to send some.

    Raises:
        PartUnavailableError: If nothing was counted in time, though the demo shop sends.
    """
    from include.serving.client import connect, reachable
    from include.serving.kpi_screen import nothing_yet, screen
    from include.serving.kpis import read_kpis

    deadline = time.monotonic() + _PATIENCE_SECONDS
    kpis, reason = None, "nothing was asked yet"
    with reachable(settings), connect(settings) as client, console.status("Waiting for the first numbers"):
        while kpis is None or (settings.demo_rate and nothing_yet(kpis)):
            try:
                kpis = read_kpis(client, datetime.now(UTC), _MINUTES)
                reason = nothing_yet(kpis) or ""
            except PartUnavailableError as error:
                # A shard that is just being made answers a moment later; the last reason is told when it does not.
                reason = error.reason
            if reason and time.monotonic() > deadline:
                raise PartUnavailableError(Part.SPEED_LAYER, f"no numbers after {_PATIENCE_SECONDS} s: {reason}")
            time.sleep(0.5)
    console.print(screen(kpis) if nothing_yet(kpis) is None else nothing_yet(kpis))
