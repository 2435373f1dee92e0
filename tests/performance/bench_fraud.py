"""Fraud detection against the simulator's labels: precision by rule and recall by kind, at the default settings."""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow.dataset as ds
from kafka import KafkaConsumer

from include.config import PROJECT_ROOT, Settings
from include.fraud.rules import load_rules
from include.names import Query, Topic
from include.supervision.health import check
from include.supervision.spark_submit import settings_environment
from tests.performance import report
from tests.performance.fraud_score import Score, cases_of, score
from tests.stack import stack

_SECONDS_OF_SHOP: Final = 30
_CAUGHT_UP_SECONDS: Final = 120
_QUERIES: Final = (Query.FRAUD_INSTANT, Query.FRAUD_PATTERNS)


def _send(settings: Settings, options: argparse.Namespace, truth: Path) -> None:
    start = datetime.now(UTC) - timedelta(seconds=options.seconds * _SECONDS_OF_SHOP)
    command = [sys.executable, "main.py", "start-producer", "--rate", str(options.rate), "--seed", str(options.seed)]
    command += ["--duration", f"{options.seconds}s", "--acceleration", str(_SECONDS_OF_SHOP)]
    command += ["--start", f"{start:%Y-%m-%dT%H:%M:%SZ}", "--fraud", str(options.fraud), "--truth", str(truth)]
    subprocess.run(
        command, cwd=PROJECT_ROOT, env={**os.environ, **settings_environment(settings)}, check=True, capture_output=True
    )


def _wait_caught_up(settings: Settings) -> None:
    deadline = time.monotonic() + _CAUGHT_UP_SECONDS
    while time.monotonic() < deadline:
        lags = {verdict.subject: verdict.metrics.get("lag") for verdict in check(settings)}
        if lags.get(Query.FRAUD_PATTERNS) == 0:
            return
        time.sleep(1)
    raise RuntimeError(f"{Query.FRAUD_PATTERNS} has not caught up after {_CAUGHT_UP_SECONDS} s")


def _alerts(settings: Settings) -> list[dict[str, Any]]:
    consumer = KafkaConsumer(
        Topic.FRAUD_ALERTS.value,
        bootstrap_servers=settings.bootstrap_servers,
        auto_offset_reset="earliest",
        consumer_timeout_ms=5000,
    )
    try:
        found = {alert["alert_id"]: alert for alert in (json.loads(record.value) for record in consumer)}
    finally:
        consumer.close()
    return [{**alert, "event_time": datetime.fromisoformat(alert["event_time"])} for alert in found.values()]


def rows_of(scores: Mapping[str, Score]) -> list[list[Any]]:
    """Rows of the table that a person reads."""
    return [
        [rule, part.alerts, part.precision, part.cases, part.recall, part.found_by_own_rule]
        for rule, part in scores.items()
    ]


def main(arguments: Sequence[str]) -> int:
    """Run the bench and write its report."""
    parser = argparse.ArgumentParser(prog="./run.sh bench fraud", description=__doc__)
    parser.add_argument("--seed", type=int, default=4711, help="not one that the rules were tuned with")
    parser.add_argument("--seconds", type=int, default=240, help=f"each is {_SECONDS_OF_SHOP} seconds of the shop")
    parser.add_argument("--rate", type=int, default=1500, help="events per second")
    parser.add_argument("--fraud", type=float, default=0.01, help="share of visits that are fraud cases")
    options = parser.parse_args(arguments)
    window = timedelta(minutes=load_rules().patterns.window_minutes)
    with stack(_QUERIES) as running:
        truth = running.settings.platform_data_dir / "truth"
        _send(running.settings, options, truth)
        _wait_caught_up(running.settings)
        alerts = _alerts(running.settings)
        events = ds.dataset(truth).to_table(filter=ds.field("fraud_case").is_valid()).to_pylist()
    cases = list(cases_of(events))
    last = max(case.ended for case in cases)
    # What began shortly before the shop closed was cut off.
    whole = [case for case in cases if case.begun < last - window]
    scores = score(alerts, cases, window)
    recalled = score(alerts, whole, window)
    scores = {
        rule: Score(
            part.alerts, part.right, recalled[rule].cases, recalled[rule].found, recalled[rule].found_by_own_rule
        )
        for rule, part in scores.items()
    }
    columns = ["rule", "alerts", "precision", "cases", "recall", "found by this rule"]
    report.show(f"Fraud, seed {options.seed}", columns, rows_of(scores))
    figures = {
        rule: {**asdict(part), "precision": part.precision, "recall": part.recall} for rule, part in scores.items()
    }
    path = report.write("fraud", {"seed": options.seed, "rules": figures})
    sys.stdout.write(f"{path}\n")
    overall = scores["overall"]
    return 0 if min(overall.precision or 0, overall.recall or 0) >= 0.95 else 1
