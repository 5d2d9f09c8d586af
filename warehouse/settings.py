"""Where things are, from the environment; read once per call, never cached.

WAREHOUSE_URL  the lender's facts: any SQLAlchemy URL (default: a DuckDB file in ./var)
MARTS_PATH     the folder of the marts (default: ./var/marts)
APP_DATABASE_URL  what the app itself keeps: any SQLAlchemy URL (default: SQLite with the marts)
RULE_PACKS     a folder of rule packs of the lender's own, added to the product's (default: none)
CONTACT_PACK   the packs of contact rules in use, by comma (default: cn-cba-2026)
COMPLAINT_PACK the pack of complaint deadlines in use (default: cn)
NOTES_KEEP_DAYS  after how many days notes on complaints are erased (default: 730)
HOLIDAYS       a CSV file of the holidays and worked weekend days (default: none)
CLASS_CUTS     a JSON file of cut points of the classes of loans (default: drawn from the book)
PORT           the app's port (Makefile)
"""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_URL = "duckdb:///" + str(ROOT / "var" / "warehouse.duckdb")


def warehouse_url() -> str:
    return os.environ.get("WAREHOUSE_URL") or DEFAULT_URL


def marts_path() -> Path:
    return Path(os.environ.get("MARTS_PATH") or ROOT / "var" / "marts")


def app_database_url() -> str:
    default = f"sqlite:///{marts_path() / 'app.sqlite'}"
    return os.environ.get("APP_DATABASE_URL") or default


def rule_packs() -> Path | None:
    own = os.environ.get("RULE_PACKS")
    return Path(own) if own else None


def contact_packs() -> tuple[str, ...]:
    return _names(os.environ.get("CONTACT_PACK")) or ("cn-cba-2026",)


def complaint_pack() -> str:
    return (os.environ.get("COMPLAINT_PACK") or "").strip() or "cn"


def notes_keep_days() -> int:
    """Days that notes on complaints are kept; ValueError where the setting is no such number."""
    text = (os.environ.get("NOTES_KEEP_DAYS") or "730").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 36_500):
        raise ValueError("NOTES_KEEP_DAYS must be a whole number of days, from 1 to 36500.")
    return int(text)


def holidays() -> Path | None:
    file = (os.environ.get("HOLIDAYS") or "").strip()
    return Path(file) if file else None


def class_cuts() -> Path | None:
    file = (os.environ.get("CLASS_CUTS") or "").strip()
    return Path(file) if file else None


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())
