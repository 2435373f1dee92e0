"""Charts as SVG text: they need no script and no file beside the page, and print as they are shown."""

import math
from html import escape
from typing import Final

from include.reports.document import Chart

_WIDTH: Final = 720
_HEIGHT: Final = 200
_LEFT: Final = 64
_BOTTOM: Final = 24
_TOP: Final = 10
_BAR: Final = 22
_NAMES: Final = 130
_GAP: Final = 0.22
_MOST_LABELS: Final = 12


def svg(chart: Chart) -> str:
    """The chart, as wide as what it stands in."""
    body, height = _columns(chart) if chart.shape == "columns" else _bars(chart)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(chart.title)}" '
        f'xmlns="http://www.w3.org/2000/svg">{body}</svg>'
    )


def nice_ceiling(value: float) -> float:
    """The smallest of 1, 2, 2.5, 5, 10 times a power of ten that is not below a value."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= value * (1 - 1e-9))


def number(value: float) -> str:
    """A number for an axis."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def _columns(chart: Chart) -> tuple[str, int]:
    top = nice_ceiling(max(chart.values, default=0))
    inner, step = _HEIGHT - _BOTTOM - _TOP, (_WIDTH - _LEFT) / max(1, len(chart.values))
    parts = []
    for share in (0, 0.5, 1):
        y = _TOP + inner * (1 - share)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="axis end" x="{_LEFT - 8}" y="{y + 4:.1f}">{number(top * share)}</text>')
    each = max(1, math.ceil(len(chart.labels) / _MOST_LABELS))
    for place, (label, value) in enumerate(zip(chart.labels, chart.values, strict=True)):
        height = inner * value / top
        x, y = _LEFT + step * (place + _GAP / 2), _TOP + inner - height
        parts.append(
            f'<rect class="bar" x="{x:.1f}" y="{y:.1f}" width="{step * (1 - _GAP):.1f}" height="{height:.1f}" rx="2">'
            f"<title>{escape(label)}: {value:,.2f}</title></rect>"
        )
        if place % each == 0:
            middle = _LEFT + step * (place + 0.5)
            parts.append(f'<text class="axis mid" x="{middle:.1f}" y="{_HEIGHT - 6}">{escape(label)}</text>')
    return "".join(parts), _HEIGHT


def _bars(chart: Chart) -> tuple[str, int]:
    top = max(chart.values, default=0) or 1.0
    parts = []
    for place, (label, value) in enumerate(zip(chart.labels, chart.values, strict=True)):
        y, length = place * _BAR, (_WIDTH - _NAMES - 80) * value / top
        parts.append(f'<text class="axis end" x="{_NAMES - 8}" y="{y + 15}">{escape(label)}</text>')
        parts.append(f'<rect class="bar" x="{_NAMES}" y="{y + 3}" width="{length:.1f}" height="{_BAR - 7}" rx="2"/>')
        parts.append(f'<text class="axis" x="{_NAMES + length + 6:.1f}" y="{y + 15}">{value:,.10g}</text>')
    return "".join(parts), max(1, len(chart.values)) * _BAR
