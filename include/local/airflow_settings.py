"""Loads ``airflow_settings.yaml`` into Airflow's database as the Astro CLI would, in one process.

Run ``python -m include.local.airflow_settings`` in an environment where ``airflow`` finds its database. It may run any
number of times: each connection is replaced, each pool and variable is set.

The file is the only place of ids, types and defaults. Where the platform's settings know an address or a secret better
(``.env``), they replace exactly the fields that ``overrides`` lists, nothing else.
"""

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import urlsplit

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from include.config import PROJECT_ROOT, Settings, get_settings
from include.errors import ConfigurationError
from include.messaging.connection import librdkafka
from include.names import Connection

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

logger = logging.getLogger(__name__)

SETTINGS_FILE: Final = PROJECT_ROOT / "airflow_settings.yaml"


def _shell_safe(value: str) -> str:
    if "'" in value:
        raise ValueError("must not hold a single quote: the Astro CLI passes it to a shell inside single quotes")
    return value


ShellSafe = Annotated[str, AfterValidator(_shell_safe)]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")]


class _Entry(BaseModel):
    # strict: YAML's `yes`, `25` or `on` where text is meant is refused here instead of changed silently.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ConnectionEntry(_Entry):
    """One connection, in the Astro CLI's words. ``conn_uri`` is not offered: the CLI ignores it beside other fields."""

    conn_id: Identifier
    conn_type: Identifier
    conn_host: ShellSafe | None = None
    conn_schema: ShellSafe | None = None
    conn_login: ShellSafe | None = None
    conn_password: ShellSafe | None = None
    conn_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    conn_extra: ShellSafe | None = None

    @field_validator("conn_extra")
    @classmethod
    def _json_object(cls, value: str | None) -> str | None:
        if value is not None and not isinstance(json.loads(value), dict):
            raise ValueError("must be a JSON object in one string")
        return value

    @property
    def extra(self) -> dict[str, Any]:
        """The parsed ``conn_extra``."""
        return dict(json.loads(self.conn_extra or "{}"))


class PoolEntry(_Entry):
    """One pool."""

    pool_name: Identifier
    pool_slot: Annotated[int, Field(ge=1)]
    pool_description: ShellSafe = ""


class VariableEntry(_Entry):
    """One variable."""

    variable_name: Identifier
    variable_value: ShellSafe


class AirflowObjects(_Entry):
    """What the file holds below ``airflow``."""

    connections: list[ConnectionEntry] = []
    pools: list[PoolEntry] = []
    variables: list[VariableEntry] = []

    @model_validator(mode="after")
    def _no_name_twice(self) -> "AirflowObjects":
        names = [
            *(f"connection {entry.conn_id}" for entry in self.connections),
            *(f"pool {entry.pool_name}" for entry in self.pools),
            *(f"variable {entry.variable_name}" for entry in self.variables),
        ]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"declared twice: {', '.join(twice)}")
        return self


class _File(_Entry):
    airflow: AirflowObjects


def read(path: Path = SETTINGS_FILE) -> AirflowObjects:
    """Read and check the file.

    Raises:
        ConfigurationError: If the Astro CLI would not take it as it is meant; names the entry and the field.
    """
    try:
        return _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8"))).airflow
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors())
        raise ConfigurationError(f"{path.name}: {found}") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path.name} is not YAML: {error}") from error


def overrides(settings: Settings) -> dict[str, dict[str, Any]]:
    """The fields that ``.env`` decides, by connection; a field's new ``extra`` keys are merged into the file's."""
    search = urlsplit(settings.search_url)
    decided: dict[str, dict[str, Any]] = {
        Connection.KAFKA: {"extra": librdkafka(settings)},
        Connection.ELASTICSEARCH: {"host": search.hostname, "port": search.port or None, "schema": search.scheme},
    }
    if settings.elasticsearch_api_key:
        key = settings.elasticsearch_api_key.get_secret_value()
        decided[Connection.ELASTICSEARCH]["extra"] = {"api_key": key}
    if settings.slack_webhook_url:
        base, _, token = settings.slack_webhook_url.get_secret_value().partition("/services/")
        decided[Connection.SLACK] = {"host": f"{base}/services" if token else base, "password": token or base}
    if settings.smtp_host:
        decided[Connection.SMTP] = {
            "host": settings.smtp_host,
            "port": settings.smtp_port,
            "login": settings.smtp_user,
            "password": settings.smtp_password.get_secret_value() if settings.smtp_password else None,
            "extra": {"from_email": settings.alert_email_from, "disable_tls": not settings.smtp_starttls},
        }
    return decided


def connection_fields(entry: ConnectionEntry, decided: dict[str, Any]) -> dict[str, Any]:
    """Arguments of Airflow's ``Connection`` for one entry, with what the settings decide put in."""
    extra = {**entry.extra, **decided.get("extra", {})}
    fields = {
        "conn_id": entry.conn_id,
        "conn_type": entry.conn_type,
        "host": entry.conn_host,
        "schema": entry.conn_schema,
        "login": entry.conn_login,
        "password": entry.conn_password,
        "port": entry.conn_port,
    }
    fields.update({name: value for name, value in decided.items() if name != "extra"})
    return {**fields, "extra": json.dumps(extra) if extra else None}


def apply(objects: AirflowObjects, settings: Settings, session: "Session") -> None:
    """Write all objects into Airflow's database; those of the same name are replaced, others stay."""
    from airflow.models import Connection as AirflowConnection
    from airflow.models import Pool, Variable
    from sqlalchemy import delete

    decided = overrides(settings)
    for entry in objects.connections:
        session.execute(delete(AirflowConnection).where(AirflowConnection.conn_id == entry.conn_id))
        fields = connection_fields(entry, decided.get(entry.conn_id, {}))
        session.add(AirflowConnection(**fields))
    for pool in objects.pools:
        Pool.create_or_update_pool(
            pool.pool_name, pool.pool_slot, pool.pool_description, include_deferred=False, session=session
        )
    for variable in objects.variables:
        Variable.set(variable.variable_name, variable.variable_value, session=session)
    logger.info(
        "airflow_settings connections=%s pools=%s variables=%s",
        len(objects.connections),
        len(objects.pools),
        len(objects.variables),
    )


def main() -> None:
    """Load the file into the database of this environment."""
    from airflow.utils.session import create_session

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with create_session() as session:
        apply(read(), get_settings(), session)


if __name__ == "__main__":
    main()
