"""Routing: ``routing.yaml``, checked, and the answers it gives: who is told of what, and when."""

from datetime import datetime, time
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo

import yaml
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from include.alerting.alert import Alert, Kind, Severity
from include.errors import ConfigurationError

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: Final[tuple[Day, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK: Final = r"^([01]\d|2[0-3]):[0-5]\d$"
_SPAN: Final = r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SlackDestination(_Model):
    """A Slack channel.

    Attributes:
        channel: Used with a bot token; a webhook has its own channel.
    """

    type: Literal["slack"]
    channel: str | None = Field(None, min_length=1)


class EmailDestination(_Model):
    """Mail addresses; those of ``ALERT_EMAIL_TO`` where none is named."""

    type: Literal["email"]
    to: tuple[str, ...] = ()


Destination = Annotated[SlackDestination | EmailDestination, Field(discriminator="type")]


class Route(_Model):
    """Who is told of which alerts. A condition that is left out fits everything."""

    severities: tuple[Severity, ...] = tuple(Severity)
    kinds: tuple[Kind, ...] = tuple(Kind)
    days: tuple[Day, ...] = _DAYS
    between: str = Field("00:00-00:00", pattern=_SPAN)
    to: tuple[str, ...]

    def fits(self, alert: Alert, local: datetime) -> bool:
        """Whether it speaks of this alert at this local time."""
        return (
            alert.severity in self.severities
            and alert.kind in self.kinds
            and _DAYS[local.weekday()] in self.days
            and _within(self.between, local.time())
        )


class Grouping(_Model):
    """When alerts go out together, and how often one incident is told."""

    wait_seconds: float = Field(1, ge=0, le=600)
    group_from: int = Field(4, ge=2, le=100)
    repeat_minutes: float = Field(60, gt=0)
    expire_hours: float = Field(24, gt=0)


class RateLimit(_Model):
    """The most messages that one destination gets in a span of time."""

    messages: int = Field(20, ge=1)
    per_seconds: float = Field(60, gt=0)


class Escalation(_Model):
    """Who is told of an incident that nobody acknowledged."""

    severities: tuple[Severity, ...] = (Severity.CRITICAL,)
    after_minutes: float = Field(gt=0)
    to: tuple[str, ...] = Field(min_length=1)


class Maintenance(_Model):
    """Planned work, in which nobody is told of what it causes."""

    since: AwareDatetime = Field(alias="from")
    until: AwareDatetime
    keys: tuple[str, ...] = ("*",)
    reason: str = Field(min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.until <= self.since:
            raise ValueError("until must be later than from")
        return self


class Digest(_Model):
    """The daily summary: local time and receivers."""

    at: str = Field(pattern=_CLOCK)
    to: tuple[str, ...] = Field(min_length=1)


def _zone(value: Any) -> Any:
    # ZoneInfo refuses unknown names with an error that pydantic does not turn into a finding.
    try:
        return ZoneInfo(value) if isinstance(value, str) else value
    except (KeyError, ValueError) as error:
        raise ValueError(f"unknown time zone {value}") from error


class Routing(_Model):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    timezone: Annotated[ZoneInfo, BeforeValidator(_zone)] = ZoneInfo("UTC")
    destinations: dict[str, Destination] = Field(min_length=1)
    routes: tuple[Route, ...] = Field(min_length=1)
    grouping: Grouping = Grouping()
    rate_limit: RateLimit = RateLimit()
    escalation: tuple[Escalation, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    digest: Digest | None = None

    @model_validator(mode="after")
    def _destinations_exist(self) -> Self:
        named = [(f"routes[{n}]", route.to) for n, route in enumerate(self.routes)]
        named += [(f"escalation[{n}]", step.to) for n, step in enumerate(self.escalation)]
        named += [("digest", self.digest.to)] if self.digest else []
        for where, names in named:
            unknown = sorted(set(names) - set(self.destinations))
            if unknown:
                raise ValueError(f"{where}.to names {', '.join(unknown)}, which is not among the destinations")
        return self

    @cached_property
    def digest_time(self) -> time | None:
        """Local time of the daily summary."""
        return time.fromisoformat(self.digest.at) if self.digest else None

    def receivers(self, alert: Alert, now: datetime) -> tuple[str, ...]:
        """Names of the destinations that are told of an alert at this moment."""
        local = now.astimezone(self.timezone)
        return next((route.to for route in self.routes if route.fits(alert, local)), ())

    def is_muted(self, key: str, now: datetime) -> bool:
        """Whether planned work covers an incident at this moment."""
        return any(
            window.since <= now < window.until and any(fnmatchcase(key, pattern) for pattern in window.keys)
            for window in self.maintenance
        )


def _within(span: str, now: time) -> bool:
    start, end = (time.fromisoformat(part) for part in span.split("-"))
    if start < end:
        return start <= now < end
    return now >= start or now < end


def load_routing(path: Path) -> Routing:
    """Read and check the file.

    Raises:
        ConfigurationError: Naming each field that cannot be used, what was found there, and what is allowed.
    """
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read ({error.strerror}): set ALERT_ROUTING_FILE") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path} is not YAML: {error}") from error
    try:
        return Routing.model_validate(found)
    except ValidationError as error:
        findings = "; ".join(_finding(item) for item in error.errors())
        raise ConfigurationError(f"{path}: {findings}") from error


def _finding(item: Any) -> str:
    field = ".".join(str(part) for part in item["loc"]) or "the file"
    found = "" if isinstance(item["input"], dict) else f" (found {item['input']!r})"
    return f"{field}: {item['msg'].removeprefix('Value error, ')}{found}; correct it there"
