import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.config import PROJECT_ROOT, Settings
from include.dashboards.__main__ import BOARDS, FOLDER, RULES, write_all
from include.dashboards.watches import WATCHES
from include.local.grafana import Grafana
from include.names import Alias

GRAFANA = PROJECT_ROOT / "docker" / "grafana"
FILES = sorted((FOLDER / BOARDS).glob("*.json"))
DASHBOARDS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FILES}
PANELS = [
    pytest.param(panel, id=f"{name}-{panel['title']}")
    for name, board in DASHBOARDS.items()
    for panel in board["panels"]
]
TEMPLATES = PROJECT_ROOT / "include" / "serving" / "index_templates"

every_panel = pytest.mark.parametrize("panel", PANELS)


def provisioned(kind: str) -> Any:
    (path,) = (GRAFANA / "provisioning" / kind).glob("*.yaml")
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def sources() -> dict[str, Any]:
    return {source["uid"]: source for source in provisioned("datasources")["datasources"]}


def variables() -> set[str]:
    """What Grafana takes from the environment when it reads the files; a lone dollar is one, too."""
    texts = [path.read_text(encoding="utf-8") for path in (GRAFANA / "provisioning").glob("*/*.yaml")]
    return {name for text in texts for name in re.findall(r"\$(\w*)", text)}


def rules() -> dict[str, Any]:
    (group,) = provisioned("alerting")["groups"]
    return {rule["uid"]: rule for rule in group["rules"]}


def fields_of(alias: str) -> dict[str, str]:
    template = json.loads((TEMPLATES / f"{alias}.json").read_text(encoding="utf-8"))
    properties = template["template"]["mappings"]["properties"]
    return {name: mapping["type"] for name, mapping in properties.items()}


def kind_of(fields: dict[str, str], name: str) -> str:
    """The type of a field; observations hold numbers of any name."""
    return "double" if name.startswith("metrics.") and fields.get("metrics") == "object" else fields[name]


def aggregated(target: dict[str, Any]) -> list[dict[str, Any]]:
    """What is aggregated by a field; documents are counted without one."""
    return [part for part in target["bucketAggs"] + target["metrics"] if part["type"] != "count"]


def aggregated_fields(target: dict[str, Any]) -> set[str]:
    return {part["field"].split(".")[0] for part in aggregated(target)}


def searched_fields(target: dict[str, Any]) -> set[str]:
    named = {name for name in re.findall(r"(\w+):", target["query"]) if name != "_exists_"}
    return named | set(re.findall(r"_exists_:(\w+)", target["query"]))


def test_the_committed_dashboards_are_what_the_builders_make(tmp_path: Any) -> None:
    write_all(tmp_path)
    made = (tmp_path / BOARDS).glob("*.json")
    fresh = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in made}
    assert fresh == DASHBOARDS, "run: python -m include.dashboards"
    assert (tmp_path / RULES).read_text() == (FOLDER / RULES).read_text(), "run: python -m include.dashboards"
    assert fresh.keys() == {
        "sales_metrics",
        "customers_funnel",
        "fraud",
        "inventory",
        "pipeline_health",
        "data_quality",
        "batch_handover",
    }


def test_dashboards_link_to_each_other_and_keep_the_range() -> None:
    for board in DASHBOARDS.values():
        others, airflow = board["links"]
        assert (others["type"], others["keepTime"]) == ("dashboards", True)
        assert set(others["tags"]) <= set(board["tags"])
        assert airflow["url"] == "${airflow}/plugin/platform"


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_source_of_a_dashboard_can_be_filtered_by_any_field(name: str) -> None:
    board = DASHBOARDS[name]
    filters = {one["datasource"]["uid"] for one in board["templating"]["list"] if one["type"] == "adhoc"}
    assert filters == {panel["datasource"]["uid"] for panel in board["panels"]}
    (airflow,) = (one for one in board["templating"]["list"] if one["type"] == "constant")
    assert airflow["query"] == "http://localhost:8081"


@pytest.mark.parametrize("name", DASHBOARDS)
def test_marks_ask_a_provisioned_source_for_fields_of_its_alias(name: str) -> None:
    marks = DASHBOARDS[name]["annotations"]["list"]
    assert len(marks) == 3
    for mark in marks:
        source = sources()[mark["datasource"]["uid"]]["jsonData"]
        fields = fields_of(source["index"])
        assert mark["timeField"] == source["timeField"]
        assert {mark["textField"], mark["tagsField"], *searched_fields(mark["target"])} <= fields.keys()


