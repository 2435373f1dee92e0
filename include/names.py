"""Every name that two parts of the platform share: topics, tables, indices, queries, DAGs. Typed once, here."""

from enum import StrEnum
from typing import Final

PLATFORM: Final = "realtime-data-platform"
VERSION: Final = "0.1.0"


class Topic(StrEnum):
    """Kafka topics. The first four carry what shops send; the rest is derived from them."""

    USER_EVENTS = "user-events"
    PURCHASES = "purchases"
    INVENTORY_UPDATES = "inventory-updates"
    CUSTOMER_FEEDBACK = "customer-feedback"
    DEAD_LETTER = "dead-letter"
    FRAUD_ALERTS = "fraud-alerts"
    PLATFORM_ALERTS = "platform-alerts"
    AIRFLOW_EVENTS = "airflow-events"


RAW_TOPICS: Final = (Topic.USER_EVENTS, Topic.PURCHASES, Topic.INVENTORY_UPDATES, Topic.CUSTOMER_FEEDBACK)


class Table(StrEnum):
    """Delta tables, as ``layer.name``; the path below the lake's root is ``layer/name``."""

    BRONZE_EVENTS = "bronze.events"
    BRONZE_REJECTED = "bronze.rejected"
    SILVER_USER_EVENTS = "silver.user_events"
    SILVER_PURCHASES = "silver.purchases"
    SILVER_INVENTORY_UPDATES = "silver.inventory_updates"
    SILVER_CUSTOMER_FEEDBACK = "silver.customer_feedback"
    SILVER_DUPLICATES = "silver.duplicates"
    SILVER_QUARANTINE = "silver.quarantine"
    GOLD_METRICS_10S = "gold.metrics_10s"
    GOLD_LATE_WINDOWS = "gold.late_windows"
    GOLD_METRICS_MINUTELY = "gold.metrics_minutely"
    GOLD_METRICS_HOURLY = "gold.metrics_hourly"
    GOLD_METRICS_DAILY = "gold.metrics_daily"
    GOLD_SESSIONS = "gold.sessions"
    GOLD_FUNNEL_DAILY = "gold.funnel_daily"
    GOLD_PRODUCTS_DAILY = "gold.products_daily"
    GOLD_STOCK_MOVEMENTS_DAILY = "gold.stock_movements_daily"
    GOLD_STOCK_DAILY = "gold.stock_daily"
    GOLD_RETENTION_WEEKLY = "gold.retention_weekly"
    GOLD_CUSTOMER_PROFILES = "gold.customer_profiles"
    GOLD_RECOMMENDATIONS = "gold.recommendations"
    BATCH_PROGRESS = "ops.batch_progress"
    OBSERVATIONS = "ops.observations"


SILVER_BY_TOPIC: Final = {
    Topic.USER_EVENTS: Table.SILVER_USER_EVENTS,
    Topic.PURCHASES: Table.SILVER_PURCHASES,
    Topic.INVENTORY_UPDATES: Table.SILVER_INVENTORY_UPDATES,
    Topic.CUSTOMER_FEEDBACK: Table.SILVER_CUSTOMER_FEEDBACK,
}


class Alias(StrEnum):
    """Elasticsearch aliases: what anyone reads. Numbered indices stand behind them."""

    METRICS = "metrics"
    EVENTS = "events"
    FRAUD_ALERTS = "fraud-alerts"
    INVENTORY = "inventory"
    RECOMMENDATIONS = "recommendations"
    PIPELINE_HEALTH = "pipeline-health"
    ALERTS = "alerts"


class Query(StrEnum):
    """Streaming queries of the speed layer; also the names of their checkpoints and heartbeats."""

    BRONZE_ARCHIVE = "bronze_archive"
    DEAD_LETTERS = "dead_letters"
    LIVE_METRICS = "live_metrics"
    LIVE_ACTIVITY = "live_activity"
    FRAUD_INSTANT = "fraud_instant"
    FRAUD_PATTERNS = "fraud_patterns"
    LIVE_EVENTS = "live_events"
    LIVE_USER_EVENTS = "live_user_events"
    LIVE_INVENTORY = "live_inventory"


class Part(StrEnum):
    """Processes of the platform, as the supervisor and ``./run.sh status`` name them."""

    KAFKA = "kafka"
    ELASTICSEARCH = "elasticsearch"
    SPEED_LAYER = "speed-layer"
    SPEED_LAYER_BACKGROUND = "speed-layer-background"
    DEMO_TRAFFIC = "demo-traffic"
    MONITORING = "monitoring"
    ALERTING = "alerting"
    API = "api"
    GRAFANA = "grafana"
    AIRFLOW_API = "airflow-api-server"
    AIRFLOW_SCHEDULER = "airflow-scheduler"
    AIRFLOW_DAG_PROCESSOR = "airflow-dag-processor"
    AIRFLOW_TRIGGERER = "airflow-triggerer"


class DagId(StrEnum):
    """Airflow DAGs."""

    SPEED_LAYER = "speed_layer"
    SPEED_LAYER_HEALTH = "speed_layer_health"
    BATCH_RECOMPUTE = "batch_recompute"
    COMPACT_TABLES = "compact_tables"
    DATA_QUALITY = "data_quality"
    LAMBDA_HANDOVER = "lambda_handover"
    REINDEX_ELASTICSEARCH = "reindex_elasticsearch"
    DEAD_LETTER_REPLAY = "dead_letter_replay"
    AUDIT = "audit"
    ERASE_PERSON = "erase_person"
    RECOMMENDATIONS = "recommendations"
    PLATFORM_REPORT = "platform_report"


class Connection(StrEnum):
    """Airflow connections, all declared in ``airflow_settings.yaml``."""

    KAFKA = "kafka_default"
    ELASTICSEARCH = "elasticsearch_default"
    SPARK = "spark_default"
    SPARK_BATCH = "spark_batch"
    SLACK = "slack_default"
    SMTP = "smtp_default"


class Pool(StrEnum):
    """Airflow pools, all declared in ``airflow_settings.yaml``."""

    SPARK_BATCH = "spark_batch"


class Variable(StrEnum):
    """Airflow variables, all declared in ``airflow_settings.yaml``: what may be tuned while the platform runs."""

    SPEED_LAYER_RESTARTS_PER_HOUR = "speed_layer_restarts_per_hour"
    QUALITY_MAX_ROWS = "quality_max_rows"
