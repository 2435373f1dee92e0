"""What jobs wrote, behind the same login: reports, the Data Docs of the tables, receipts of what was done to data."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from fastapi import FastAPI, HTTPException, Response
from fastapi.responses import FileResponse, HTMLResponse

from include.config import Settings
from include.quality.verdict import quality_dir
from include.reports.publishing import report_folder

# A report runs no script; Data Docs run theirs, in an origin of its own that holds no session.
_REPORT_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
}
_DOCS_HEADERS: Final = {
    "Content-Security-Policy": "sandbox allow-scripts; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
}
_REPORT: Final = re.compile(r"^(daily|weekly)-\d{4}-\d\d-\d\d\.(html|md)$")
_REPORTS_SHOWN: Final = 14
# Replays of dead letters, audits, erasures: the folder below the data folder by the first word of their names.
_RECEIPT: Final = re.compile(r"^(?P<kind>replay|audit|erasure)-\d{8}T\d+\.json$")
_RECEIPT_FOLDERS: Final = {"replay": "dead-letters/receipts", "audit": "audits", "erasure": "erasures"}


def newest_reports(settings: Settings) -> list[str]:
    """Names of the latest reports, the newest day first."""
    names = [path.name for path in report_folder(settings).glob("*.html") if _REPORT.match(path.name)]
    return sorted(names, key=lambda name: (name.split("-", 1)[1], name), reverse=True)[:_REPORTS_SHOWN]


def docs_index(root: Path) -> str:
    """A page that leads to the Data Docs of each table."""
    names = sorted(path.stem for path in root.glob("*.html"))
    items = "".join(f'<li><a href="{name}.html">{name}</a></li>' for name in names)
    return f'<!doctype html><html lang="en"><title>Data Docs</title><h1>Data Docs</h1><ul>{items}</ul></html>'


def add_written(app: FastAPI, settings: Callable[[], Settings]) -> None:
    """Add the routes that show them; the application's own dependencies hold for these as well."""

    @app.get("/reports/{name}")
    def report(name: str) -> FileResponse:
        path = report_folder(settings()) / name
        if not _REPORT.match(name) or not path.is_file():
            raise HTTPException(404, f"there is no report {name}: python main.py report makes one")
        return FileResponse(path, headers=_REPORT_HEADERS)

    @app.get("/receipts/{name}")
    def receipt(name: str) -> FileResponse:
        match = _RECEIPT.match(name)
        folder = settings().platform_data_dir / _RECEIPT_FOLDERS[match["kind"]] if match else None
        if folder is None or not (folder / name).is_file():
            raise HTTPException(404, f"there is no receipt {name}")
        return FileResponse(folder / name, headers=_REPORT_HEADERS)

    @app.get("/docs/{name:path}")
    def data_docs(name: str) -> Response:
        root = (quality_dir(settings()) / "docs").resolve()
        if not name:
            return HTMLResponse(docs_index(root), headers=_REPORT_HEADERS)
        path = (root / name).resolve()
        if not path.is_relative_to(root) or not path.is_file():
            raise HTTPException(404, f"there is no page {name}: the DAG data_quality makes Data Docs")
        return FileResponse(path, headers=_DOCS_HEADERS)
