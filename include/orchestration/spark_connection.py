"""What an Airflow Spark connection says: which master, which settings."""

from dataclasses import dataclass, field

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from include.errors import ConfigurationError


@dataclass(frozen=True)
class SparkTarget:
    """Where to submit.

    Attributes:
        master: Spark's master URL, for example ``local[*]``.
        deploy_mode: ``client`` or ``cluster``.
        conf: Spark settings that win over the properties file; the key ``conf`` of the connection's extra.
    """

    master: str
    deploy_mode: str = "client"
    conf: dict[str, str] = field(default_factory=dict)


def spark_target(connection_id: str) -> SparkTarget:
    """Read a Spark connection.

    Raises:
        ConfigurationError: If it does not exist or names no master. Without this check the Spark provider would
            submit to YARN.
    """
    try:
        connection = BaseHook.get_connection(connection_id)
    except AirflowNotFoundException as error:
        raise ConfigurationError(
            f"the Airflow connection {connection_id} does not exist: "
            "load airflow_settings.yaml by `python -m include.local.airflow_settings`"
        ) from error
    if connection.conn_type != "spark" or not connection.host:
        raise ConfigurationError(
            f"the Airflow connection {connection_id} has type {connection.conn_type!r} and host {connection.host!r}: "
            "it needs the type spark and a master as host, see airflow_settings.yaml"
        )
    extra = connection.extra_dejson
    return SparkTarget(
        master=f"{connection.host}:{connection.port}" if connection.port else connection.host,
        deploy_mode=extra.get("deploy-mode", "client"),
        conf={name: str(value) for name, value in extra.get("conf", {}).items()},
    )
