"""The JVM side of the platform: jars and the Elasticsearch distribution, pinned by checksum, cached outside git.

``artifacts.lock.json`` names every file by its Maven coordinate, SHA-256 and size. `fetch` downloads what is missing
and verifies it; nothing is resolved at run time, so two machines always run the same bytes.
"""

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from include.config import Settings
from include.errors import PrerequisiteError

if TYPE_CHECKING:
    from jgo.maven import MavenContext

Group = Literal["spark", "kafka", "elasticsearch", "compiler", "exporter"]
Progress = Callable[[int], None]

LOCK_FILE: Final = Path(__file__).with_name("artifacts.lock.json")
_PARALLEL_DOWNLOADS: Final = 6


@dataclass(frozen=True)
class Artifact:
    """One pinned file.

    Attributes:
        group: Which part of the platform needs it.
        coordinate: ``groupId:artifactId:version:packaging``.
        file: File name in the cache.
        sha256: Checksum, hexadecimal.
        size: Bytes.
    """

    group: Group
    coordinate: str
    file: str
    sha256: str
    size: int


@lru_cache(maxsize=1)
def locked() -> tuple[Artifact, ...]:
    """All pinned files."""
    entries = json.loads(LOCK_FILE.read_text(encoding="utf-8"))
    return tuple(Artifact(**entry) for entry in entries)


def write_lock(artifacts: list[Artifact]) -> None:
    """Pin these files from now on."""
    entries = [asdict(artifact) for artifact in sorted(artifacts, key=lambda a: (a.group, a.coordinate))]
    LOCK_FILE.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")


def maven_context(cache: Path, progress: Progress | None = None) -> "MavenContext":
    """A Maven client (pure Python, no Maven needed) that keeps its files under ``cache``."""
    from jgo.maven import MavenContext, PythonResolver

    @contextmanager
    def reported(_file: str, _size: int) -> Iterator[Progress]:
        yield progress or (lambda _bytes: None)

    return MavenContext(repo_cache=cache, resolver=PythonResolver(progress_callback=reported), timeout=60)


def sha256_of(path: Path) -> str:
    """Checksum of a file, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def link_jars(jars: list[Path], folder: Path, cache: Path) -> list[str]:
    """Make ``folder`` hold a link to each jar, and no other link into ``cache``.

    Returns:
        Names of the links that were made.
    """
    wanted = {jar.name: jar for jar in jars}
    for link in folder.iterdir():
        # A link that leads nowhere is ours as well: nothing else puts links here.
        is_ours = link.is_symlink() and (link.readlink().is_relative_to(cache) or not link.exists())
        if is_ours and link.readlink() != wanted.get(link.name):
            link.unlink()
    made = [name for name in wanted if not (folder / name).exists()]
    for name in made:
        (folder / name).symlink_to(wanted[name])
    return made


class ArtifactCache:
    """The folder that holds the pinned files; several checkouts may share it and fill it at the same time."""

    def __init__(self, settings: Settings) -> None:
        self._root = settings.platform_cache_dir

    def path(self, artifact: Artifact) -> Path:
        """Where a file is once it is fetched; its name holds the checksum, so a new pin never meets an old file."""
        return self._root / artifact.group / artifact.sha256[:12] / artifact.file

    def missing(self) -> list[Artifact]:
        """Pinned files that are not here yet."""
        return [artifact for artifact in locked() if not self.path(artifact).exists()]

    def fetch(self, progress: Progress | None = None) -> None:
        """Download and verify what is missing, then unpack Elasticsearch.

        Args:
            progress: Called with the number of bytes of each piece that arrives.

        Raises:
            PrerequisiteError: If a file cannot be downloaded or is not the one that was pinned.
        """
        missing = self.missing()
        if missing:
            with ThreadPoolExecutor(_PARALLEL_DOWNLOADS) as pool:
                for _ in pool.map(lambda artifact: self._download(artifact, progress), missing):
                    pass
        self._unpack_elasticsearch()

    def _download(self, artifact: Artifact, progress: Progress | None) -> None:
        group_id, artifact_id, version, packaging = artifact.coordinate.split(":")
        scratch = self._root / "incoming" / f"{artifact.sha256[:12]}-{id(artifact)}"
        try:
            component = maven_context(scratch, progress).project(group_id, artifact_id).at_version(version)
            downloaded = component.artifact(packaging=packaging).resolve()
            found = sha256_of(downloaded)
            if found != artifact.sha256:
                raise PrerequisiteError(
                    f"{artifact.file}: the download has SHA-256 {found}, artifacts.lock.json asks for "
                    f"{artifact.sha256}; it was thrown away. Try again, and check a proxy in between."
                )
            target = self.path(artifact)
            target.parent.mkdir(parents=True, exist_ok=True)
            downloaded.replace(target)
        except (OSError, RuntimeError) as error:
            raise PrerequisiteError(
                f"{artifact.file}: download of {artifact.coordinate} from Maven Central failed: {error}. "
                "Check the network and run the command again: what is here stays."
            ) from error
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def jars(self, group: Group) -> list[Path]:
        """Fetched jars of one part.

        Raises:
            PrerequisiteError: If one is not here yet.
        """
        paths = [self.path(artifact) for artifact in locked() if artifact.group == group]
        absent = [path.name for path in paths if not path.exists()]
        if absent:
            raise PrerequisiteError(f"{', '.join(absent)} missing; run: python main.py artifacts fetch")
        return paths

    def install_spark_jars(self, folder: Path, *built: Path) -> list[str]:
        """Link Spark's pinned jars into Spark's own folder of jars, so that ``spark-submit`` needs no ``--jars``.

        Links of an earlier pin are removed, jars that came with pyspark stay.

        Args:
            folder: Spark's folder of jars.
            *built: Jars in the cache that were built here.

        Returns:
            Names of the jars that were linked anew.
        """
        return link_jars([*self.jars("spark"), *built], folder, self._root)

    def elasticsearch_home(self) -> Path:
        """Folder of the unpacked Elasticsearch distribution."""
        archive = self.jars("elasticsearch")[0]
        return archive.parent / archive.stem

    def _unpack_elasticsearch(self) -> None:
        home = self.elasticsearch_home()
        if home.exists():
            return
        scratch = home.with_name(f"{home.name}.{id(self)}.partial")
        with zipfile.ZipFile(self.jars("elasticsearch")[0]) as archive:
            archive.extractall(scratch)
        try:
            # The archive holds one folder; the rename makes it appear whole or not at all.
            (scratch / home.name).rename(home)
        except OSError:
            if not home.exists():
                raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
