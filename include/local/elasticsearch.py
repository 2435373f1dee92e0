"""The local Elasticsearch: one node, from the distribution that Maven Central carries."""

import hashlib
import os
import pwd
import shutil
from pathlib import Path
from typing import Final

import httpx

from include.config import Settings
from include.errors import PrerequisiteError
from include.local.artifacts import ArtifactCache
from include.local.java import java_home
from include.local.program import Program, digest_of
from include.names import Part

# Elasticsearch refuses to run as root; this user exists on every Unix and owns nothing.
UNPRIVILEGED_USER: Final = "nobody"

_CONFIG: Final = """\
cluster.name: realtime-data-platform
node.name: local-1
discovery.type: single-node
network.host: {host}
http.port: {port}
transport.port: {transport_port}
path.data: {data}
path.logs: {logs}
action.auto_create_index: false
# One machine, loopback: no log-in. It would make certificates of its own otherwise.
xpack.security.enabled: false
cluster.routing.allocation.disk.threshold_enabled: false
"""

# Tier4: as for the streams, docs/decisions/008-spark-settings.md.
_JVM_OPTIONS: Final = """\
-Xms{heap}
-Xmx{heap}
-XX:+UseG1GC
-XX:Tier4InvocationThreshold=30000
-XX:Tier4MinInvocationThreshold=3000
-XX:Tier4CompileThreshold=60000
-XX:Tier4BackEdgeThreshold=200000
-Djava.io.tmpdir=${{ES_TMPDIR}}
-Djava.awt.headless=true
-Dfile.encoding=UTF-8
-Djna.nosys=true
-XX:-OmitStackTraceInFastThrow
-Dio.netty.noUnsafe=true
-Dlog4j.shutdownHookEnabled=false
-Dlog4j2.disable.jmx=true
"""

_LOG4J: Final = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}] %p %m (%c{1.})%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
"""


def _is_reachable_for_others(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in [path, *path.parents] if parent.exists())


class ElasticsearchNode:
    """Configuration, command and health of the local node."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._as_root = os.geteuid() == 0

    @property
    def home(self) -> Path:
        """Folder of its configuration and data; outside the data folder where root's folders are closed to others."""
        wanted = self._settings.platform_data_dir / "elasticsearch"
        if not self._as_root or _is_reachable_for_others(self._settings.platform_data_dir):
            return wanted
        digest = hashlib.sha256(str(wanted).encode()).hexdigest()[:12]
        return Path("/var/lib/realtime-data-platform") / digest

    def prepare(self) -> None:
        """Write the configuration; hand the folder to the unprivileged user where we are root."""
        distribution = ArtifactCache(self._settings).elasticsearch_home()
        if self._as_root and not _is_reachable_for_others(distribution):
            raise PrerequisiteError(
                f"Elasticsearch must not run as root, and the user {UNPRIVILEGED_USER} cannot enter {distribution}: "
                "set PLATFORM_CACHE_DIR to a folder that others may enter."
            )
        config = self.home / "config"
        for folder in (config / "jvm.options.d", self.home / "data", self.home / "logs", self.home / "tmp"):
            folder.mkdir(parents=True, exist_ok=True)
        text = _CONFIG.format(
            host=self._settings.platform_bind_host,
            port=self._settings.elasticsearch_port,
            transport_port=self._settings.elasticsearch_transport_port,
            data=self.home / "data",
            logs=self.home / "logs",
        )
        (config / "elasticsearch.yml").write_text(text, encoding="utf-8")
        (config / "jvm.options").write_text(_JVM_OPTIONS.format(heap=self._settings.elasticsearch_heap), "utf-8")
        (config / "log4j2.properties").write_text(_LOG4J, encoding="utf-8")
        if self._as_root:
            self._hand_over()

    def _hand_over(self) -> None:
        user = pwd.getpwnam(UNPRIVILEGED_USER)
        config = self.home / "config"
        # What is inside the other folders the node has made itself.
        for path in (self.home, *self.home.iterdir(), *config.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid)

    def program(self) -> Program:
        """The node's process."""
        config = self.home / "config"
        distribution = ArtifactCache(self._settings).elasticsearch_home()
        return Program(
            Part.ELASTICSEARCH,
            ["/bin/bash", str(distribution / "bin" / "elasticsearch")],
            environment={
                "ES_JAVA_HOME": str(java_home(self._settings)),
                "ES_PATH_CONF": str(config),
                "ES_TMPDIR": str(self.home / "tmp"),
                "HOME": str(self.home),
                # Another configuration is another program to the supervisor.
                "CONFIG_DIGEST": digest_of(
                    self.home / "config" / "elasticsearch.yml", self.home / "config" / "jvm.options"
                ),
            },
            user=UNPRIVILEGED_USER if self._as_root else None,
            stop_seconds=60,
        )

    def problem(self) -> str | None:
        """Why the node is not healthy; None when it can be written to."""
        try:
            answer = httpx.get(f"{self._settings.search_url}/_cluster/health", timeout=5)
        except httpx.HTTPError as error:
            return f"no answer at {self._settings.search_url} ({type(error).__name__})"
        if answer.status_code != httpx.codes.OK:
            return f"answers {answer.status_code}: {answer.text[:200]}"
        status = answer.json()["status"]
        return f"its health is {status}" if status == "red" else None

    def delete(self) -> None:
        """Remove its data."""
        shutil.rmtree(self.home, ignore_errors=True)
