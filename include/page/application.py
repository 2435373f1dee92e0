"""The page as a web application, without Airflow: who may do what is given to it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, HTTPException, Response
from fastapi.responses import FileResponse

from include.config import Settings
from include.names import Alias, DagId
from include.page.alerts import open_alerts, take_over
from include.page.live import Live
from include.page.ranges import DEFAULT, RANGES
from include.page.written import add_written, newest_reports

STATIC: Final = Path(__file__).with_name("static")
_FILES: Final = {
    "page.css": "text/css",
    "page.js": "text/javascript",
    "charts.js": "text/javascript",
    "sections.js": "text/javascript",
    "vendor/uPlot.iife.min.js": "text/javascript",
    "vendor/uPlot.min.css": "text/css",
}
# Nothing from elsewhere runs in the page, and only Airflow itself may frame it.
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
# What the page may start; Airflow's own API starts it, and decides whether this user may.
ACTIONS: Final[tuple[tuple[DagId, str, dict[str, str | int]], ...]] = (
    (DagId.SPEED_LAYER, "Start speed layer", {"action": "start"}),
    (DagId.SPEED_LAYER, "Restart speed layer", {"action": "restart"}),
    (DagId.SPEED_LAYER, "Stop speed layer", {"action": "stop"}),
    (DagId.LAMBDA_HANDOVER, "Hand over to batch", {}),
    (DagId.BATCH_RECOMPUTE, "Recompute today", {"days": 1}),
    (DagId.DATA_QUALITY, "Check data quality", {}),
    (DagId.PLATFORM_REPORT, "Report on yesterday", {"length": "daily"}),
    (DagId.REINDEX_ELASTICSEARCH, "Rebuild pipeline-health", {"alias": Alias.PIPELINE_HEALTH.value}),
)


@dataclass(frozen=True)
class Rights:
    """What the user of a request may do.

    Attributes:
        name: The user's name.
        may_acknowledge: Whether alerts may be taken over.
        may_trigger: DAGs that may be triggered.
    """

    name: str
    may_acknowledge: bool
    may_trigger: frozenset[DagId]


def build(
    settings: Callable[[], Settings],
    *,
    authenticated: Callable[..., Any],
    may_write: Callable[..., Any],
    rights: Callable[..., Rights],
) -> FastAPI:
    """The application.

    Args:
        settings: Says where everything is; asked at a request, not when the plugin is imported.
        authenticated: Dependency of every route: lets only users who are logged in pass.
        may_write: Dependency of routes that change something: lets only users whose role allows it pass.
        rights: Dependency that says what the user may do, so that the page offers nothing that would be refused.
    """
    live_of = lru_cache(maxsize=1)(Live)
    app = FastAPI(
        title="Platform", dependencies=[Depends(authenticated)], openapi_url=None, docs_url=None, redoc_url=None
    )

    # Plain functions, not coroutines: they wait for files and searches, and run in threads of their own.
    @app.get("/")
    def page() -> FileResponse:
        return FileResponse(STATIC / "index.html", headers=_HEADERS)

    @app.get("/static/{name:path}")
    def static(name: str) -> FileResponse:
        if name not in _FILES:
            raise HTTPException(404, f"{name} is not a file of the page")
        return FileResponse(STATIC / name, media_type=_FILES[name], headers={"Cache-Control": "no-cache"})

    @app.get("/api/live")
    def latest(response: Response, range: str = DEFAULT) -> dict[str, Any]:
        if range not in RANGES:
            raise HTTPException(422, f"range is one of {', '.join(RANGES)}, found {range}")
        response.headers["Cache-Control"] = "no-store"
        figures = live_of(settings()).answer(RANGES[range], datetime.now(UTC))
        return figures | {"alerts": open_alerts(settings())}

    @app.get("/api/actions")
    def actions(user: Annotated[Rights, Depends(rights)]) -> dict[str, Any]:
        return {
            "user": user.name,
            "may_write": user.may_acknowledge,
            "actions": [
                {"dag_id": dag.value, "label": label, "conf": conf, "allowed": dag in user.may_trigger}
                for dag, label, conf in ACTIONS
            ],
            "reports": newest_reports(settings()),
        }

    add_written(app, settings)

    @app.post("/api/alerts/{incident}/acknowledge", dependencies=[Depends(may_write)])
    def acknowledge(incident: str, user: Annotated[Rights, Depends(rights)]) -> dict[str, Any]:
        found = take_over(settings(), incident, user.name, datetime.now(UTC))
        if found is None:
            raise HTTPException(404, f"no alert has the id {incident}; it may be over and forgotten")
        return found

    return app
