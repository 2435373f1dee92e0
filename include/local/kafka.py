"""The local Kafka broker: one KRaft node, run from its own jars."""

import socket
import subprocess
import uuid
from pathlib import Path

from include.config import Settings
from include.errors import PartUnavailableError
from include.local.artifacts import ArtifactCache
from include.local.java import java
from include.local.program import Program, digest_of
from include.names import Part

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={logs}
# Topics are made by the platform, with the settings it relies on.
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
message.max.bytes=10485760
log.segment.bytes=268435456
num.network.threads=2
num.io.threads=4
num.recovery.threads.per.data.dir=2
"""

_LOG4J = """\
status = error
appender.stdout.type = Console
appender.stdout.name = stdout
appender.stdout.layout.type = PatternLayout
appender.stdout.layout.pattern = [%d] %p %m (%c)%n
rootLogger.level = info
rootLogger.appenderRef.stdout.ref = stdout
logger.quiet.name = org.apache.kafka.storage
logger.quiet.level = warn
"""


class KafkaBroker:
    """Configuration, command and health of the local broker."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._home = settings.platform_data_dir / "kafka"

    @property
    def _config(self) -> Path:
        return self._home / "server.properties"

    def _java(self, main_class: str, *arguments: str) -> list[str]:
        classpath = ":".join(str(jar) for jar in ArtifactCache(self._settings).jars("kafka"))
        options = [
            f"-Xmx{self._settings.kafka_heap}",
            f"-Xms{self._settings.kafka_heap}",
            "-XX:+UseG1GC",
            "-XX:MaxGCPauseMillis=20",
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={self._home / 'log4j2.properties'}",
        ]
        return [java(self._settings), *options, "-cp", classpath, main_class, *arguments]

    def prepare(self) -> None:
        """Write the configuration; format the storage the first time."""
        logs = self._home / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        self._config.write_text(
            _PROPERTIES.format(
                host=self._settings.platform_bind_host,
                port=self._settings.kafka_port,
                controller_port=self._settings.kafka_controller_port,
                logs=logs,
            ),
            encoding="utf-8",
        )
        (self._home / "log4j2.properties").write_text(_LOG4J, encoding="utf-8")
        if not (logs / "meta.properties").exists():
            self._format()

    def _format(self) -> None:
        command = self._java(
            "kafka.tools.StorageTool", "format", "--cluster-id", uuid.uuid4().hex[:22], "--config", str(self._config)
        )
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        if done.returncode != 0:
            raise PartUnavailableError(Part.KAFKA, f"formatting its storage failed: {done.stdout}{done.stderr}")

    def program(self) -> Program:
        """The broker's process."""
        # Another configuration is another program to the supervisor.
        environment = {"CONFIG_DIGEST": digest_of(self._config)}
        return Program(Part.KAFKA, self._java("kafka.Kafka", str(self._config)), environment, stop_seconds=60)

    def problem(self) -> str | None:
        """Why the broker is not healthy; None when it answers."""
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient

        servers = self._settings.bootstrap_servers
        host, _, port = servers.split(",")[0].rpartition(":")
        try:
            # Librdkafka waits its whole time for a broker that is not there; a plain connection knows at once.
            socket.create_connection((host, int(port)), timeout=3).close()
            AdminClient({"bootstrap.servers": servers, "log_level": 0}).list_topics(timeout=5)
        except OSError as error:
            return f"no answer at {servers} ({error.strerror or error})"
        except KafkaException as error:
            return f"does not list its topics at {servers} ({error.args[0].str()})"
        return None
