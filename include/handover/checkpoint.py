"""What the platform reads from a checkpoint of Spark's: the query's id, and how far each micro-batch reads."""

import json
from pathlib import Path
from typing import Final

from include.errors import ConfigurationError, PlatformError

Offsets = dict[str, dict[int, int]]

_OFFSET_LOG_VERSION: Final = "v1"


class LedgerError(PlatformError):
    """Raised when the ledger and the checkpoint contradict each other, or a segment is not sealed."""


def end_offsets_of(checkpoint: Path, batch_id: int) -> Offsets:
    """The offsets up to which a micro-batch reads, from Spark's offset log.

    Raises:
        LedgerError: If the log does not hold the micro-batch, or is of an unknown version.
    """
    path = checkpoint / "offsets" / str(batch_id)
    try:
        version, _, *sources = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise LedgerError(f"{path}: the offsets of micro-batch {batch_id} are not there ({error})") from error
    if version != _OFFSET_LOG_VERSION:
        raise LedgerError(f"{path}: offset log of version {version!r}; only {_OFFSET_LOG_VERSION} is known")
    offsets: Offsets = {}
    for source in sources:
        for topic, partitions in json.loads(source).items():
            offsets[topic] = {int(partition): int(offset) for partition, offset in partitions.items()}
    return offsets


def query_id_of(checkpoint: Path) -> str:
    """Spark's id of the query that owns a checkpoint.

    Raises:
        ConfigurationError: If the folder is not a checkpoint.
    """
    path = checkpoint / "metadata"
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["id"])
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(f"{path} does not name a query: {error}") from error
