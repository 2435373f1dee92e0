"""Rules that people edit: a YAML file, checked against a model, with an error that says what to change."""

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from include.errors import ConfigurationError

Rules = TypeVar("Rules", bound=BaseModel)


def read_rules_file(path: Path, model: type[Rules]) -> Rules:
    """Read and check a rules file.

    Raises:
        ConfigurationError: Naming each field that cannot be used, what was found and what is asked for.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{path}: cannot be read as YAML: {error}") from error
    try:
        return model.model_validate(content)
    except ValidationError as error:
        lines = [
            f"{path.name}: {'.'.join(str(part) for part in item['loc']) or 'the file'}: {item['msg']} "
            f"(found {item['input']!r}, {type(item['input']).__name__})"
            for item in error.errors()
        ]
        raise ConfigurationError("\n".join(lines)) from error
