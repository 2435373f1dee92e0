"""What tests of the speed layer run it with: a broker of its own, a session, and a crash at the worst moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from include.config import Settings
from include.local.kafka import KafkaBroker
from include.messaging.topics import create_topics
from include.names import Query
from spark_jobs.session import spark_properties
from tests.integration.conftest import data_folder, running, settings_in


@contextmanager
def fresh_broker(elasticsearch: Settings, **changes: Any) -> Iterator[Settings]:
    """A broker of its own beside the session's Elasticsearch: every stream reads its topics from their beginning."""
    with data_folder() as folder:
        mine = settings_in(folder).model_copy(update={"elasticsearch_url": elasticsearch.search_url, **changes})
        broker = KafkaBroker(mine)
        broker.prepare()
        with running(broker.program(), broker, mine.log_dir):
            create_topics(mine)
            yield mine


@contextmanager
def live_session() -> Iterator[SparkSession]:
    """A session with the speed layer's properties."""
    builder = SparkSession.builder.master("local[4]").appName("speed-layer-tests")
    own = {"spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    for name, value in {**spark_properties("live"), **own}.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    yield session
    session.stop()


def forget_last_commit(settings: Settings, query: Query) -> int:
    """As after a crash between writing a micro-batch and saying so; gives the micro-batch's number."""
    commits = Path(settings.checkpoint_path(query)) / "commits"
    last = max(commits.glob("[0-9]*"), key=lambda path: int(path.name))
    last.unlink()
    (commits / f".{last.name}.crc").unlink(missing_ok=True)
    return int(last.name)
