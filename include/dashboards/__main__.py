"""Write the Grafana dashboards: ``python -m include.dashboards [FOLDER]``."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from include.config import PROJECT_ROOT
from include.dashboards import batch_handover, customers, data_quality, fraud, pipeline_health, sales_metrics, stock

FOLDER: Final = PROJECT_ROOT / "docker" / "grafana" / "dashboards"
_BUILDERS: Final[dict[str, Callable[[], Dashboard]]] = {
    "sales_metrics": sales_metrics.build,
    "customers_funnel": customers.build,
    "fraud": fraud.build,
    "inventory": stock.build,
    "pipeline_health": pipeline_health.build,
    "data_quality": data_quality.build,
    "batch_handover": batch_handover.build,
}


def render(dashboard: Dashboard) -> str:
    """The JSON that Grafana provisions."""
    return json.dumps(dashboard, cls=JSONEncoder, indent=1, sort_keys=True) + "\n"


def write_all(folder: Path = FOLDER) -> None:
    """Write each dashboard as ``<name>.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, build in _BUILDERS.items():
        (folder / f"{name}.json").write_text(render(build()), encoding="utf-8")


if __name__ == "__main__":
    write_all(*map(Path, sys.argv[1:]))
