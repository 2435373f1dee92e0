"""The jar of the judge, compiled from ``spark_jobs/jvm`` by the pinned Eclipse compiler, which needs no JDK."""

import hashlib
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from include.config import PROJECT_ROOT, Settings
from include.errors import PrerequisiteError
from include.local.artifacts import ArtifactCache, locked
from include.local.java import java

SOURCES: Final = PROJECT_ROOT / "spark_jobs" / "jvm"
JAR_NAME: Final = "realtime-data-platform-judge.jar"
_RELEASE: Final = "17"
# A zip file without a date of its own is the same file each time.
_DATE: Final = (1980, 1, 1, 0, 0, 0)


def judge_jar(settings: Settings) -> Path:
    """Where the jar of these sources and this compiler is, once it is built."""
    found = hashlib.sha256()
    for source in sorted(SOURCES.rglob("*.java")):
        found.update(source.relative_to(SOURCES).as_posix().encode() + b"\0" + source.read_bytes())
    for artifact in locked():
        if artifact.group == "compiler":
            found.update(artifact.sha256.encode())
    return settings.platform_cache_dir / "judge" / found.hexdigest()[:12] / JAR_NAME


def build_judge_jar(settings: Settings, spark_jars: Path) -> Path:
    """Compile the judge if this has not been done yet.

    Args:
        settings: Say where the cache and Java are.
        spark_jars: Spark's own jars, against which it is compiled; Delta's come from the cache.

    Raises:
        PrerequisiteError: If the compiler refuses the sources; its messages say where.
    """
    target = judge_jar(settings)
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        classes = Path(scratch) / "classes"
        _compile(settings, spark_jars, classes)
        packed = Path(scratch) / JAR_NAME
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(classes.rglob("*.class")):
                entry = zipfile.ZipInfo(path.relative_to(classes).as_posix(), _DATE)
                archive.writestr(entry, path.read_bytes())
        # Whole or not at all: another checkout may build the same jar at this moment.
        shutil.move(packed, target)
    return target


def _compile(settings: Settings, spark_jars: Path, classes: Path) -> None:
    cache = ArtifactCache(settings)
    [compiler] = cache.jars("compiler")
    known = {jar.name: jar for jar in (*spark_jars.glob("*.jar"), *cache.jars("spark")) if jar.name != JAR_NAME}
    needed = ":".join(str(known[name]) for name in sorted(known))
    command = [java(settings), "-jar", str(compiler), f"-{_RELEASE}", "-proc:none", "-nowarn"]
    command += ["-classpath", needed, "-d", str(classes), str(SOURCES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        raise PrerequisiteError(f"{SOURCES} does not compile:\n{done.stdout}{done.stderr}")
