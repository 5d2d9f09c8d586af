"""The table of contents: which pages there are, and in which order."""

import streamlit as st

import ui

st.set_page_config(
    page_title="Collections", page_icon=ui.ICON, layout="wide", initial_sidebar_state="auto"
)

st.navigation(
    {
        "Portfolio": [
            st.Page("pages/portfolio/health.py", title="Health", default=True),
            st.Page("pages/portfolio/aging.py", title="Aging", url_path="aging"),
            st.Page("pages/portfolio/roll_rates.py", title="Roll rates", url_path="roll_rates"),
        ],
        "Recovery": [
            st.Page("pages/recovery/recovery.py", title="Recovery", url_path="recovery"),
            st.Page("pages/recovery/collectors.py", title="Collectors", url_path="collectors"),
            st.Page("pages/recovery/channels.py", title="Channels", url_path="channels"),
            st.Page("pages/recovery/agencies.py", title="Agencies", url_path="agencies"),
        ],
        "Conduct": [
            st.Page("pages/conduct/complaints.py", title="Complaints", url_path="complaints"),
            st.Page(
                "pages/conduct/contact_rules.py", title="Contact rules", url_path="contact_rules"
            ),
        ],
        "Strategy": [
            st.Page("pages/strategy/segments.py", title="Segments", url_path="segments"),
            st.Page("pages/strategy/simulator.py", title="Simulator", url_path="simulator"),
            st.Page("pages/strategy/decisions.py", title="Decisions", url_path="decisions"),
        ],
        "Reference": [
            st.Page("pages/reference/definitions.py", title="Definitions", url_path="definitions"),
            st.Page(
                "pages/reference/data_quality.py", title="Data quality", url_path="data_quality"
            ),
        ],
    },
    expanded=True,
).run()
