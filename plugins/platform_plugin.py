"""The Platform page in Airflow's navigation: live figures, streams, alerts. What it shows lives in ``include/page``."""

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails

# Not declared public by Airflow, hence imported nowhere else; tests/dags/test_platform_page.py holds their behaviour.
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag, requires_authenticated
from airflow.plugins_manager import AirflowPlugin

from include.config import get_settings
from include.orchestration import run_events
from include.orchestration.links import DataDocs, PlatformPageLink, ReceiptFile, ReportPage, SparkUi
from include.page.application import ACTIONS, Rights, build


def _rights(user: GetUserDep) -> Rights:
    manager = get_auth_manager()
    return Rights(
        name=user.get_name(),
        may_acknowledge=manager.is_authorized_dag(method="PUT", user=user),
        may_trigger=frozenset(
            dag
            for dag, _, _ in ACTIONS
            if manager.is_authorized_dag(
                method="POST", access_entity=DagAccessEntity.RUN, details=DagDetails(id=dag.value), user=user
            )
        ),
    )


class PlatformPage(AirflowPlugin):
    """Adds the page; whoever may edit DAGs may acknowledge alerts."""

    name = "platform_page"
    fastapi_apps = [  # noqa: RUF012 - Airflow's own class attribute
        {
            "app": build(
                get_settings,
                authenticated=requires_authenticated(),
                may_write=requires_access_dag("PUT"),
                rights=_rights,
            ),
            "url_prefix": "/platform",
            "name": "Platform",
        }
    ]
    listeners = [run_events]  # noqa: RUF012 - as above
    global_operator_extra_links = [  # noqa: RUF012 - as above
        SparkUi(),
        DataDocs(),
        ReportPage(),
        ReceiptFile(),
        PlatformPageLink(),
    ]
    external_views = [  # noqa: RUF012 - Airflow's own class attribute
        {
            "name": "Platform",
            "href": "platform/",
            "destination": "nav",
            "url_route": "platform",
            "nav_top_level": True,
        }
    ]
