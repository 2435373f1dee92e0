"""Runs a suite on a Spark DataFrame with Great Expectations, and writes its Data Docs."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from include.errors import ConfigurationError
from include.quality.frame import columns_of
from include.quality.suite import Rule, Suite
from include.quality.verdict import Failure

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_OBSERVED_LENGTH: Final = 200
_SITE: Final = "local"


def run_suite(frame: "DataFrame", suite: Suite, docs: Path) -> tuple[list[Failure], Path]:
    """Check every expectation of a suite.

    Args:
        frame: What ``include.quality.frame.prepared`` gives.
        suite: The suite.
        docs: Folder of the Data Docs, replaced as a whole.

    Returns:
        The failures, and the first page of the Data Docs.

    Raises:
        ConfigurationError: If an expectation cannot be evaluated; that is the suite's fault, not the data's.
    """
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    # persist=True would cache the whole table in memory.
    source = context.data_sources.add_spark(name="lake", persist=False)
    batches = source.add_dataframe_asset(name=suite.table.value).add_batch_definition_whole_dataframe("whole")
    expectations = [_configured(rule, number) for number, rule in enumerate(suite.expectations)]
    context.suites.add(gx.ExpectationSuite(name=suite.table.value, expectations=expectations, notes=suite.about))
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(name=suite.table.value, data=batches, suite=context.suites.get(suite.table.value))
    )
    shutil.rmtree(docs, ignore_errors=True)
    context.add_data_docs_site(_SITE, _site(docs))
    result = definition.run(batch_parameters={"dataframe": frame}, result_format="SUMMARY")
    context.build_data_docs(site_names=[_SITE])
    failures = [_failure(one.to_json_dict(), suite) for one in result.results if not one.success]
    return failures, docs / "index.html"


def _site(docs: Path) -> dict[str, Any]:
    return {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(docs)},
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
    }


def _configured(rule: Rule, number: int) -> dict[str, Any]:
    kwargs = dict(rule.kwargs)
    if rule.personal:
        kwargs["result_format"] = {"result_format": "SUMMARY", "exclude_unexpected_values": True}
    notes = {"notes": {"format": "string", "content": [rule.about]}} if rule.about else {}
    return {"type": rule.type, "kwargs": kwargs, "severity": rule.severity.value, "meta": {"number": number, **notes}}


def _failure(result: dict[str, Any], suite: Suite) -> Failure:
    rule = suite.expectations[result["expectation_config"]["meta"]["number"]]
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
