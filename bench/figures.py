"""What the bench found: figures beside their goals, as text, markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

PARTS = {
    "machine": "What it ran on",
    "book": "From a book of files to published marts",
    "rules": "Contact rules, replayed over the log",
    "simulator": "The simulator, its draws kept",
    "pages": "A page: its data, and its script",
    "matrix": "The roll-rate matrix, three ways",
    "sessions": "Many readers at once",
}


@dataclass(frozen=True)
class Figure:
    """One line of the bench: what was measured, and what it should be."""

    part: str
    name: str
    value: float | int | str
    unit: str = ""
    goal: float | None = None
    at_least: bool = False  # the goal is a floor, not a ceiling
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.goal is None or isinstance(self.value, str):
            return ""
        met = self.value >= self.goal if self.at_least else self.value < self.goal
        return "met" if met else "MISSED"

    def cells(self) -> tuple[str, str, str, str, str]:
        goal = ""
        if self.goal is not None:
            goal = f"{'>=' if self.at_least else '<'} {_number(self.goal)} {self.unit}".strip()
        shown = f"{_number(self.value)} {self.unit}".strip()
        return self.name, shown, goal, self.verdict, self.note


def _number(value: float | int | str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) or value == int(value):
        return f"{int(value):,}"
    decimals = 0 if abs(value) >= 1000 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{decimals}f}"


HEADS = ("measured", "result", "goal", "", "note")


def as_text(figures: Sequence[Figure]) -> str:
    """Plain columns, part by part."""
    lines: list[str] = []
    for part, title in PARTS.items():
        rows = [figure.cells() for figure in figures if figure.part == part]
        if not rows:
            continue
        widths = [max(len(row[place]) for row in [*rows, HEADS]) for place in range(4)]
        lines += ["", title, "-" * len(title)]
        for row in [HEADS, *rows] if part != "machine" else rows:
            name, shown, goal, verdict, note = row
            line = f"{name:<{widths[0]}}  {shown:>{widths[1]}}"
            if part == "machine":
                line = f"{name:<{widths[0]}}  {shown}"
            line += f"  {goal:<{widths[2]}}  {verdict:<{widths[3]}}  {note}"
            lines.append(line.rstrip())
    return "\n".join([*lines, "", summary(figures), ""])


def as_markdown(figures: Sequence[Figure], taken_at: datetime) -> str:
    lines = [
        "# What `make bench` measured",
        "",
        f"{taken_at:%Y-%m-%d %H:%M} UTC. {summary(figures)}",
    ]
    for part, title in PARTS.items():
        rows = [figure.cells() for figure in figures if figure.part == part]
        if not rows:
            continue
        lines += ["", f"## {title}", "", f"| {' | '.join(HEADS)} |", "|---|---:|---|---|---|"]
        lines += [
            "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows
        ]
    return "\n".join([*lines, ""])


def summary(figures: Sequence[Figure]) -> str:
    """How many goals were met, and which were not."""
    failed = [figure.part for figure in figures if figure.name == "FAILED"]
    if failed:
        return f"FAILED: {', '.join(failed)}."
    judged = [figure for figure in figures if figure.verdict]
    missed = [figure.name for figure in judged if figure.verdict == "MISSED"]
    if not judged:
        return "No goal was measured."
    if not missed:
        return f"All {len(judged)} goals met."
    return f"{len(judged) - len(missed)} of {len(judged)} goals met. MISSED: {'; '.join(missed)}."


def save(figures: Sequence[Figure], folder: Path, taken_at: datetime, *, latest: bool) -> Path:
    """Write the figures as JSON and markdown; returns the markdown file."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / f"{taken_at:%Y%m%dT%H%M%S}"
    rows = [asdict(figure) | {"verdict": figure.verdict} for figure in figures]
    document = {"taken_at": taken_at.isoformat(timespec="seconds"), "figures": rows}
    stem.with_suffix(".json").write_text(json.dumps(document, indent=1))
    page = as_markdown(figures, taken_at)
    stem.with_suffix(".md").write_text(page)
    if latest:
        (folder / "latest.md").write_text(page)
    return stem.with_suffix(".md")
