"""Runs a suite on a Spark DataFrame with Great Expectations, and writes the page that shows the result."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from include.errors import ConfigurationError
from include.quality.frame import columns_of
from include.quality.suite import Rule, Suite
from include.quality.verdict import Failure

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_OBSERVED_LENGTH: Final = 200
# Only yes or no: everything then fits into one pass over the data and one more for each uniqueness.
_QUICK: Final = "BOOLEAN_ONLY"
_SHOWN: Final = {"result_format": "SUMMARY", "partial_unexpected_count": 5}
_COUNTED: Final = {"result_format": "BASIC", "exclude_unexpected_values": True}

Numbered = tuple[int, Rule]


def run_suite(frame: "DataFrame", suite: Suite, page: Path) -> list[Failure]:
    """Check every expectation of a suite, then look closer at those that fail.

    Args:
        frame: What ``include.quality.frame.prepared`` gives.
        suite: The suite.
        page: The HTML page (Great Expectations' Data Docs) to write.

    Raises:
        ConfigurationError: If an expectation cannot be evaluated; that is the suite's fault, not the data's.
    """
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    # persist=True would cache the whole table in memory.
    source = context.data_sources.add_spark(name="lake", persist=False)
    definition = source.add_dataframe_asset(name=suite.table.value).add_batch_definition_whole_dataframe("whole")
    batch = definition.get_batch(batch_parameters={"dataframe": frame})
    rules = list(enumerate(suite.expectations))
    result = batch.validate(_expectations(suite, rules), result_format=_QUICK)
    failed = [(number, suite.expectations[number]) for number in sorted(_numbers(result, success=False))]
    closer: dict[int, Any] = {}
    for some, shown in (
        ([(number, rule) for number, rule in failed if not rule.personal], _SHOWN),
        ([(number, rule) for number, rule in failed if rule.personal], _COUNTED),
    ):
        if some:
            looked = batch.validate(_expectations(suite, some), result_format=shown)
            closer.update({_number(one): one for one in looked.results})
    result.results = [closer.get(_number(one), one) for one in result.results]
    _write_page(result, page)
    return [_failure(closer[number].to_json_dict(), suite, rule) for number, rule in failed]


def _expectations(suite: Suite, rules: Sequence[Numbered]) -> Any:
    import great_expectations as gx

    return gx.ExpectationSuite(
        name=suite.table.value,
        expectations=[_configured(rule, number) for number, rule in rules],
        meta={"about": suite.about},
    )


def _configured(rule: Rule, number: int) -> dict[str, Any]:
    notes = {"notes": {"format": "string", "content": [rule.about]}} if rule.about else {}
    return {
        "type": rule.type,
        "kwargs": rule.kwargs,
        "severity": rule.severity.value,
        "meta": {"number": number, **notes},
    }


def _number(result: Any) -> int:
    return int(result.expectation_config.meta["number"])


def _numbers(result: Any, *, success: bool) -> set[int]:
    return {_number(one) for one in result.results if bool(one.success) is success}


def _write_page(result: Any, page: Path) -> None:
    from great_expectations.render.renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    html = DefaultJinjaPageView().render(ValidationResultsPageRenderer().render(result))
    page.parent.mkdir(parents=True, exist_ok=True)
    draft = page.with_suffix(".tmp")
    draft.write_text(html, encoding="utf-8")
    draft.replace(page)


def _failure(result: dict[str, Any], suite: Suite, rule: Rule) -> Failure:
    name = f"{rule.type.removeprefix('expect_')}({', '.join(columns_of(rule))})"
    raised = result["exception_info"]
    if raised.get("raised_exception", True):
        message = raised.get("exception_message") or next(iter(raised.values()))["exception_message"]
        raise ConfigurationError(f"expectations/{suite.table}.json: {name} cannot be evaluated: {message}")
    return Failure(name, rule.severity, _observed(result["result"], personal=rule.personal), rule.about)


def _observed(result: dict[str, Any], *, personal: bool) -> str:
    if "observed_value" in result:
        return f"observed {result['observed_value']}"
    counts = f"{result.get('unexpected_count')} of {result.get('element_count')} rows"
    values = result.get("partial_unexpected_list") or []
    if personal or not values:
        return counts
    return f"{counts}, for example {', '.join(str(value) for value in values[:3])}"[:_OBSERVED_LENGTH]
