"""The simulated shop against a real broker: what the truth says is what the topics hold."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq

from include.config import PROJECT_ROOT, Settings
from include.messaging.tail import TailRecord, tail
from include.messaging.topics import end_offsets
from include.names import RAW_TOPICS

FAULTS = ["--duplicates", "1%", "--late", "1%", "--invalid", "2%", "--out-of-order", "1%", "--fraud", "1%"]


def producer(kafka: Settings, *arguments: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "KAFKA_PORT": str(kafka.kafka_port), "KAFKA_BOOTSTRAP_SERVERS": ""}
    command = [sys.executable, "main.py", "start-producer", "--json", *arguments]
    return subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def added(kafka: Settings, before: dict[str, dict[int, int]]) -> list[TailRecord]:
    records = tail(kafka, list(RAW_TOPICS), beginning=True, idle_seconds=3)
    return [record for record in records if record.offset >= before[record.topic].get(record.partition, 0)]


def test_the_topics_hold_exactly_what_the_truth_says(kafka: Settings, tmp_path: Path) -> None:
    before = end_offsets(kafka)
    process = producer(kafka, "--rate", "1000", "--duration", "8s", "--truth", str(tmp_path / "truth"), *FAULTS)
    output, _ = process.communicate(timeout=120)
    report = json.loads(output)
    truth = pq.read_table(tmp_path / "truth").to_pylist()
    records = added(kafka, before)
    assert process.returncode == 0
    assert report["acknowledged"] == report["sent"] == len(truth) == len(records) >= 8_000
    assert Counter(row["topic"] for row in truth) == Counter(record.topic for record in records)
    valid = Counter(row["event_id"] for row in truth if row["valid"])
    bad = {row["invalid_value"] for row in truth if not row["valid"]}
    held = Counter(
        json.loads(record.value)["event_id"] for record in records if record.value not in bad and record.value
    )
    assert held == valid


def test_sigterm_ends_in_order_with_the_truth_complete(kafka: Settings, tmp_path: Path) -> None:
    before = end_offsets(kafka)
    process = producer(kafka, "--rate", "500", "--truth", str(tmp_path / "truth"))
    while sum(map(lambda ends: sum(ends.values()), end_offsets(kafka).values())) == sum(
        sum(ends.values()) for ends in before.values()
    ):
        time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    report = json.loads(output)
    assert process.returncode == 0
    assert report["stopped_early"]
    assert report["acknowledged"] == report["sent"] == pq.read_table(tmp_path / "truth").num_rows
    assert len(added(kafka, before)) == report["sent"]
