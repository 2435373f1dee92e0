"""A replay of dead letters from Airflow's form."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from airflow.sdk.exceptions import AirflowFailException

from include.config import Settings
from include.dead_letters.kafka import KafkaShop
from include.dead_letters.lake import SparkLake
from include.dead_letters.letter import selection_from
from include.dead_letters.patches import read_rules
from include.dead_letters.replay import Replay
from include.dead_letters.telling import tell
from include.errors import ConfigurationError
from include.names import Connection
from include.orchestration.spark_connection import spark_target


def replay(settings: Settings, form: Mapping[str, Any], dag_id: str, run_id: str) -> dict[str, Any]:
    """Replay what the form chooses.

    Returns:
        The receipt without its list of refused letters, and where it is stored.

    Raises:
        AirflowFailException: If the form or its rules cannot be used; trying again would find the same.
    """
    spark_target(Connection.SPARK_BATCH)
    text = str(form.get("rules") or "")
    try:
        selection = selection_from(form)
        rules = read_rules(text, "rules") if text.strip() else ()
    except ConfigurationError as error:
        raise AirflowFailException(str(error)) from error
    link = f"{settings.airflow_url}/dags/{quote(dag_id, safe='')}/runs/{quote(run_id, safe='')}"
    runs = Replay(settings, SparkLake(settings), KafkaShop(settings))
    name = "rules of the form" if rules else "none"
    receipt = runs.run(selection, rules, text, name=name, rehearse=bool(form["rehearse"]), link=link)
    path = tell(settings, receipt)
    told = {key: value for key, value in asdict(receipt).items() if key != "refused"}
    return {**told, "receipt": str(path)}
