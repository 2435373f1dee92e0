"""Writes a change of the contracts, and takes it back when what comes from the contracts no longer fits together."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from include.config import PROJECT_ROOT
from include.errors import ConfigurationError


def add(files: Mapping[Path, str]) -> list[str]:
    """Write files, then all that is generated from the contracts.

    Args:
        files: Path and new text of each.

    Returns:
        The paths that were written, below the root of the repository.

    Raises:
        ConfigurationError: If the contracts do not fit together then; every file is as it was.
    """
    before = {path: path.read_text(encoding="utf-8") if path.exists() else None for path in files}
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
    # Another process: names and contracts are read once for each.
    done = subprocess.run(
        [sys.executable, "main.py", "contracts", "generate"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        for path, old in before.items():
            if old is None:
                path.unlink()
            else:
                path.write_text(old, encoding="utf-8")
        raise ConfigurationError(f"nothing was changed: {done.stderr.strip() or done.stdout.strip()}")
    # One topic more may make a line too long.
    code = [str(path) for path in files if path.suffix == ".py"]
    if code:
        subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", *code], cwd=PROJECT_ROOT, check=True)
    generated = done.stdout.strip().removeprefix("changed ").split(", ")
    written = [str(path.relative_to(PROJECT_ROOT)) for path in files]
    return sorted({*written, *(path for path in generated if "/" in path)})