@every_panel
def test_panels_ask_a_provisioned_source_for_fields_of_its_alias(panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        source = sources()[target["datasource"]["uid"]]
        assert target["datasource"]["type"] == source["type"]
        fields = fields_of(source["jsonData"]["index"])
        assert aggregated_fields(target) | searched_fields(target) <= fields.keys()
        assert target["timeField"] == source["jsonData"]["timeField"]


@every_panel
def test_panels_add_numbers_and_group_by_keywords(panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        fields = fields_of(sources()[target["datasource"]["uid"]]["jsonData"]["index"])
        kinds = {(part["type"], kind_of(fields, part["field"])) for part in aggregated(target)}
        buckets = {("terms", "keyword"), ("date_histogram", "date")}
        numbers = {("sum", "long"), ("min", "long"), ("max", "date"), ("avg", "integer")}
        assert kinds <= buckets | numbers | {(how, "double") for how in ("avg", "max", "min", "sum")}


@every_panel
def test_panels_order_by_a_metric_that_grafana_resolves(panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        ids = {metric["id"] for metric in target["metrics"]}
        # Grafana takes only digits for the id of a metric in an order.
        assert all(number.isdigit() for number in ids)
        orders = {part["settings"]["orderBy"] for part in target["bucketAggs"] if part["type"] == "terms"}
        assert orders <= ids | {"_term", "_count"}


@every_panel
def test_panels_have_a_unit_a_description_and_a_text_for_no_data(panel: dict[str, Any]) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["unit"]
    assert defaults["noValue"]
    assert panel["description"]


@every_panel
def test_money_is_divided_into_whole_units_and_never_added_over_currencies(panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        cents = [metric["field"] for metric in target["metrics"] if metric.get("field", "").endswith("_minor")]
        if cents:
            assert target["bucketAggs"][0]["field"] == "currency"
            divisors = [step["options"].get("binary", {}).get("right") for step in panel["transformations"]]
            assert divisors.count({"fixed": "100"}) == len(cents)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_fit_the_grid_without_overlap(name: str) -> None:
    cells: set[tuple[int, int]] = set()
    for panel in DASHBOARDS[name]["panels"]:
        place = panel["gridPos"]
        covered = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert place["x"] + place["w"] <= 24
        assert not cells & covered, f"{panel['title']} overlaps another panel"
        cells |= covered


def test_sources_have_the_name_of_the_alias_they_read() -> None:
    for uid, source in sources().items():
        assert uid == source["jsonData"]["index"]
        assert uid in {alias.value for alias in Alias}


def test_the_compose_file_mounts_what_grafana_is_told_to_read() -> None:
    grafana = yaml.safe_load((PROJECT_ROOT / "docker" / "docker-compose.yml").read_text(encoding="utf-8"))
    mounts = dict(mount.split(":")[:2] for mount in grafana["services"]["grafana"]["volumes"])
    environment = grafana["services"]["grafana"]["environment"]
    assert mounts["./grafana/dashboards"] == environment["GRAFANA_DASHBOARDS"]
    assert mounts["./grafana/provisioning"] == "/etc/grafana/provisioning"
    assert variables() == {"ELASTICSEARCH_URL", "GRAFANA_DASHBOARDS", "SLACK_WEBHOOK_URL", "ALERT_EMAIL_TO"}
    assert variables() <= environment.keys()


def test_the_local_program_gets_every_variable_of_the_provisioning(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, platform_data_dir=tmp_path)
    assert variables() <= Grafana(settings).environment().keys()


def test_rules_ask_a_provisioned_source_for_fields_of_its_alias() -> None:
    assert rules().keys() == {watch.uid for watch in WATCHES}
    for rule in rules().values():
        look = rule["data"][0]
        source = sources()[look["datasourceUid"]]["jsonData"]
        assert look["model"]["timeField"] == source["timeField"]
        assert aggregated_fields(look["model"]) | searched_fields(look["model"]) <= fields_of(source["index"]).keys()


def test_rules_compare_the_reduced_look_with_their_limit() -> None:
    for watch in WATCHES:
        rule = rules()[watch.uid]
        look, reduced, compared = rule["data"]
        assert rule["condition"] == compared["refId"]
        assert (reduced["model"]["expression"], compared["model"]["expression"]) == (look["refId"], reduced["refId"])
        assert compared["model"]["conditions"][0]["evaluator"] == {"params": [watch.above], "type": "gt"}
        assert look["relativeTimeRange"]["from"] == watch.minutes * 60


def test_every_severity_of_a_rule_reaches_a_contact_point() -> None:
    alerting = provisioned("alerting")
    points = {point["name"]: {one["type"] for one in point["receivers"]} for point in alerting["contactPoints"]}
    (policy,) = alerting["policies"]
    (urgent,) = policy["routes"]
    assert points[policy["receiver"]] == {"slack"}
    assert points[urgent["receiver"]] == {"slack", "email"}
    assert urgent["object_matchers"] == [["severity", "=", "critical"]]
    assert {rule["labels"]["severity"] for rule in rules().values()} == {"warning", "critical"}


def test_receivers_have_names_of_their_own() -> None:
    names = [one["uid"] for point in provisioned("alerting")["contactPoints"] for one in point["receivers"]]
    assert len(set(names)) == len(names)
