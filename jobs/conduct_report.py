"""The auditor's report as a command: from the published marts and the facts to files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb

from queries.marts import open_marts, read_book
from reports.conduct import BREACHES, conduct_report
from reports.files import files_of, write
from reports.parts import ReportRefused
from warehouse.engines import session
from warehouse.published import current_version


def write_conduct_report(
    url: str,
    folder: Path,
    month: date,
    to: Path,
    *,
    breaches: int = BREACHES,
    progress: Callable[[str], None] = lambda _: None,
    wait_seconds: float = 60.0,
) -> tuple[tuple[Path, ...], str]:
    """Write the report of a month; the files, and the fingerprint of their data."""
    files = files_of(to)
    path = current_version(folder)
    if path is None:
        raise ReportRefused("there are no published marts; run `python -m warehouse refresh`.")
    try:
        marts = open_marts(path)
    except duckdb.Error as error:
        raise ReportRefused("the published marts cannot be read; run `python -m warehouse"
                            " refresh`.") from error  # fmt: skip
    try:
        with session(url, wait_seconds=wait_seconds) as facts:
            facts.snapshot()
            report = conduct_report(
                marts, read_book(marts), path.name, facts, month, breaches=breaches,
                progress=progress,
            )  # fmt: skip
    finally:
        marts.close()
    progress("writing")
    write(report, files)
    return files, report.fingerprint
