"""The one alert model: what any part says when something needs a person, or needs one no longer."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Final
from uuid import uuid4

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

_SUBJECT_LENGTH: Final = 200
_EVIDENCE_LENGTH: Final = 1_000


class Severity(StrEnum):
    """How much it matters, mildest first."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Place in the order of severities; larger is worse."""
        return list(Severity).index(self)


class Kind(StrEnum):
    """What an alert is about; routing may choose by it."""

    TASK_FAILED = "task_failed"
    DAG_FAILED = "dag_failed"
    STREAM_HEALTH = "stream_health"
    FRESHNESS = "freshness"
    DEADLINE = "deadline"
    FRAUD = "fraud"
    STOCK = "stock"
    DATA_QUALITY = "data_quality"
    DRIFT = "drift"
    AUDIT = "audit"
    RESOURCES = "resources"
    # Says what was, not what is wrong: it is told, and over at once.
    REPORT = "report"


def _one_line(value: Any) -> Any:
    return " ".join(value.split())[:_SUBJECT_LENGTH] if isinstance(value, str) else value


def _as_texts(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {str(name): str(text)[:_EVIDENCE_LENGTH] for name, text in value.items()}


class Link(BaseModel):
    """A button of an alert.

    Attributes:
        label: What the button says, for example ``Log``.
        url: Where it leads.
    """

    model_config = ConfigDict(frozen=True)

    label: str = Field(min_length=1, max_length=75)
    url: str = Field(pattern=r"^https?://", max_length=3_000)


class Alert(BaseModel):
    """One thing said by one part. Alerts of the same ``key`` speak of the same incident.

    Attributes:
        source: The part that speaks, for example ``airflow`` or ``speed-layer``.
        subject: One line for people: what is wrong with what. Longer text is cut.
        key: Deduplication key, for example ``stream/live_metrics``: stable while the incident lasts.
        evidence: Named observations. Values are turned into text; long ones are cut.
        links: Buttons: the run, the log, a table's history.
        runbook: Where it says what to do.
        time: When it was seen.
        resolved: Whether it says that the incident is over; resolving what is not open changes nothing.
        alert_id: Makes delivery idempotent: an alert that is put twice counts once.
    """

    model_config = ConfigDict(frozen=True)

    source: str = Field(min_length=1)
    kind: Kind
    severity: Severity
    subject: Annotated[str, BeforeValidator(_one_line)] = Field(min_length=1)
    key: str = Field(min_length=1, max_length=400)
    evidence: Annotated[dict[str, str], BeforeValidator(_as_texts)] = Field(default_factory=dict)
    links: tuple[Link, ...] = ()
    runbook: str | None = Field(None, pattern=r"^https?://")
    time: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))
    resolved: bool = False
    alert_id: str = Field(default_factory=lambda: uuid4().hex, min_length=1)
