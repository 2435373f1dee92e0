"""Put Spark's pinned jars into an image: ``python fetch_jars.py FOLDER`` links them into that folder."""

import shutil
import sys
from pathlib import Path

from include.config import get_settings
from include.local.artifacts import ArtifactCache
from include.local.judge_jar import build_judge_jar


def main(folder: Path) -> None:
    """Download and verify what ``artifacts.lock.json`` pins, and keep what Spark needs."""
    settings = get_settings()
    cache = ArtifactCache(settings)
    cache.fetch()
    cache.install_spark_jars(folder, build_judge_jar(settings, folder))
    # Kafka and Elasticsearch have images of their own here.
    for server in ("kafka", "elasticsearch", "compiler", "exporter"):
        shutil.rmtree(settings.platform_cache_dir / server)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
