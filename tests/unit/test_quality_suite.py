from pathlib import Path

import pytest

from include.config import Settings
from include.contracts.registry import contracts_by_topic
from include.errors import ConfigurationError, ValidationFailedError
from include.names import SILVER_BY_TOPIC, Table
from include.quality.frame import columns_of
from include.quality.structure import regenerated, structure
from include.quality.suite import Severity, load_suite, suite_path, tables_with_suites
from include.quality.verdict import Failure, Verdict, keep, latest, require_publishable


def _verdict(*failures: Failure, rows: int = 20) -> Verdict:
    return Verdict(
        table=Table.SILVER_PURCHASES,
        checked_at="2026-11-24T12:00:00.000+00:00",
        days=("2026-11-23", "2026-11-24"),
        rows=rows,
        sampled=False,
        seconds=1.5,
        expectations=30,
        failures=failures,
        report="index.html",
    )


WARNING = Failure("values_to_be_unique(event_id)", Severity.WARNING, "2 of 20 rows")
CRITICAL = Failure("values_to_be_between(money_gap)", Severity.CRITICAL, "1 of 20 rows, for example 0.01")


def test_every_silver_and_gold_table_has_a_suite() -> None:
    gold = {table for table in Table if table.value.startswith("gold.")}
    assert set(tables_with_suites()) >= {*SILVER_BY_TOPIC.values(), *gold}


@pytest.mark.parametrize("table", tables_with_suites())
def test_a_suite_is_the_one_of_its_file_and_has_expectations(table: Table) -> None:
    suite = load_suite(table)

    assert suite.table is table
    assert suite.expectations


@pytest.mark.parametrize("table", SILVER_BY_TOPIC.values())
def test_the_structural_part_is_what_the_contract_says_today(table: Table) -> None:
    found = suite_path(table).read_text(encoding="utf-8")

    assert found == regenerated(table), "a contract changed: run `python -m include.quality` and commit expectations/"


def test_what_a_contract_asks_for_becomes_an_expectation() -> None:
    schema = {
        "required": ["event_id", "rating"],
        "properties": {
            "event_id": {"type": "string", "pattern": "^[a-z]{8}$", "x-personal": True},
            "rating": {"type": "integer", "minimum": 1, "maximum": 5},
            "price": {"type": "string", "pattern": "^[0-9.]+$", "x-decimal": [18, 2]},
        },
        "allOf": [{"if": {"properties": {"event_type": {"enum": ["a"]}}}, "then": {"required": ["price"]}}],
    }

    rules, columns = structure(schema)

    of_rating = [rule for rule in rules if rule.kwargs.get("column") == "rating"]
    assert [rule.type for rule in of_rating] == [
        "expect_column_values_to_not_be_null",
        "expect_column_values_to_be_between",
    ]
    assert of_rating[1].kwargs == {"column": "rating", "min_value": 1, "max_value": 5}
    pattern = next(rule for rule in rules if rule.type.endswith("match_regex"))
    assert (pattern.kwargs["column"], pattern.personal) == ("event_id", True)
    assert columns == {"price_where_needed": "event_type NOT IN ('a') OR price IS NOT NULL"}
    assert not [rule for rule in rules if rule.kwargs.get("column") == "price"]


def test_every_personal_field_of_a_contract_is_personal_in_its_suite() -> None:
    for topic, table in SILVER_BY_TOPIC.items():
        fields = contracts_by_topic()[topic].schema["properties"]
        personal = {name for name, field in fields.items() if field.get("x-personal")}
        checked = [rule for rule in load_suite(table).structure if "not_be_null" not in rule.type]
        assert all(rule.personal for rule in checked if personal.intersection(columns_of(rule))), table


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('{"table": "silver.purchases"}', "about"),
        ('{"table": "silver.nothing", "about": "x"}', "table"),
        ('{"table": "silver.purchases", "about": "x", "rules": [{"type": "be_unique"}]}', "rules.0.type"),
        ('{"table": "silver.purchases", "about": "x", "rulez": []}', "rulez"),
    ],
)
def test_a_suite_that_is_none_is_refused_by_field(tmp_path: Path, text: str, named: str) -> None:
    suite_path(Table.SILVER_PURCHASES, tmp_path).write_text(text, encoding="utf-8")

    with pytest.raises(ConfigurationError, match=named):
        load_suite(Table.SILVER_PURCHASES, tmp_path)


def test_a_table_without_a_suite_is_refused_with_those_that_have_one() -> None:
    with pytest.raises(ConfigurationError, match=r"write ops\.batch_progress\.json .* silver\.purchases"):
        load_suite(Table.BATCH_PROGRESS)


@pytest.mark.parametrize(
    ("failures", "rows", "status"),
    [((), 20, "ok"), ((), 0, "unknown"), ((WARNING,), 20, "degraded"), ((WARNING, CRITICAL), 20, "failed")],
)
def test_the_worst_failure_decides_the_status(failures: tuple[Failure, ...], rows: int, status: str) -> None:
    assert _verdict(*failures, rows=rows).status == status


def test_a_verdict_is_kept_whole_and_only_a_critical_one_blocks(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, platform_data_dir=tmp_path)  # type: ignore[call-arg]
    tables = [Table.SILVER_USER_EVENTS, Table.SILVER_PURCHASES]

    keep(settings, _verdict(WARNING))
    assert latest(settings, Table.SILVER_PURCHASES) == _verdict(WARNING)
    require_publishable(settings, tables)

    keep(settings, _verdict(WARNING, CRITICAL))
    with pytest.raises(ValidationFailedError, match=r"silver\.purchases: 1 expectation.*money_gap.*0\.01") as raised:
        require_publishable(settings, tables)
    assert raised.value.report == "index.html"


def test_a_verdict_goes_to_pipeline_health_with_its_counts() -> None:
    document = _verdict(WARNING, CRITICAL).health_record().document()

    assert (document["kind"], document["subject"], document["status"]) == ("quality", "silver.purchases", "failed")
    assert (document["metrics"]["failed_critical"], document["metrics"]["failed_warning"]) == (1.0, 1.0)
    assert "money_gap" in document["reason"]
