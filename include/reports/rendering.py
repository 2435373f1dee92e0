"""A report as Markdown and as one HTML page."""

from html import escape
from typing import Final

from include.reports.charts import svg
from include.reports.document import Chart, Grid, Report, Text

_STYLE: Final = """
:root{color-scheme:light dark;--ink:#0f172a;--soft:#64748b;--line:#e2e8f0;--page:#fff;--card:#f8fafc;--bar:#2563eb}
@media(prefers-color-scheme:dark){:root{--ink:#e2e8f0;--soft:#94a3b8;--line:#334155;--page:#0b1120;--card:#111a2e;
--bar:#60a5fa}}
body{margin:0 auto;max-width:46rem;padding:1.5rem 1rem 3rem;background:var(--page);color:var(--ink);
font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;margin:0 0 1rem}h2{font-size:1.1rem;margin:2rem 0 .6rem}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.6rem;margin:0}
dl div{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:.6rem .8rem}
dt{color:var(--soft);font-size:.8rem}dd{margin:0;font-weight:600;font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.35rem .5rem;border-bottom:1px solid var(--line);text-align:right;font-weight:400}
th{color:var(--soft);font-size:.85rem}th:first-child,td:first-child{text-align:left}
figure{margin:.6rem 0}figcaption{color:var(--soft);font-size:.85rem}svg{width:100%;height:auto}
.bar{fill:var(--bar)}.grid{stroke:var(--line)}.axis{fill:var(--soft);font:11px system-ui,sans-serif}
.end{text-anchor:end}.mid{text-anchor:middle}
"""


def html(report: Report) -> str:
    """One page that needs nothing beside it."""
    figures = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in report.highlights.items()
    )
    sections = "".join(
        f"<section><h2>{escape(section.title)}</h2>{''.join(_html_of(part) for part in section.parts)}</section>"
        for section in report.sections
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(report.title)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(report.title)}</h1><dl>{figures}</dl>{sections}</body></html>\n"
    )


def _html_of(part: Text | Grid | Chart) -> str:
    if isinstance(part, Text):
        return f"<p>{escape(part.text)}</p>"
    if isinstance(part, Chart):
        return f"<figure><figcaption>{escape(part.title)}</figcaption>{svg(part)}</figure>"
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in part.headings)
    body = "".join(f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>" for row in part.rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def markdown(report: Report) -> str:
    """The same for mail programs, terminals and wikis; charts become tables."""
    lines = [f"# {_plain(report.title)}", ""]
    lines += [f"- **{_plain(name)}**: {_plain(value)}" for name, value in report.highlights.items()]
    for section in report.sections:
        lines += ["", f"## {_plain(section.title)}"]
        for part in section.parts:
            lines += ["", *_markdown_of(part)]
    return "\n".join(lines) + "\n"


def _markdown_of(part: Text | Grid | Chart) -> list[str]:
    if isinstance(part, Text):
        return [_plain(part.text)]
    if isinstance(part, Chart):
        rows = tuple((label, f"{value:,.10g}") for label, value in zip(part.labels, part.values, strict=True))
        part = Grid((part.title, ""), rows)
    aligned = [":---", *("---:" for _ in part.headings[1:])]
    return [
        _row(part.headings),
        _row(tuple(aligned)),
        *(_row(row) for row in part.rows),
    ]


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(_plain(cell) for cell in cells)} |"


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
