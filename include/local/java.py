"""Finding a Java that is new enough."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from include.config import Settings
from include.errors import PrerequisiteError

MINIMUM_VERSION: Final = 17
_MEND: Final = (
    "Install Java 17 or newer (Debian, Ubuntu: apt-get install openjdk-17-jre-headless; macOS: brew install "
    "openjdk@17) and put it on the PATH or set JAVA_HOME."
)


def java_home(settings: Settings) -> Path:
    """Home of the Java to use.

    Raises:
        PrerequisiteError: If there is none, or it is older than 17.
    """
    program = settings.java_home / "bin" / "java" if settings.java_home else shutil.which("java")
    if program is None or not Path(program).exists():
        raise PrerequisiteError(f"Java was not found ({program or 'no java on the PATH'}). {_MEND}")
    program = Path(program).resolve()
    answer = subprocess.run([program, "-version"], capture_output=True, text=True, check=False, timeout=60)
    match = re.search(r'version "(\d+)(?:\.(\d+))?', answer.stderr)
    if match is None:
        raise PrerequisiteError(f"{program} -version answered {answer.stderr.strip()!r}. {_MEND}")
    # Java 8 called itself 1.8.
    version = int(match[2] if match[1] == "1" and match[2] else match[1])
    if version < MINIMUM_VERSION:
        raise PrerequisiteError(f"{program} is Java {version}. {_MEND}")
    return program.parent.parent


def java(settings: Settings) -> str:
    """Path of the java program."""
    return str(java_home(settings) / "bin" / "java")
