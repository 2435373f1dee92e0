"""The steps of an erasure, run from Airflow."""

from collections.abc import Mapping
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from include.config import Settings
from include.erasure import erase as steps
from include.errors import ConfigurationError
from include.names import Connection
from include.orchestration.spark_connection import spark_target


def count(settings: Settings, form: Mapping[str, Any]) -> dict[str, int]:
    """What names the person, by place.

    Raises:
        AirflowFailException: If the form names nobody; trying again would not help.
    """
    spark_target(Connection.SPARK_BATCH)
    try:
        return steps.rehearse(settings, str(form["user_id"] or ""))
    except ConfigurationError as error:
        raise AirflowFailException(str(error)) from error


def erase(settings: Settings, form: Mapping[str, Any]) -> dict[str, Any]:
    """Erase; the certificate so far."""
    return steps.erase(settings, str(form["user_id"]), str(form["reference"])).as_json()


def certify(settings: Settings, form: Mapping[str, Any], run: str) -> dict[str, Any]:
    """Verify; the certificate.

    Raises:
        AirflowFailException: If something still names the person; the message says where.
    """
    certificate = steps.certify(settings, str(form["user_id"]), run)
    if certificate.status != "clean":
        left = [*certificate.left_in_files, *certificate.left_in_indices]
        raise AirflowFailException(f"{run}: the person is still named in {', '.join(left[:10])}; erase again")
    return certificate.as_json()
