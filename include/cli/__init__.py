"""The command line, one module per subject; each has ``register(app)``, which adds its commands."""

from typing import Final

MODULES: Final = (
    "include.cli.alerts",
    "include.cli.artifacts",
    "include.cli.audit",
    "include.cli.batch",
    "include.cli.contracts",
    "include.cli.dead_letters",
    "include.cli.erasure",
    "include.cli.freshness",
    "include.cli.quality",
    "include.cli.recommendations",
    "include.cli.reports",
    "include.cli.serving",
    "include.cli.consumer",
    "include.cli.producer",
    "include.cli.replay",
    "include.cli.topics",
    "include.cli.platform",
    "include.cli.speed_layer",
    "include.cli.status",
    "include.cli.monitoring",
    "include.cli.checks",
)
