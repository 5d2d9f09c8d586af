"""The only shared Streamlit code: opening a page, the filters, the evidence under a chart."""

from ui.complaint_desk import follow_up_complaint
from ui.complaint_queue import queue_columns
from ui.conduct import deadline_pack, open_conduct_page
from ui.decide import decide
from ui.decision_notes import decision_notes, may_see, open_simulator
from ui.evidence import chart, evidence, heading, month_table, readable_table, say
from ui.filters import Weight, find, pick, segmented, tabs
from ui.loans import loan_list
from ui.page import (
    ICON,
    NOTHING_OPEN,
    View,
    basis_words,
    drill,
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
    say_missing,
)
from ui.recovery import cohort_words, open_recovery_page
from ui.targets import edit_targets, read_targets, target_changes, target_table, target_tile
from ui.tiles import tile

__all__ = [
    "CONTRACT_TABLES",
    "ICON",
    "NOTHING_OPEN",
    "PAGES",
    "View",
    "Weight",
    "basis_words",
    "chart",
    "cohort_words",
    "deadline_pack",
    "decide",
    "decision_notes",
    "drill",
    "edit_targets",
    "evidence",
    "find",
    "follow_up_complaint",
    "heading",
    "last_check",
    "load",
    "load_for",
    "load_history",
    "loan_list",
    "may_see",
    "missing_figures",
    "month_table",
    "nothing_to_show",
    "open_conduct_page",
    "open_page",
    "open_recovery_page",
    "open_reference",
    "open_simulator",
    "pick",
    "queue_columns",
    "read_targets",
    "readable_table",
    "reconciliation_strip",
    "say",
    "say_missing",
    "segmented",
    "tabs",
    "target_changes",
    "target_table",
    "target_tile",
    "tile",
]
