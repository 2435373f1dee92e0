"""Where a new topic is written down: among the names, and in the picture of the architecture."""

import re
from typing import Final

from include.errors import ConfigurationError

_TOPIC_LINE: Final = re.compile(r'<text class="code (?:white|pale)" x="267" y="(\d+)">([a-z-]+)</text>')


def with_topic(names: str, topic: str) -> str:
    """``include/names.py`` with a topic for events of a new family, and the silver table that they come to.

    Args:
        names: The file's text.
        topic: For example ``wishlists``.

    Raises:
        ConfigurationError: If the file is not laid out as this expects.
    """
    constant, table = topic.replace("-", "_").upper(), topic.replace("-", "_")
    for mark, line in (
        (r"\n    DEAD_LETTER = ", f'\n    {constant} = "{topic}"'),
        (r"\)\n\n\nclass Table", f", Topic.{constant}"),
        (r"\n    SILVER_DUPLICATES = ", f'\n    SILVER_{constant} = "silver.{table}"'),
        (r"\n\}\n\n\nclass Alias", f"\n    Topic.{constant}: Table.SILVER_{constant},"),
    ):
        found = re.search(mark, names)
        if found is None:
            raise ConfigurationError(f"include/names.py: {mark!r} is not in it; add the topic {topic} by hand")
        names = names[: found.start()] + line + names[found.start() :]
    return names


def with_topic_in_picture(picture: str, topic: str) -> str:
    """The picture with one more topic of events, all topics spaced evenly in Kafka's box."""
    lines = list(_TOPIC_LINE.finditer(picture))
    first, last = int(lines[0][1]), int(lines[-1][1])
    raw = [line[2] for line in lines if "code white" in line[0]]
    derived = [line[2] for line in lines if "code pale" in line[0]]
    step = (last - first) / (len(lines))
    drawn = [(name, "white") for name in (*raw, topic)] + [(name, "pale") for name in derived]
    texts = [
        f'<text class="code {shade}" x="267" y="{round(first + number * step)}">{name}</text>'
        for number, (name, shade) in enumerate(drawn)
    ]
    return picture[: lines[0].start()] + "\n    ".join(texts) + picture[lines[-1].end() :]
