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

# What an operator asks of a broker; all of its thousands of figures would cost a second at each look.
_EXPORTED = """\
lowercaseOutputName: true
includeObjectNames:
  - "kafka.server:type=BrokerTopicMetrics,*"
  - "kafka.server:type=ReplicaManager,*"
  - "kafka.network:type=RequestMetrics,name=TotalTimeMs,*"
rules:
  - pattern: kafka.server<type=BrokerTopicMetrics, name=(\\w+)PerSec, topic=(.+)><>Count
    name: kafka_topic_$1_total
    type: COUNTER
    labels: {topic: "$2"}
  - pattern: kafka.server<type=ReplicaManager, name=(UnderReplicatedPartitions|OfflineReplicaCount)><>Value
    name: kafka_$1
    type: GAUGE
  - pattern: kafka.network<type=RequestMetrics, name=TotalTimeMs, request=(Produce|FetchConsumer)><>99thPercentile
    name: kafka_request_p99_milliseconds
    type: GAUGE
    labels: {request: "$1"}
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

    @property
    def _exported(self) -> Path:
        return self._home / "exporter.yaml"

    def _java(self, *arguments: str) -> list[str]:
        classpath = ":".join(str(jar) for jar in ArtifactCache(self._settings).jars("kafka"))
        options = [
            f"-Xmx{self._settings.kafka_heap}",
            f"-Xms{self._settings.kafka_heap}",
            "-XX:+UseG1GC",
            "-XX:MaxGCPauseMillis=20",
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={self._home / 'log4j2.properties'}",
        ]
        return [java(self._settings), *options, "-cp", classpath, *arguments]

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
        self._exported.write_text(_EXPORTED, encoding="utf-8")
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
        settings = self._settings
        [exporter] = ArtifactCache(settings).jars("exporter")
        agent = f"-javaagent:{exporter}={settings.platform_bind_host}:{settings.kafka_metrics_port}:{self._exported}"
        # Another configuration is another program to the supervisor.
        environment = {"CONFIG_DIGEST": digest_of(self._config, self._exported)}
        command = self._java(agent, "kafka.Kafka", str(self._config))
        return Program(Part.KAFKA, command, environment, stop_seconds=60)

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
