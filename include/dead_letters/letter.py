"""A refused record as ``bronze.rejected`` keeps it, and which of them somebody chooses."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from include.contracts.rules import Reason
from include.errors import ConfigurationError
from include.names import RAW_TOPICS, Topic

_PLACE: Final = re.compile(r"(?P<topic>[a-z-]+)-(?P<partition>\d+)-(?P<offset>\d+)")


@dataclass(frozen=True, order=True)
class Place:
    """Where a record is in Kafka; written ``topic-partition-offset``, as the letters' keys are."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition}-{self.offset}"


def place_of(text: str) -> Place:
    """Read ``topic-partition-offset``.

    Raises:
        ConfigurationError: If the text is not that.
    """
    match = _PLACE.fullmatch(text)
    if match is None or match["topic"] not in set(RAW_TOPICS):
        raise ConfigurationError(f"{text!r} is no place of a letter: write it as purchases-0-17, as the list shows it")
    return Place(match["topic"], int(match["partition"]), int(match["offset"]))


@dataclass(frozen=True)
class Letter:
    """One refused record.

    Attributes:
        place: Where it is in Kafka.
        kafka_time: When Kafka took it.
        key: Its key, as it came.
        value: Its bytes, as they came.
        stage: Where it was refused: ``routing``, ``bytes`` or ``contract``.
        reason: Why, as a code.
        field: Which field.
        expected: What the contract asks for.
        found: What was there; masked where it is personal.
        contract: Which contract, for example ``purchase.v1``.
    """

    place: Place
    kafka_time: datetime
    key: bytes | None
    value: bytes | None
    stage: str
    reason: str
    field: str
    expected: str
    found: str
    contract: str

    @property
    def topic(self) -> Topic:
        """Its topic."""
        return Topic(self.place.topic)


def letter_from(line: str) -> Letter:
    """A letter from the JSON that ``spark_jobs/batch/letters.py`` writes."""
    row: Mapping[str, Any] = json.loads(line)
    return Letter(
        place=Place(row["topic"], row["partition"], row["offset"]),
        kafka_time=datetime.fromisoformat(row["kafka_time"]),
        key=_bytes(row.get("key")),
        value=_bytes(row.get("value")),
        **{name: row.get(name) or "" for name in ("stage", "reason", "field", "expected", "found", "contract")},
    )


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


@dataclass(frozen=True)
class Selection:
    """Which letters are meant; what is empty chooses all.

    Attributes:
        topics: Of these topics.
        reasons: Refused for these reasons.
        since: Taken by Kafka at this time or later.
        until: Taken by Kafka before this time.
        places: Exactly these.
        limit: At most so many, the oldest first.
    """

    topics: tuple[Topic, ...] = ()
    reasons: tuple[Reason, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    places: tuple[Place, ...] = ()
    limit: int | None = None

    def as_json(self) -> dict[str, Any]:
        """For receipts and for the Spark job."""
        return {
            "topics": [topic.value for topic in self.topics],
            "reasons": [reason.value for reason in self.reasons],
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "places": [str(place) for place in self.places],
            "limit": self.limit,
        }


def selection_from(body: Mapping[str, Any]) -> Selection:
    """A selection from its JSON or from the form of a DAG; times without a zone are UTC.

    Raises:
        ConfigurationError: If a topic, a reason, a time or a place is none; says which there are.
    """
    since, until = _time(body.get("since"), "since"), _time(body.get("until"), "until")
    if since and until and until <= since:
        raise ConfigurationError(f"until ({until}) does not lie after since ({since}): exchange them")
    return Selection(
        topics=tuple(_one_of(Topic, name, "topic", RAW_TOPICS) for name in body.get("topics") or ()),
        reasons=tuple(_one_of(Reason, name, "reason", tuple(Reason)) for name in body.get("reasons") or ()),
        since=since,
        until=until,
        places=tuple(place_of(text) for text in body.get("places") or ()),
        limit=body.get("limit"),
    )


def _one_of(kind: Any, name: str, what: str, known: tuple[str, ...]) -> Any:
    if name not in known:
        raise ConfigurationError(f"no {what} {name!r}: choose one of {', '.join(known)}")
    return kind(name)


def _time(value: object, what: str) -> datetime | None:
    if not value:
        return None
    try:
        time = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise ConfigurationError(f"{what}: {value!r} is not a time: write it as 2026-11-24T12:00:00Z") from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)
