"""What the speed layer and the batch layer do, and what is demanded of them."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from include.settings.places import PROJECT_ROOT
from include.settings.ports import Port


class LayerSettings(BaseSettings):
    """Spark, tables, handover, freshness and rules."""

    # Spark
    spark_ui_port: Port = Field(8080, description="Port of the Spark UI of the speed layer's urgent driver.")
    spark_background_ui_port: Port = Field(8082, description="Port of the Spark UI of its background driver.")
    spark_driver_memory: str = Field("1g", pattern=r"^\d+[mg]$", description="Heap of each driver of the speed layer.")
    spark_batch_memory: str = Field("1536m", pattern=r"^\d+[mg]$", description="Heap of a batch job's driver.")

    background_priority: Literal["idle", "low", "normal"] = Field(
        "idle",
        description="How batch jobs and background streams get processors beside the live numbers: idle (what others "
        "leave), low, or normal, where they have processors of their own.",
    )

    supervisor_url: SecretStr | None = Field(
        None, description="Supervisor of the speed layer's driver, where it runs elsewhere, as in containers."
    )

    # Speed layer
    live_trigger_ms: int = Field(500, ge=50, le=60_000, description="Pause between starts of live micro-batches.")
    archive_trigger_seconds: int = Field(10, ge=1, le=600, description="Pause between starts of archive batches.")
    dedup_window_seconds: int = Field(
        600, ge=10, le=86_400, description="How long the speed layer remembers event ids (arrival time)."
    )
    search_user_events: bool = Field(
        False, description="Whether what users do in the shop can be searched too: most events, most documents."
    )

    # Tables
    bronze_keep_days: int = Field(
        0, ge=0, le=36_600, description="Days that bronze keeps; 0 keeps all, as a full rebuild of silver needs."
    )
    personal_keep_days: int = Field(
        0, ge=0, le=36_600, description="Days after which rows no longer say who it was; 0 for never (see SECURITY.md)."
    )
    delta_history_hours: int = Field(
        168, ge=1, le=8760, description="How far time travel reaches back: older files are deleted by compaction."
    )

    erasure_grace_minutes: int = Field(
        15, ge=0, le=10_080, description="How long files with an erased person stay, so that what reads them ends."
    )

    # Handover from speed to batch
    handover_seal_seconds: int = Field(30, ge=0, le=3600, description="How long a handover waits for a sealed segment.")
    handover_archive_seconds: int = Field(
        300, ge=0, le=7200, description="How long a handover waits for bronze to hold what the segments hold."
    )
    handover_keep_seconds: int = Field(
        600, ge=0, le=604_800, description="How long replaced indices are kept, so that searches in flight finish."
    )

    # Freshness
    freshness_live_seconds: int = Field(60, ge=1, le=86_400, description="How far streams may be behind Kafka.")
    freshness_batch_seconds: int = Field(7200, ge=60, le=604_800, description="How far gold may be behind bronze.")
    freshness_target: float = Field(
        0.999, ge=0.5, lt=1, description="Share of a month in which each must be in time; the rest is its error budget."
    )

    fraud_rules_file: Path = Field(
        PROJECT_ROOT / "include" / "fraud" / "rules.yaml", description="Fraud rules and their thresholds."
    )
    stock_rules_file: Path = Field(
        PROJECT_ROOT / "include" / "stock" / "rules.yaml",
        description="Which warehouse serves which country, and from when on stock is low.",
    )

    batch_deadline_minutes: int = Field(
        135, ge=1, le=100_000, description="Minutes after which a missing recompute or handover is an alert."
    )

    # Demo traffic
    demo_rate: int = Field(50, ge=0, le=50_000, description="Events per second of the demo shop; 0 is none.")
