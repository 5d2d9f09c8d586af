"""The contract's columns, described, for the definitions page."""

from __future__ import annotations

from warehouse.contract_words import described_columns


def contract_columns() -> list[dict[str, str]]:
    """One row per column: table, column, type, rules and meaning, without Markdown."""
    return [
        {name: text.replace("`", "") for name, text in row.items()} for row in described_columns()
    ]
