"""The layers of the README's diagram, read from the imports."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ALLOWED = {
    "app": {"ui"},
    "pages": {"figures", "ui", "queries", "analytics", "charts"},
    "figures": {"ui", "appdata", "queries", "analytics", "charts"},
    "ui": {"appdata", "reports", "queries", "warehouse", "analytics", "charts"},
    "reports": {"queries", "analytics", "warehouse"},
    "appdata": {"warehouse"},
    "queries": {"warehouse"},
    "analytics": set(),
    "charts": set(),
    "jobs": {"reports", "queries", "analytics", "charts", "warehouse"},
    "warehouse": set(),
}
LAYERS = set(ALLOWED)


def imported_layers(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add((node.module or "").split(".")[0])
    return found & LAYERS


@pytest.mark.parametrize("layer", sorted(ALLOWED))
def test_a_layer_imports_only_those_below_it(layer: str) -> None:
    files = [ROOT / "app.py"] if layer == "app" else [*(ROOT / layer).rglob("*.py")]
    assert files
    for path in files:
        if path == ROOT / "warehouse" / "__main__.py":
            continue  # the command line dispatches to every layer
        strangers = imported_layers(path) - ALLOWED[layer] - {layer}
        assert not strangers, f"{path.relative_to(ROOT)} imports {strangers}"


def test_streamlit_stays_out_of_the_numbers_and_sql_out_of_the_pages() -> None:
    for layer, banned in {
        "analytics": {"streamlit", "sqlalchemy", "duckdb"},
        "charts": {"streamlit", "sqlalchemy", "duckdb"},
        "pages": {"sqlalchemy", "duckdb"},
        "figures": {"sqlalchemy", "duckdb"},
        "appdata": {"streamlit", "duckdb"},
        "queries": {"streamlit"},
        "jobs": {"streamlit"},
        "reports": {"streamlit", "sqlalchemy", "duckdb"},
        "warehouse": {"streamlit"},
    }.items():
        for path in (ROOT / layer).rglob("*.py"):
            text = path.read_text()
            names = {
                name.split(".")[0]
                for node in ast.walk(ast.parse(text))
                for name in (
                    [alias.name for alias in node.names]
                    if isinstance(node, ast.Import)
                    else [node.module or ""]
                    if isinstance(node, ast.ImportFrom)
                    else []
                )
            }
            assert not names & banned, f"{path.relative_to(ROOT)} imports {names & banned}"


def test_no_page_lies_directly_in_pages() -> None:
    # such a page would run without app.py when it is a fresh process's first deep link
    assert not list((ROOT / "pages").glob("*.py"))


def test_no_unsafe_html() -> None:
    for path in [
        *ROOT.glob("*.py"),
        *(ROOT / "pages").rglob("*.py"),
        *(ROOT / "ui").rglob("*.py"),
        *(ROOT / "charts").rglob("*.py"),
    ]:
        assert "unsafe_allow" not in path.read_text(), path
