"""Who may see and do what on the Platform page, asked of Airflow's real API application."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from include.alerting.alert import Alert, Kind, Severity
from include.alerting.incidents import listed
from include.alerting.intake import Intake
from include.alerting.routing import load_routing
from include.alerting.store import connection, store_path
from include.audit.report import audits_dir
from include.config import get_settings
from include.handover.segments import write_atomically
from include.local.ports import find_free
from include.quality.verdict import quality_dir
from include.reports.publishing import report_folder

ROUTES = (
    "/platform/",
    "/platform/static/page.js",
    "/platform/api/live",
    "/platform/api/actions",
    "/platform/reports/daily-2026-03-02.html",
    "/platform/receipts/audit-20260302T000000.json",
    "/platform/docs/",
    "/platform/docs/silver.purchases.html",
)


@pytest.fixture(scope="module")
def incident(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Settings with a data folder of their own and no Elasticsearch; one open alert in it."""
    folder: Path = tmp_path_factory.mktemp("platform")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PLATFORM_DATA_DIR", str(folder))
        environment.setenv("ELASTICSEARCH_PORT", str(find_free(1)[0]))
        environment.setenv("AIRFLOW__API__SECRET_KEY", "of-these-tests")
        environment.setenv(
            "AIRFLOW__API_AUTH__JWT_SECRET", "of-these-tests-and-64-bytes-long-since-shorter-keys-are-warned-of"
        )
        get_settings.cache_clear()
        settings = get_settings()
        write_atomically(report_folder(settings) / "daily-2026-03-02.html", "a report")
        write_atomically(audits_dir(settings) / "audit-20260302T000000.json", "an audit")
        write_atomically(quality_dir(settings) / "docs" / "silver.purchases.html", "checks")
        write_atomically(quality_dir(settings) / "verdict.json", "not for readers of the docs")
        alert = Alert(source="t", kind=Kind.STOCK, severity=Severity.WARNING, subject="p-1 sells out", key="stock/p-1")
        with connection(store_path(settings)) as database:
            Intake(load_routing(settings.alert_routing_file), []).take(database, alert, datetime.now(UTC))
            found = listed(database)[0].incident
        yield found
    get_settings.cache_clear()


@pytest.fixture(scope="module")
def anonymous(airflow_database: Path, incident: str) -> Iterator[TestClient]:
    from airflow.api_fastapi.app import create_app, purge_cached_app

    purge_cached_app()
    with TestClient(create_app(), follow_redirects=False) as client:
        yield client
    purge_cached_app()


def of_role(client: TestClient, role: str) -> TestClient:
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    token = get_auth_manager().generate_jwt(SimpleAuthManagerUser(username=f"the {role}", role=role))
    return TestClient(client.app, cookies={"_token": token})


@pytest.mark.parametrize("route", ROUTES)
def test_somebody_who_is_not_logged_in_sees_nothing(anonymous: TestClient, route: str) -> None:
    assert anonymous.get(route).status_code == 401


def test_every_route_of_the_page_is_closed_to_strangers(anonymous: TestClient) -> None:
    from airflow import plugins_manager

    plugins, _ = plugins_manager._get_plugins()
    app = next(plugin for plugin in plugins if plugin.name == "platform_page").fastapi_apps[0]["app"]
    routes = [(method, route.path) for route in app.routes for method in route.methods - {"HEAD"}]

    assert len(routes) == 8
    for method, path in routes:
        asked = f"/platform{path.replace('{name:path}', 'page.js').replace('{incident}', 'x').replace('{name}', 'x')}"
        assert anonymous.request(method, asked).status_code == 401, (method, path)


@pytest.mark.parametrize("route", ROUTES)
def test_a_viewer_sees_everything(anonymous: TestClient, route: str) -> None:
    assert of_role(anonymous, "VIEWER").get(route).status_code == 200


