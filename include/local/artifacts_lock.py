"""Resolve the JVM dependencies into ``artifacts.lock.json``: a developer's task, run when a version changes."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from include.local.artifacts import Artifact, Group, maven_context, sha256_of, write_lock

# Delta's and Kafka's jars must match the pyspark and delta-spark pins in requirements.in.
_WITH_DEPENDENCIES: Final[dict[Group, list[str]]] = {
    "spark": ["io.delta:delta-spark_4.2_2.13:4.4.0", "org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.0"],
    "kafka": ["org.apache.kafka:kafka_2.13:4.2.2"],
}
_ALONE: Final[dict[Group, list[str]]] = {
    # Binds the broker's logging; alone, because its parent POM would manage Kafka's own versions.
    "kafka": ["org.apache.logging.log4j:log4j-slf4j-impl:2.25.5:jar"],
    # A local file system that does not fork a process per file; its Hadoop comes with pyspark.
    "spark": ["com.globalmentor:hadoop-bare-naked-local-fs:0.1.0:jar"],
    # Compiles the judge where only a JRE is installed.
    "compiler": ["org.eclipse.jdt:ecj:3.46.100:jar"],
    # The broker's figures by HTTP: Kafka itself shows them by JMX only.
    "exporter": ["io.prometheus.jmx:jmx_prometheus_javaagent:1.0.1:jar"],
    "elasticsearch": ["org.elasticsearch.distribution.integ-test-zip:elasticsearch:8.19.21:zip"],
}
# Used by Delta's Unity Catalog client only, which the platform does not use.
_NOT_NEEDED: Final = ("unitycatalog-", "hadoop-client-")


def _pyspark_jars() -> set[str]:
    import pyspark

    names = (path.name for path in (Path(pyspark.__file__).parent / "jars").glob("*.jar"))
    return {name.rsplit("-", 1)[0] for name in names}


def resolve() -> list[Artifact]:
    """Resolve, download and pin everything anew.

    Returns:
        What was written to the lock file.
    """
    provided = _pyspark_jars()
    with tempfile.TemporaryDirectory() as folder:
        context = maven_context(Path(folder))
        wanted: set[tuple[Group, str]] = {(group, spec) for group, specs in _ALONE.items() for spec in specs}
        for group, specs in _WITH_DEPENDENCIES.items():
            wanted.update((group, f"{spec}:jar") for spec in specs)
            dependencies = [context.create_dependency(spec) for spec in specs]
            _, nodes = context.resolver.get_dependency_list(dependencies)
            wanted.update(
                (group, f"{node.dep.groupId}:{node.dep.artifactId}:{node.dep.version}:jar")
                for node in nodes
                if not (group == "spark" and node.dep.artifactId in provided)
                and not node.dep.artifactId.startswith(_NOT_NEEDED)
            )

        def pin(entry: tuple[Group, str]) -> Artifact:
            group, coordinate = entry
            group_id, artifact_id, version, packaging = coordinate.split(":")
            component = context.project(group_id, artifact_id).at_version(version)
            path = component.artifact(packaging=packaging).resolve()
            return Artifact(group, coordinate, path.name, sha256_of(path), path.stat().st_size)

        with ThreadPoolExecutor(6) as pool:
            artifacts = list(pool.map(pin, wanted))
    write_lock(artifacts)
    return artifacts
