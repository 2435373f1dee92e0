"""Documents from folders of bulk bodies, as Spark jobs write them: a line for the action, one for the source."""

import json
from collections.abc import Iterator
from pathlib import Path

from include.errors import ConfigurationError
from include.serving.scan import Document


def documents_in(folder: Path) -> Iterator[Document]:
    """The documents of all ``*.txt`` and ``*.ndjson`` files below a folder.

    Raises:
        ConfigurationError: If a file is no bulk body; names the file and the line.
    """
    for path in sorted(path for path in folder.rglob("*") if path.suffix in {".txt", ".ndjson"}):
        with path.open(encoding="utf-8") as lines:
            for number, action in enumerate(lines, 1):
                yield _document(path, number, action, next(lines, ""))


def _document(path: Path, number: int, action: str, source: str) -> Document:
    try:
        return Document(str(json.loads(action)["index"]["_id"]), json.loads(source))
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"{path}, document {number}: expected a line with an index action and _id, then a line with the document; "
            f"found {action[:80]!r} ({error})"
        ) from error