def test_a_viewer_changes_nothing(anonymous: TestClient, incident: str) -> None:
    viewer = of_role(anonymous, "VIEWER")

    assert viewer.post(f"/platform/api/alerts/{incident}/acknowledge").status_code == 403
    assert viewer.post("/api/v2/dags/batch_recompute/dagRuns", json={"logical_date": None}).status_code == 403
    rights = viewer.get("/platform/api/actions").json()
    assert not rights["may_write"]
    assert not any(action["allowed"] for action in rights["actions"])


def test_a_user_takes_an_alert_over_in_their_own_name(anonymous: TestClient, incident: str) -> None:
    user = of_role(anonymous, "USER")

    assert user.get("/platform/api/actions").json()["may_write"]
    assert user.post("/platform/api/alerts/unknown/acknowledge").status_code == 404
    taken = user.post(f"/platform/api/alerts/{incident}/acknowledge")
    assert (taken.status_code, taken.json()["acknowledged_by"]) == (200, "the USER")


def test_without_elasticsearch_the_answer_says_so_and_has_no_figures(anonymous: TestClient) -> None:
    answer = of_role(anonymous, "VIEWER").get("/platform/api/live").json()

    assert answer["problem"].startswith("elasticsearch is not available: no answer at http://127.0.0.1:")
    assert "kpis" not in answer
    assert [alert["subject"] for alert in answer["alerts"]] == ["p-1 sells out"]


def test_an_unknown_range_and_an_unknown_file_are_refused(anonymous: TestClient) -> None:
    viewer = of_role(anonymous, "VIEWER")

    assert viewer.get("/platform/api/live?range=9y").status_code == 422
    assert viewer.get("/platform/static/../application.py").status_code == 404
    assert viewer.get("/platform/static/%2e%2e/application.py").status_code == 404
    assert viewer.get("/platform/openapi.json").status_code == 404


def test_what_jobs_wrote_is_shown_without_the_session_and_nothing_else_is(anonymous: TestClient) -> None:
    viewer = of_role(anonymous, "VIEWER")

    report = viewer.get("/platform/reports/daily-2026-03-02.html")
    docs = viewer.get("/platform/docs/silver.purchases.html")
    assert (report.text, docs.text) == ("a report", "checks")
    assert report.headers["content-security-policy"].startswith("default-src 'none'")
    assert docs.headers["content-security-policy"].startswith("sandbox allow-scripts;")
    assert 'href="silver.purchases.html"' in viewer.get("/platform/docs/").text
    assert viewer.get("/platform/api/actions").json()["reports"] == ["daily-2026-03-02.html"]
    assert viewer.get("/platform/receipts/audit-20260302T000000.json").text == "an audit"
    assert viewer.get("/platform/receipts/..%2Faudits%2Faudit-20260302T000000.json").status_code == 404
    for hidden in ("reports/weekly-2026-03-02.html", "reports/..%2Fverdict.json", "docs/..%2Fverdict.json", "docs/x"):
        assert viewer.get(f"/platform/{hidden}").status_code == 404, hidden


def test_a_task_links_to_what_shows_its_work(dag_bag: object) -> None:
    from airflow import plugins_manager
    from airflow.models.taskinstancekey import TaskInstanceKey

    links = {link.name: link for link in plugins_manager.get_global_operator_extra_links()}

    def shown(dag_id: str, task_id: str) -> dict[str, str]:
        key = TaskInstanceKey(dag_id, task_id, "manual__1", 1)
        found = {name: link.get_link(None, ti_key=key) for name, link in links.items()}
        return {name: url for name, url in found.items() if url}

    assert shown("compact_tables", "compact") == {"Platform page": "/plugin/platform"}
    assert list(shown("speed_layer", "control")) == ["Spark UI", "Platform page"]
    assert shown("data_quality", "judge")["Data Docs"] == "/platform/docs/"
    assert "Report" not in shown("platform_report", "report")
    # Somebody else's DAG in the same Airflow gets none.
    assert shown("of_another_team", "task") == {}
