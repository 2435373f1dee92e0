"""Events that are too old to say who it was: personal fields are replaced, what can be summed stays.

Which fields are personal is marked in the contracts (``x-personal``). Ids of customers give way to pseudonyms made with
a secret that the run forgets: rows of one customer keep belonging together within the days that it replaces, and
nothing leads back. Bronze and what was refused hold whole events; they are deleted at the same age, counted from their
arrival (``compact.py``).
"""

import secrets
from datetime import date
from functools import reduce
from typing import Final

from delta.tables import DeltaTable
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from include.config import Settings
from include.erasure.person import ERASED, personal_columns
from include.names import Table
from spark_jobs.alone import alone
from spark_jobs.batch import gold, silver

_CUSTOMER: Final = "user_id"
_HEX_DIGITS: Final = 24


def names_people(settings: Settings, columns: list[str]) -> bool:
    """Whether rows with these columns are of a day and say who it was, and are not to say it for good."""
    return bool(settings.personal_keep_days) and "event_date" in columns and bool(_personal(columns))


def retire(spark: SparkSession, settings: Settings, table: Table, columns: list[str], first_kept: date) -> None:
    """Replace who it was in the rows of the days before one; doing it again changes no file."""
    personal = _personal(columns)
    names = reduce(Column.__or__, (_still_says(name, kind) for name, kind in personal.items()))
    job = gold.JOB if table.value.startswith("gold.") else silver.JOB
    with alone(settings, job):
        delta = DeltaTable.forPath(spark, settings.table_path(table))
        delta.update((F.col("event_date") < F.lit(first_kept)) & names, _replaced(personal, secrets.token_hex(32)))


def _personal(columns: list[str]) -> dict[str, str]:
    return {name: kind for name, kind in personal_columns().items() if name in columns}


def _still_says(name: str, kind: str) -> Column:
    says = F.col(name).isNotNull()
    return says & ~F.startswith(F.col(name), F.lit(ERASED)) if kind == "string" else says


def _replaced(personal: dict[str, str], secret: str) -> dict[str, Column]:
    digest = F.sha2(F.concat(F.lit(secret), F.col(_CUSTOMER)), 256)
    pseudonym = F.concat(F.lit(f"{ERASED}-"), F.substring(digest, 1, _HEX_DIGITS))
    already = F.startswith(F.col(_CUSTOMER), F.lit(ERASED))
    values = {
        name: F.when(F.col(name).isNotNull(), F.lit(ERASED)) if kind == "string" else F.lit(None).cast(kind)
        for name, kind in personal.items()
    }
    return {**values, _CUSTOMER: F.when(already, F.col(_CUSTOMER)).otherwise(pseudonym)}
