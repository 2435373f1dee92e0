"""The dispatcher as a supervised process."""

import sys

from include.config import PROJECT_ROOT
from include.local.program import Program
from include.names import Part


def program() -> Program:
    """Delivers alerts as long as the platform runs; it needs no other part, and waits for those that are away."""
    return Program(Part.ALERTING, [sys.executable, str(PROJECT_ROOT / "main.py"), "alerts", "dispatch"])
