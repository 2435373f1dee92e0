"""What was erased, where nothing is left, and what ends by itself when; it names the pseudonym, never the person."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from include.alerting.alert import Alert, Kind, Severity
from include.config import Settings
from include.names import DagId


@dataclass
class Certificate:
    """The record of one erasure.

    Attributes:
        run: Its name.
        reference: What the request is called elsewhere, for example a ticket.
        pseudonym: What took the person's place.
        erased_at: When it was erased.
        found: Rows and documents that named the person, by place.
        vacuum_after: From when on the files with the old rows may be deleted; streams write on until then.
        verified_at: When the files and indices were searched; empty before.
        left_in_files: Files of the lake that still name the person.
        left_in_indices: Documents that still name the person, by place.
        ends_by_itself: What is not erased but ends, and when.
    """

    run: str
    reference: str
    pseudonym: str
    erased_at: str
    found: dict[str, int]
    vacuum_after: str
    verified_at: str = ""
    left_in_files: list[str] = field(default_factory=list)
    left_in_indices: dict[str, int] = field(default_factory=dict)
    ends_by_itself: list[str] = field(default_factory=list)

    @property
    def status(self) -> str:
        """``erased``, ``clean`` (verified: nothing is left), or ``left`` (verified: something is)."""
        if not self.verified_at:
            return "erased"
        return "left" if self.left_in_files or self.left_in_indices else "clean"

    def as_json(self) -> dict[str, Any]:
        """For files and programs."""
        return {**asdict(self), "status": self.status}

    def keep(self, settings: Settings) -> Path:
        """Store it; returns where."""
        path = certificate_path(settings, self.run)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".tmp")
        draft.write_text(json.dumps(self.as_json(), indent=1), encoding="utf-8")
        draft.replace(path)
        return path

    def alert(self, settings: Settings, path: Path) -> Alert:
        """For people: an erasure is done, or something is left."""
        clean = self.status == "clean"
        places = len(self.left_in_files) + len(self.left_in_indices)
        result = "nothing is left" if clean else f"{places} places still name the person"
        return Alert(
            source="erasure",
            kind=Kind.AUDIT,
            severity=Severity.INFO if clean else Severity.CRITICAL,
            subject=f"Erasure {self.reference}: {result}",
            key=f"erasure/{self.run}",
            evidence={"certificate": str(path), **{name: str(count) for name, count in self.found.items()}},
            runbook=f"{settings.airflow_url}/dags/{DagId.ERASE_PERSON}",
        )


def certificate_path(settings: Settings, run: str) -> Path:
    """Where a certificate is."""
    return settings.platform_data_dir / "erasures" / f"{run}.json"


def load_certificate(settings: Settings, run: str) -> Certificate:
    """A certificate that was kept."""
    body = json.loads(certificate_path(settings, run).read_text(encoding="utf-8"))
    return Certificate(**{name: value for name, value in body.items() if name != "status"})
