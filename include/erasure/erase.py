"""Erases a person: rehearsed first, then everywhere at once, then verified when old files are gone."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from include.alerting.outbox import Outbox
from include.config import Settings
from include.contracts.registry import contracts_by_topic
from include.erasure import indices
from include.erasure.certificate import Certificate, load_certificate
from include.erasure.person import Person, person
from include.erasure.scan import files_naming
from include.errors import ConfigurationError
from include.handover.submit import submit
from include.names import Topic
from include.serving.client import connect, reachable

_ENDS = (
    "Kafka: raw topics after 7 days, derived topics after 30 days (retention)",
    "state and checkpoints of the streams: with their watermarks, at most a day",
    "logs of the tables: least and greatest values of columns, for 30 days",
    "alerts that were sent by Slack or e-mail: in the hands of their receivers",
)


def rehearse(settings: Settings, user_id: str) -> dict[str, int]:
    """How many rows and documents name the person, by place; nothing is changed.

    Raises:
        ConfigurationError: If the text is no user id.
    """
    who = Person(_checked(user_id), "")
    with reachable(settings), connect(settings, timeout_seconds=60) as client:
        return {**_lake(settings, who, "count"), **indices.count(client, who)}


def erase(settings: Settings, user_id: str, reference: str) -> Certificate:
    """Put a pseudonym in the person's place in the lake and in Elasticsearch; totals stay what they are.

    Erasing again is harmless: it finds only what came since.

    Raises:
        ConfigurationError: If the text is no user id.
    """
    who = person(_checked(user_id))
    with reachable(settings), connect(settings, timeout_seconds=60) as client:
        found = {**_lake(settings, who, "erase"), **indices.erase(client, who)}
    now = datetime.now(UTC)
    certificate = Certificate(
        run=f"erasure-{now:%Y%m%dT%H%M%S%f}",
        reference=reference,
        pseudonym=who.pseudonym,
        erased_at=now.isoformat(timespec="seconds"),
        found=found,
        vacuum_after=(now + timedelta(minutes=settings.erasure_grace_minutes)).isoformat(timespec="seconds"),
        ends_by_itself=list(_ENDS),
    )
    certificate.keep(settings)
    return certificate


def certify(settings: Settings, user_id: str, run: str) -> Certificate:
    """Delete the files with the old rows, search every file and index for the person, and complete the certificate.

    Raises:
        ConfigurationError: If the old files may not be deleted yet; says from when on.
    """
    who = Person(_checked(user_id), "")
    certificate = load_certificate(settings, run)
    if datetime.now(UTC) < datetime.fromisoformat(certificate.vacuum_after):
        raise ConfigurationError(f"{run}: files may be deleted from {certificate.vacuum_after} on; certify then")
    _lake(settings, who, "vacuum", hours=settings.erasure_grace_minutes / 60)
    certificate.left_in_files = [
        path for path in files_naming(settings, user_id) if "_delta_log" not in Path(path).parts
    ]
    with reachable(settings), connect(settings, timeout_seconds=60) as client:
        certificate.left_in_indices = indices.count(client, who)
    certificate.verified_at = datetime.now(UTC).isoformat(timespec="seconds")
    path = certificate.keep(settings)
    Outbox(settings).put(certificate.alert(settings, path))
    return certificate


def _checked(user_id: str) -> str:
    import re

    pattern = str(contracts_by_topic()[Topic.PURCHASES].schema["properties"]["user_id"]["pattern"])
    if not re.fullmatch(pattern, user_id):
        raise ConfigurationError(f"that is no user id: it is written as {pattern}")
    return user_id


def _lake(settings: Settings, who: Person, step: str, **more: Any) -> dict[str, int]:
    settings.platform_data_dir.mkdir(parents=True, exist_ok=True)
    # In a file that only this user may read, and that is gone when the job ends.
    with TemporaryDirectory(prefix="erasure-", dir=settings.platform_data_dir) as work:
        order = {"user_id": who.user_id, "pseudonym": who.pseudonym, "step": step, **more}
        (Path(work) / "order.json").write_text(json.dumps(order), encoding="utf-8")
        submit(settings, "erase.py", [work])
        found: Any = json.loads((Path(work) / "result.json").read_text(encoding="utf-8"))
    return found if isinstance(found, dict) else {}
