"""The desk for a trial: how many accounts it needs, when it stops, and what one has shown."""

from __future__ import annotations

import polars as pl
import streamlit as st

import ui
from analytics.trial_complaints import rise_noticed, stop_limits
from analytics.trials import accounts_needed, difference_found, trial_shows, weeks_needed
from charts import trial_sentences as sentences
from figures.trials import (
    HORIZONS,
    MOST_ACCOUNTS,
    Plan,
    Start,
    Wish,
    count_problems,
    planned,
    trial_start,
    wish_problems,
)

SHARE = 0.3  # where the book does not say how many resolve
HOPED = 3  # points above today's share, until the reader says otherwise
HELP = {
    "power": "The probability that the trial finds the difference, if there is one.",
    "error": "The probability that the trial finds one where there is none; two-sided.",
    "in_trial": "The share of the new cases that is drawn into one of the two arms.",
    "attempts": "While it is in the trial. Filled in: attempts of the book for each new case.",
}
PERCENT = ("share", "hoped", "power", "error", "in_trial")
COUNTS = (
    ("new_resolved", "New way: resolved", 330),
    ("new_accounts", "New way: accounts", 1000),
    ("resolved", "Present way: resolved", 300),
    ("accounts", "Present way: accounts", 1000),
)


def plan(view: ui.View) -> None:
    """How many accounts, for how long, and what would be noticed of complaints."""
    ui.heading(
        "How big must a trial be?",
        "Two arms, drawn at random: the present way and the new one. Filled in with this book's"
        " last twelve months; every field can be changed.",
    )
    within = ui.segmented(
        "Resolved within", tuple(f"{days} days" for days in HORIZONS), key="trial_days"
    )
    days = int(within.split()[0])
    wish = _wish(trial_start(view, days), days)
    if wish is None:
        st.info("The answer comes as soon as every field can be right.", icon=":material/edit:")
        return
    found = planned(wish)
    if found.accounts > MOST_ACCOUNTS:
        st.warning(sentences.too_small_sentence(found.accounts), icon=":material/warning:")
        return
    ui.say(
        [
            sentences.needed_sentence(
                wish.share,
                wish.hoped,
                found.accounts,
                power=wish.power,
                weeks=found.weeks,
                is_known=wish.new_a_week is not None,
            )
        ]
    )
    ui.readable_table(found.sizes, alt="Smaller and larger trials: the smallest rise each finds")
    ui.evidence("trial_size", found.sizes, accounts_needed, difference_found, weeks_needed)
    _guard_rail(wish, found)


def _wish(start: Start, days: int) -> Wish | None:
    """The fields, each with what is wrong with it beside it; None until all can be right."""
    share = SHARE if start.share is None else start.share
    fields = (
        ("share", "Resolved today, %", share * 100, 1.0, "%.1f"),
        ("hoped", "Hoped for, %", min(100 * share + HOPED, 99), 1.0, "%.1f"),
        ("power", "Found if true, %", 80.0, 5.0, "%.0f"),
        ("error", "Found if not true, %", 5.0, 1.0, "%.1f"),
        ("new_a_week", "New cases a week", start.new_a_week, 10.0, "%.0f"),
        ("in_trial", "Of them in the trial, %", 100.0, 10.0, "%.0f"),
        ("complaints", "Complaints per 1,000 attempts", start.complaints, 0.1, "%.2f"),
        ("attempts", "Attempts on an account", start.attempts, 1.0, "%.1f"),
    )
    cells, typed = {}, {}
    with st.container(horizontal=True, key="trial_fields"):
        for name, label, value, step, shape in fields:
            cells[name] = st.container(width=168)
            with cells[name]:
                number: float | None = st.number_input(
                    label,
                    value=None if value is None else round(float(value), _decimals(shape)),
                    step=step,
                    format=shape,
                    key=f"trial_{name} {days}",
                    placeholder="Not known",
                    help=HELP.get(name),
                )
            typed[name] = number / 100 if number is not None and name in PERCENT else number
    problems = wish_problems(typed)
    for name, said in problems.items():
        with cells[name]:
            st.error(said, icon=":material/error:")
    return None if problems else Wish(**typed, days=days)  # type: ignore[arg-type]


def _decimals(shape: str) -> int:
    """A field begins with what it shows, so that what is typed beside it can be the same."""
    return int(shape[2])


def _guard_rail(wish: Wish, found: Plan) -> None:
    """Complaints: what the trial would notice, and when it stops."""
    st.subheader("Complaints as its guard-rail", anchor=False)
    if found.limits is None or found.attempts is None or wish.complaints is None:
        st.caption("Give complaints and attempts above to see which rise the trial would notice.")
        return
    st.markdown(sentences.rise_sentence(wish.complaints, found.rise, found.attempts))
    rule = sentences.stop_sentences(found.limits.tail(3).to_dicts())
    st.markdown("\n".join(f"- {one}" for one in rule))
    ui.evidence("trial_complaints", found.limits, rise_noticed, stop_limits)


def read() -> None:
    """What a trial has shown."""
    ui.heading(
        "What does a trial show?",
        "Accounts and how many of them resolved, in each arm, once all have had their days.",
    )
    cells, typed = {}, {}
    with st.container(horizontal=True, key="shown_fields"):
        for name, label, value in COUNTS:
            cells[name] = st.container(width=168)
            with cells[name]:
                count: int | None = st.number_input(
                    label, value=value, step=1, key=f"shown_{name}", placeholder="None yet"
                )
            typed[name] = count
    problems = count_problems(typed)
    for name, said in problems.items():
        with cells[name]:
            st.error(said, icon=":material/error:")
    if not problems:
        _shown(*(typed[name] or 0 for name, *_ in COUNTS))


def _shown(new_resolved: int, new_accounts: int, resolved: int, accounts: int) -> None:
    shown = trial_shows(new_resolved, new_accounts, resolved, accounts)
    ui.say([sentences.shown_sentence(shown)])
    share, least = resolved / accounts, min(accounts, new_accounts)
    if 0.001 <= share <= 0.999 and least > 1:
        found = difference_found(share, least)
        st.markdown(sentences.found_sentence(least, share, found, power=0.8))
    frame = pl.DataFrame(
        {
            "arm": ["new way", "present way"],
            "resolved": [new_resolved, resolved],
            "accounts": [new_accounts, accounts],
        }
    ).with_columns(share=pl.col("resolved") / pl.col("accounts"))
    difference = {"arm": ["difference"], "difference": [shown.difference]}
    difference |= {"lowest_difference": [shown.low], "highest_difference": [shown.high]}
    table = pl.concat([frame, pl.DataFrame(difference)], how="diagonal")
    ui.evidence("trial_shows", table, trial_shows, difference_found)
