"""Where things are, from the environment; read once per call, never cached.

WAREHOUSE_URL  the lender's facts: any SQLAlchemy URL (default: a DuckDB file in ./var)
MARTS_PATH     the folder of the marts (default: ./var/marts)
APP_DATABASE_URL  what the app itself keeps: any SQLAlchemy URL (default: SQLite with the marts)
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
