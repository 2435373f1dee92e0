"""Letters of literal events, for the tests of dead letters."""

import json
from datetime import UTC, datetime
from typing import Any

from include.contracts.rules import Reason
from include.contracts.validation import Rejection, check
from include.dead_letters.letter import Letter, Place
from include.names import Topic

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def letter(document: dict[str, Any] | bytes | None, topic: Topic = Topic.PURCHASES, offset: int = 0) -> Letter:
    value = json.dumps(document).encode() if isinstance(document, dict) else document
    rejection = check(value, topic, b"x", NOW) or Rejection("contract", Reason.KEY_MISMATCH, "user_id", "", "", "")
    return Letter(
        Place(topic.value, 0, offset),
        NOW,
        b"x",
        value,
        rejection.stage,
        rejection.reason.value,
        rejection.field,
        rejection.expected,
        rejection.found,
        rejection.contract,
    )
