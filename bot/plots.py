"""A quality report → the tables and plots of the page “How good are the answers?” (Markdown and SVG in the page's own colors).

Knows only the report that `bot check` makes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

WIDTH, HEIGHT, MARGIN = 480, 320, 48  # pixels of a plot at natural size
COLOR = "var(--md-typeset-a-color,#0b5c66)"  # the theme's link color, readable in light and dark
BAR = 22  # pixels of a bar's height
POINT = 3, 14  # pixels: radius of a point for one question, and for a quarter of them and more


def write_page(report: dict[str, Any], folder: Path) -> None:
    """Write the snippets that docs/quality.md includes into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {
        "about.md": _about(report),
        "figures.md": _figures(report),
        "baselines.md": _shares(report["baselines"], ("right answers", "first", "first three")),
        "ablation.md": _shares(report["ablation"], ("first", "first three")),
        "thresholds.md": _thresholds(report["thresholds"]),
        "topics.md": _topics(report["topics"]),
        "reliability.svg": reliability_plot(report["reliability"]),
        "baselines.svg": bar_plot({name: row["right answers"] for name, row in report["baselines"].items()}),
    }.items():
        (folder / name).write_text(text.rstrip() + "\n", encoding="utf-8")


def _about(report: dict[str, Any]) -> str:
    index, found, tuning = report["index"], report["figures"]["report"], report["figures"]["tune"]
    return (
        f"Measured on {report['date']} with `python -m bot check --write includes/quality`: {index['sections']} sections, "
        f"{index['questions']} questions beside them; {found['questions in scope']} golden questions in scope and "
        f"{found['questions out of scope']} out of scope in the reporting half, "
        f"{tuning['questions in scope']} and {tuning['questions out of scope']} in the tuning half."
    )


def _figures(report: dict[str, Any]) -> str:
    tuning, reporting = report["figures"]["tune"], report["figures"]["report"]
    rows = [(name, shown(name, tuning.get(name)), shown(name, value)) for name, value in reporting.items()]
    return _table(("Figure", "Tuning half", "Reporting half"), rows)


def _shares(rows: dict[str, dict[str, float]], columns: Sequence[str]) -> str:
    return _table(("Search", *columns), [(name, *(f"{row[column]:.1%}" for column in columns)) for name, row in rows.items()])


def _thresholds(rows: Sequence[dict[str, float]]) -> str:
    columns = ("unsure_at", "wrong refusals", "false answers")
    return _table(columns, [(f"{row['unsure_at']:.2f}", *(f"{row[column]:.1%}" for column in columns[1:])) for row in rows])


def _topics(rows: dict[str, dict[str, float]]) -> str:
    return _table(("Topic", "questions", "right"), [(name, str(row["questions"]), f"{row['right']:.0%}") for name, row in rows.items()])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def shown(name: str, value: float | None) -> str:
    """Return a figure as the tables show it: a share in percent, a count or a time as a number."""
    if value is None:
        return ""
    if name.startswith(("questions", "words")):
        return f"{value:.0f}"
    if name.startswith("milliseconds"):
        return f"{value:.1f}"
    return f"{value:.3f}" if name == "calibration error" else f"{value:.1%}"


def reliability_plot(rows: Sequence[dict[str, float]]) -> str:
    """Return an SVG: confidence to the right, share of right answers upwards, a point a bin, larger for more questions."""
    side = HEIGHT - 2 * MARGIN

    def x(value: float) -> float:
        return round(MARGIN + value * side, 1)

    def y(value: float) -> float:
        return round(HEIGHT - MARGIN - value * side, 1)

    total = max(sum(row["questions"] for row in rows), 1)
    parts = [f'<path d="M{x(0)} {y(0)}L{x(1)} {y(1)}" stroke="currentColor" stroke-dasharray="4 4" opacity="0.6"/>']
    parts.append(f'<path d="M{x(0)} {y(1)}V{y(0)}H{x(1)}" stroke="currentColor" fill="none"/>')
    for tick in (0.0, 0.5, 1.0):
        parts.append(_text(x(tick), HEIGHT - MARGIN + 18, f"{tick:.1f}", "middle"))
        parts.append(_text(MARGIN - 6, y(tick) + 4, f"{tick:.0%}", "end"))
    for row in rows:
        radius = POINT[0] + (POINT[1] - POINT[0]) * min(1.0, 4 * row["questions"] / total)
        parts.append(f'<circle cx="{x(row["confidence"])}" cy="{y(row["right"])}" r="{radius:.1f}" fill="{COLOR}"/>')
    parts.append(_text(x(0.5), HEIGHT - 8, "confidence", "middle"))
    spoken = "; ".join(f"confidence {row['confidence']:.2f}: {row['right']:.0%} right of {row['questions']:.0f}" for row in rows)
    return _svg("reliability", "Confidence against the share of right answers", spoken, side + 2 * MARGIN, HEIGHT, parts)


def bar_plot(shares: dict[str, float]) -> str:
    """Return an SVG of horizontal bars, one a name, with its share."""
    parts, left = [], 170
    for number, (name, share) in enumerate(shares.items()):
        top = 10 + number * (BAR + 10)
        parts.append(_text(left - 8, top + BAR - 6, name, "end"))
        width = round((WIDTH - left - 60) * share, 1)
        parts.append(f'<rect x="{left}" y="{top}" width="{width}" height="{BAR}" fill="{COLOR}"/>')
        parts.append(_text(left + width + 6, top + BAR - 6, f"{share:.0%}", "start"))
    spoken = "; ".join(f"{name}: {share:.0%}" for name, share in shares.items())
    return _svg("baselines", "Right answers of each search on the same pages", spoken, WIDTH, 10 + len(shares) * (BAR + 10), parts)


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="13" fill="currentColor">{words}</text>'


def _svg(name: str, title: str, description: str, width: int, height: int, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" style="max-width:100%" role="img" '
        f'aria-labelledby="{name}-title {name}-desc">'
    )
    return "\n".join(
        [
            '<figure class="picture">',
            head,
            f'<title id="{name}-title">{title}</title><desc id="{name}-desc">{description}</desc>',
            *parts,
            "</svg>",
            "</figure>",
        ]
    )
