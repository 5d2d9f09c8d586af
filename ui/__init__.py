"""The only shared Streamlit code: opening a page, the filters, the evidence under a chart."""

from ui.evidence import chart, evidence, heading, month_table, readable_table, say
from ui.filters import Weight, pick, segmented
from ui.loans import loan_list
from ui.page import (
    ICON,
    NOTHING_OPEN,
    View,
    basis_words,
    last_check,
    load,
    load_for,
    nothing_to_show,
    open_page,
    open_reference,
)
from ui.quality import (
    CONTRACT_TABLES,
    PAGES,
    load_history,
    missing_figures,
    reconciliation_strip,
)

__all__ = [
    "CONTRACT_TABLES",
    "ICON",
    "NOTHING_OPEN",
    "PAGES",
    "View",
    "Weight",
    "basis_words",
    "chart",
    "evidence",
    "heading",
    "last_check",
    "load",
    "load_for",
    "load_history",
    "loan_list",
    "missing_figures",
    "month_table",
    "nothing_to_show",
    "open_page",
    "open_reference",
    "pick",
    "readable_table",
    "reconciliation_strip",
    "say",
    "segmented",
]
