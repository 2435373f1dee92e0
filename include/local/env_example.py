"""``.env.example``: every setting with what it means and its default, made from ``include/config.py``.

Run ``python -m include.local.env_example`` after a change of the settings.
"""

import textwrap
from pathlib import Path
from typing import Any, Final

from pydantic.fields import FieldInfo

from include.config import PROJECT_ROOT, Settings

EXAMPLE_FILE: Final = PROJECT_ROOT / ".env.example"
_WIDTH: Final = 118
_HEAD: Final = (
    "# The platform's settings. Copy this to .env and uncomment what you change; the environment wins over it.\n"
    "# Every line shows the default; an empty value is none.\n"
)


def text() -> str:
    """The whole file."""
    return _HEAD + "".join(f"\n{_entry(name, field)}" for name, field in Settings.model_fields.items())


def _entry(name: str, field: FieldInfo) -> str:
    comment = textwrap.fill(field.description or "", _WIDTH, initial_indent="# ", subsequent_indent="# ")
    return f"{comment}\n#{name.upper()}={_written(field)}\n"


def _written(field: FieldInfo) -> str:
    # A computed default depends on the user; its description says what it is.
    default: Any = None if field.default_factory is not None else field.default
    if default is None:
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, Path):
        return str(default.relative_to(PROJECT_ROOT))
    return str(default)


if __name__ == "__main__":
    EXAMPLE_FILE.write_text(text(), encoding="utf-8")
