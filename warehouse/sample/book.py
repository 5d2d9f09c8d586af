"""A synthetic book, made month by month: the order in which things happen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from warehouse.sample import (
    borrowers,
    collectors,
    complaints,
    contact_rows,
    contacts,
    costs,
    histories,
    lateness,
    legal,
    model,
    payments,
    placements,
    promises,
    register,
    resolution,
)
from warehouse.sample.model import Array
from warehouse.sample.months import EPOCH, Months, NoSuchBook
from warehouse.sample.state import CHARGED_OFF, OPEN, Climate, Work, World, join, new_state
from warehouse.sample.treatments import Change
from warehouse.sample.truths import Truths, write_truths
from warehouse.sample.truths_report import report
from warehouse.sample.write import BookWriter

STREAMS = (
    "customers", "loans", "staff", "climate", "start", "reminders", "lateness", "plans",
    "drawings", "placements", "resolution", "payments", "contacts", "contact_details",
    "other_contacts", "promises", "plans_agreed", "complaints", "surveys", "legal", "costs",
    "events", "weeks",
)  # fmt: skip


def _say_nothing(_: str) -> None:
    """Progress nobody asked for."""


def make_book(
    out_dir: Path,
    *,
    loans: int = 20_000,
    months: int = 24,
    seed: int = 7,
    last_month: date = date(2026, 6, 30),
    change: Change | None = None,
    progress: Callable[[str], None] = _say_nothing,
) -> None:
    """Write a synthetic lender's book: one Parquet file per contract table, and `truths.json`.

    The same seed gives the same rows.  `loans` is how many loans the book ever holds, about
    three quarters of them from its first month on; `last_month` is its last month-end.
    `change`: another strategy from a month of the book on; its truth is in `truths.json`, and the
    book before that month is the same as without it.
    Refuses fewer than 200 loans or two months, a last month that is not a month-end, and a change
    in a month that the book has not.
    """
    if loans < 200:
        raise NoSuchBook(f"a book needs at least 200 loans, not {loans}")
    world = make_world(loans, Months(last_month, months), seed, change or Change())
    weeks = complaints.make_weeks(world.streams["weeks"], world)
    ledger = histories.Ledger(months)
    with BookWriter(out_dir) as writer:
        borrowers.write_customers(writer, world.customers)
        borrowers.write_loans(writer, world.loans)
        collectors.write_agencies(writer, world.staff, world.months)
        collectors.write_collectors(writer, world.staff)
        costs.write_events(writer, world)
        for t in range(months):
            _make_month(writer, world, weeks, ledger, t)
            progress(f"month {t + 1} of {months}")
        register.write_cases(writer, world.register, world.staff)
        ledger.write(writer, world)
        settings = {"loans": loans, "months": months, "seed": seed, "last_month": str(last_month)}
        if change and change.month:
            settings["change"] = {"month": str(change.month), "log_odds": dict(change.channels)}
        write_truths(out_dir, report(world, settings, dict(writer.rows)))
    progress(f"{sum(writer.rows.values()):,} rows in {len(writer.rows)} tables")


def make_world(loans: int, months: Months, seed: int, change: Change) -> World:
    """Borrowers, loans, staff and climate on the day before the book begins."""
    seeds = np.random.SeedSequence(seed).spawn(len(STREAMS))
    streams = {
        name: np.random.Generator(np.random.SFC64(part))
        for name, part in zip(STREAMS, seeds, strict=True)
    }
    customers = borrowers.make_customers(streams["customers"], max(1, round(loans * 0.82)))
    book = borrowers.make_loans(streams["loans"], customers, loans, months)
    climate = Climate(
        season=model.SEASON[months.of_year],
        recession=model.recession(months.count),
        noise=model.noise(streams["climate"], months.count),
    )
    return World(
        months=months,
        customers=customers,
        loans=book,
        staff=collectors.make_staff(streams["staff"], loans, months),
        climate=climate,
        state=new_state(book, histories.months_late_at_start(streams["start"], book)),
        register=register.Register(),
        truths=Truths(months.count),
        streams=streams,
        change=change,
        change_at=_change_at(change, months),
        seed=seed,
    )


def _change_at(change: Change, months: Months) -> float:
    """The number of the first changed month."""
    if change.month is None:
        return np.inf
    ends = [EPOCH + timedelta(days=int(months.end(t))) for t in range(months.count)]
    if change.month not in ends:
        raise NoSuchBook(f"{change.month} is no month-end of the book, {ends[0]} to {ends[-1]}")
    return ends.index(change.month)


def _make_month(
    writer: BookWriter, world: World, weeks: complaints.Weeks, ledger: histories.Ledger, t: int
) -> None:
    """Loans move first; everything else that happened follows from how they moved."""
    state = world.state
    state.scheduled[:] = 0
    state.paid[:] = 0
    on_book = np.flatnonzero(state.status == OPEN)
    written_off = np.flatnonzero(state.status == CHARGED_OFF)
    late = on_book[state.months_late[on_book] > 0]
    current = on_book[state.months_late[on_book] == 0]
    placements.open_placements(world, t, late)
    worked = resolution.step(world, t, late)
    reminded = lateness.reminded_loans(world, t, current)
    queue, paid_on = lateness.step(world, t, current, reminded)
    fresh = histories.originate(world, t)
    rows = np.concatenate([on_book, fresh])
    histories.write_month(writer, world, t, rows)

    work = join([worked, queue])
    legal_fees = legal.write_legal_actions(writer, world, t, work)
    agency_cash = payments.write_payments(
        writer, ledger, world, t, current, paid_on, work, written_off
    )
    contact_cost = _write_conduct(writer, world, weeks, t, work, current[reminded])
    costs.write_costs(writer, world, t, contact_cost, legal_fees, agency_cash)
    ledger.close_month(world, t, rows, fresh)


def _write_conduct(
    writer: BookWriter, world: World, weeks: complaints.Weeks, t: int, work: Work, reminded: Array
) -> Array:
    """Contacts, and what came of them; returns the contacts' cost in cents by channel."""
    attempts = contacts.attempts_of_month(world, t, work, writer.rows["contacts"])
    contact_cost = contact_rows.write_attempts(writer, world, work, attempts)
    talks = np.unique(attempts.work[attempts.outcome >= contacts.RIGHT])
    contact_rows.write_others(writer, world, t, reminded, work, talks)
    promises.write_promises(writer, world, work, attempts)
    promises.write_plans(writer, world, t, work, talks)
    complaints.write_complaints(writer, world, weeks, work, attempts)
    complaints.write_surveys(writer, world, t, work)
    return contact_cost
