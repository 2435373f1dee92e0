"""Write Grafana's dashboards and alert rules: ``python -m include.dashboards [FOLDER]``."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from include.config import PROJECT_ROOT
from include.dashboards import (
    alert_rules,
    batch_handover,
    customers,
    data_quality,
    fraud,
    pipeline_health,
    sales_metrics,
    stock,
)

FOLDER: Final = PROJECT_ROOT / "docker" / "grafana"
BOARDS: Final = Path("dashboards")
RULES: Final = Path("provisioning", "alerting", "platform.yaml")
_MADE: Final = "# Made by `python -m include.dashboards` from include/dashboards/watches.py.\n"
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


def render_rules() -> str:
    """The YAML from which Grafana takes alert rules, contact points and policies."""
    # The builders' objects become plain ones by way of JSON.
    plain = json.loads(json.dumps(alert_rules.provisioning(), cls=JSONEncoder))
    return _MADE + yaml.safe_dump(plain, sort_keys=False, width=120)


def write_all(folder: Path = FOLDER) -> None:
    """Write each dashboard as ``dashboards/<name>.json``, and the rules beside the rest of the provisioning."""
    files = {BOARDS / f"{name}.json": render(build()) for name, build in _BUILDERS.items()}
    files[RULES] = render_rules()
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_all(*map(Path, sys.argv[1:]))
