"""The auditor's report, a click away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

import streamlit as st

from charts import format as words
from queries import conduct_report as asked
from queries.conduct import months_with_attempts
from queries.marts import Book, Marts
from reports.conduct import conduct_report
from reports.parts import Report
from reports.pdf import pdf
from reports.workbook import workbook
from ui.page import View
from warehouse.engines import session
from warehouse.settings import warehouse_url

WAIT_SECONDS = 5.0  # for a load that holds the warehouse
LOOK_SECONDS = 120.0  # how long a server may look for the evidence
KEPT_SECONDS = 600.0  # so that the PDF is of the same rows as the workbook
FILES = {"Excel": (".xlsx", workbook), "PDF": (".pdf", pdf)}


def report_buttons(view: View, month: date) -> None:
    """Two downloads: the auditor's report of a month (its last day) of the whole book, as an Excel
    workbook and as a PDF, made when one is clicked; a sentence where the month has no contacts."""
    marts = view.marts
    if not asked.is_there(marts) or month not in months_with_attempts(marts):
        when = words.month(month)
        st.caption(f"There is no auditor's report of {when}: it has no outbound contacts.")
        return
    with st.container(horizontal=True, vertical_alignment="center", key="auditors_report"):
        for label, (ending, make) in FILES.items():
            st.download_button(
                f"Auditor's report, {label}",
                data=partial(_made, make, view, month),
                file_name=f"conduct-{month:%Y-%m}{ending}",
                on_click="ignore",
                key=f"auditors_report_{label}",
                icon=":material/download:",
            )
        st.caption(
            f"Of {words.month(month)} and the whole book, whatever is chosen above. The evidence is"
            " read from the warehouse: where it is being loaded the download fails; try again then."
        )


def _made(make: Callable[[Report], bytes], view: View, month: date) -> bytes:
    return make(_report(view.version, month, view.path, view.marts, view.book))


@st.cache_resource(max_entries=2, ttl=KEPT_SECONDS, show_spinner=False)
def _report(version: str, month: date, _path: Path, _marts: Marts, _book: Book) -> Report:
    """Cached by the published version and the month."""
    url = warehouse_url()
    with session(url, wait_seconds=WAIT_SECONDS) as facts:
        facts.snapshot()
        facts.limit(LOOK_SECONDS)
        return conduct_report(_marts, _book, _path.name, facts, month)
