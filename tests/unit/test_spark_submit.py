from pathlib import Path

import pytest
from pydantic import SecretStr

from include.config import Settings
from include.supervision.spark_submit import settings_environment, spark_submit_command

JOB = Path("spark_jobs/streaming/live_metrics.py")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        platform_data_dir=tmp_path,
        kafka_port=19092,
        spark_driver_memory="700m",
        spark_batch_memory="900m",
        slack_webhook_url=SecretStr("https://hooks.invalid/secret"),
    )


def option(command: list[str], name: str) -> str:
    return command[command.index(name) + 1]


def test_options_come_before_the_job_and_its_arguments_after(settings: Settings) -> None:
    command = spark_submit_command(settings, JOB, "--once", profile="live", master="local[2]")

    assert command[0].endswith("pyspark/bin/spark-submit")
    assert command[-2:] == [str(JOB), "--once"]
    assert option(command, "--master") == "local[2]"


@pytest.mark.parametrize(("profile", "memory"), [("live", "700m"), ("batch", "900m")])
def test_the_profile_chooses_properties_and_memory(settings: Settings, profile: str, memory: str) -> None:
    command = spark_submit_command(settings, JOB, profile=profile)  # type: ignore[arg-type]

    assert option(command, "--properties-file").endswith(f"spark_jobs/conf/{profile}.conf")
    assert option(command, "--driver-memory") == memory


def test_properties_of_the_caller_are_passed_on(settings: Settings) -> None:
    command = spark_submit_command(settings, JOB, conf={"spark.ui.port": "18080"})

    assert "spark.ui.port=18080" in command
    assert "--master" not in command


def test_another_process_reads_the_same_settings_but_gets_no_secret(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = settings_environment(settings)
    assert "SLACK_WEBHOOK_URL" not in environment
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    other = Settings()

    assert (other.platform_data_dir, other.kafka_port) == (settings.platform_data_dir, 19092)
