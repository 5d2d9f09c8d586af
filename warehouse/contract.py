"""The warehouse contract: sixteen tables with one meaning each.

A lender fills these tables with files (`python -m warehouse load`) or presents
them as views in a warehouse of their own.  Each column's `info` says what a
value must be; the loader and the data-quality checks read it from here, so a
rule is written once.

Conventions: ids are opaque text; a `month` is a month-end date; times have no
zone and are on the debtor's clock; money ends in `_amount` and is
NUMERIC(18,2) in one currency; rates (`_rate`) are 0..1; days end in `_days`.

Column `info` keys
    key         part of the row's key
    codes       the allowed values
    references  "table.column" that must hold the value
    default     what a missing column or null becomes
    minimum, maximum, above   numeric limits (`above` is exclusive)
    month_end   the date must be the last day of its month
    future      the date may lie after the load date
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
)

contract = MetaData()

STATUSES = ("open", "paid_off", "charged_off", "sold")
TERMINAL = STATUSES[1:]
CHANNELS = (
    "sms",
    "app_push",
    "messenger",
    "email",
    "letter",
    "voice_bot",
    "call",
    "visit",
    "mediation",
)
RIGHT_PARTY = ("right_party", "promise", "refusal", "dispute")


def _column(name: str, type_: Any, *, null: bool = False, **info: Any) -> Column[Any]:
    return Column(name, type_, nullable=null, info=info)


def _key(name: str, type_: Any = Text, **info: Any) -> Column[Any]:
    return _column(name, type_, key=True, **info)


def _text(name: str, **info: Any) -> Column[Any]:
    return _column(name, Text, **info)


def _code(name: str, *codes: str, null: bool = False) -> Column[Any]:
    return _column(name, Text, null=null, codes=codes)


def _money(name: str, *, null: bool = False, **info: Any) -> Column[Any]:
    return _column(name, Numeric(18, 2), null=null, **info)


def _rate(name: str, *, null: bool = False, maximum: float | None = 1.0) -> Column[Any]:
    return _column(name, Double, null=null, minimum=0.0, maximum=maximum)


def _flag(name: str, *, null: bool = False) -> Column[Any]:
    return _column(name, Boolean, null=null, **({} if null else {"default": False}))


def _day(name: str, *, null: bool = False, **info: Any) -> Column[Any]:
    return _column(name, Date, null=null, **info)


def _time(name: str, *, null: bool = False) -> Column[Any]:
    return _column(name, DateTime, null=null)


def _loan(**info: Any) -> Column[Any]:
    return _column("loan_id", Text, references="loans.loan_id", **info)


def _case(*, null: bool = True) -> Column[Any]:
    return _column("case_id", Text, null=null, references="cases.case_id")


def _customer() -> Column[Any]:
    return _column("customer_id", Text, null=True, references="customers.customer_id")


def _collector() -> Column[Any]:
    return _column("collector_id", Text, null=True, references="collectors.collector_id")


def _agency() -> Column[Any]:
    return _column("agency_id", Text, null=True, references="agencies.agency_id")


customers = Table(
    "customers",
    contract,
    _key("customer_id"),
    _text("region"),
    _text("industry", null=True),
    _text("income_band", null=True),
    _code("preferred_channel", *CHANNELS, null=True),
    _flag("is_vulnerable"),
)

loans = Table(
    "loans",
    contract,
    _key("loan_id"),
    _customer(),
    _text("product"),
    _day("originated_on", null=True),
    _money("principal_amount", null=True, minimum=0),
    _rate("annual_rate", null=True, maximum=None),
    _column("term_months", Integer, null=True, above=0),
    _text("risk_grade", null=True),
    _column("score", Double, null=True),
    _flag("is_secured"),
    _money("collateral_amount", null=True, minimum=0),
)

loan_months = Table(
    "loan_months",
    contract,
    _loan(key=True),
    _key("month", Date, month_end=True),
    _column("days_past_due", Integer, minimum=0),
    _column("months_past_due", Integer, null=True, minimum=0),
    _money("balance_amount", null=True),
    _money("overdue_amount", null=True),
    _money("scheduled_amount", null=True),
    _money("paid_amount", null=True),
    _code("status", *STATUSES),
    _flag("is_restructured"),
    _text("risk_grade", null=True),
    _column("score", Double, null=True),
)

agencies = Table(
    "agencies",
    contract,
    _key("agency_id"),
    _text("name"),
    _rate("commission_rate"),
    _day("contract_from_on", future=True),
    _day("contract_to_on", null=True, future=True),
    _day("listed_from_on", null=True, future=True),
    _day("listed_to_on", null=True, future=True),
)

collectors = Table(
    "collectors",
    contract,
    _key("collector_id"),
    _text("team"),
    _agency(),
    _day("hired_on", null=True),
    _money("monthly_cost_amount", null=True, minimum=0),
    _column("hours_per_month", Double, null=True, minimum=0.0),
)

cases = Table(
    "cases",
    contract,
    _key("case_id"),
    _loan(),
    _text("episode_id", null=True),
    _collector(),
    _text("team", null=True),
    _agency(),
    _day("opened_on"),
    _day("closed_on", null=True),
    _column("opening_days_past_due", Integer, minimum=0),
    _money("placed_amount", above=0),
    _money("placed_balance_amount", null=True),
    _text("strategy", null=True),
    _text("trial_arm", null=True),
    _code(
        "close_reason",
        "cured",
        "paid_off",
        "settled",
        "restructured",
        "charged_off",
        "sold",
        "transferred",
        null=True,
    ),
    _code(
        "delinquency_reason",
        "hardship",
        "forgot",
        "dispute",
        "misunderstanding",
        "unwilling",
        "unreachable",
        "fraud",
        null=True,
    ),
)

contacts = Table(
    "contacts",
    contract,
    _key("contact_id"),
    _loan(),
    _case(),
    _code("direction", "outbound", "inbound"),
    _code("channel", *CHANNELS),
    _collector(),
    _time("contacted_at"),
    _text("contact_point", null=True),
    _code("party", "debtor", "third_party", "unknown"),
    _code(
        "outcome",
        "no_answer",
        "invalid",
        "delivered",
        "opened",
        "link_clicked",
        "third_party_reached",
        *RIGHT_PARTY,
    ),
    _column("duration_seconds", Integer, null=True, minimum=0),
    _money("cost_amount", null=True, minimum=0),
    _flag("is_recorded", null=True),
    _flag("has_consent", null=True),
)

promises = Table(
    "promises",
    contract,
    _key("promise_id"),
    _case(null=False),
    _column("contact_id", Text, null=True, references="contacts.contact_id"),
    _day("promised_on"),
    _day("due_on", future=True),
    _money("promised_amount", above=0),
    _flag("is_written"),
    _day("cancelled_on", null=True),
)

plans = Table(
    "plans",
    contract,
    _key("plan_id"),
    _loan(),
    _case(),
    _code(
        "kind", "instalment", "deferral", "rate_cut", "term_extension", "settlement", "restructure"
    ),
    _day("agreed_on"),
    _money("plan_amount", minimum=0),
    _day("ended_on", null=True),
    _code("end_reason", "completed", "broken", null=True),
)

payments = Table(
    "payments",
    contract,
    _key("payment_id"),
    _loan(),
    _case(),
    _day("paid_on"),
    _money("amount"),
    _code(
        "source",
        "voluntary",
        "pay_link",
        "collector",
        "agency",
        "legal",
        "collateral",
        "sale",
        null=True,
    ),
)

legal_actions = Table(
    "legal_actions",
    contract,
    _key("action_id"),
    _case(null=False),
    _code(
        "action",
        "formal_letter",
        "filing",
        "judgment",
        "enforcement",
        "collateral_appraisal",
        "collateral_sale",
        "bureau_report",
    ),
    _day("acted_on"),
    _money("fee_amount", minimum=0),
    _money("proceeds_amount", null=True),
    _money("appraised_amount", null=True),
)

complaints = Table(
    "complaints",
    contract,
    _key("complaint_id"),
    _customer(),
    _case(),
    _column("contact_id", Text, null=True, references="contacts.contact_id"),
    _time("received_at"),
    _code("intake", "hotline", "app", "branch", "social", "regulator"),
    _code(
        "category",
        "service",
        "information",
        "amount",
        "frequency",
        "hours",
        "privacy",
        "third_party",
        "harassment",
        "threat",
        "other",
    ),
    _column("grade", Integer, minimum=1, maximum=4),
    _time("acknowledged_at", null=True),
    _time("responded_at", null=True),
    _time("resolved_at", null=True),
    _code("outcome", "upheld", "partly_upheld", "not_upheld", "withdrawn", null=True),
    _code("deadline_class", "normal", "complex", "special", null=True),
    _time("appealed_at", null=True),
    _code("appeal_outcome", "confirmed", "reversed", null=True),
    _money("compensation_amount", null=True),
)

surveys = Table(
    "surveys",
    contract,
    _key("survey_id"),
    _customer(),
    _case(),
    _day("surveyed_on"),
    _column("satisfaction", Integer, minimum=1, maximum=5),
)

costs = Table(
    "costs",
    contract,
    _key("month", Date, month_end=True),
    _column(
        "kind",
        Text,
        key=True,
        codes=(
            "labour",
            "system",
            "telecom",
            "legal",
            "agency",
            "bonus",
            "training",
            "other",
        ),
    ),
    _column("team", Text, null=True, key=True),
    _column("channel", Text, null=True, key=True, codes=CHANNELS),
    _money("amount"),
    _column("is_one_off", Boolean, key=True, default=False),
)

events = Table(
    "events",
    contract,
    _key("event_id"),
    _day("occurred_on"),
    _code(
        "kind",
        "training",
        "suspension",
        "vetting",
        "confidentiality_signed",
        "spot_check",
        "audit_finding",
        "remediation",
    ),
    _collector(),
    _agency(),
    _flag("is_passed", null=True),
)

ledger_totals = Table(
    "ledger_totals",
    contract,
    _key("month", Date, month_end=True),
    _key("product"),
    _column("measure", Text, key=True, codes=("balance", "payments", "charged_off", "new_loans")),
    _money("amount"),
)

REQUIRED = ("loans", "loan_months")

# Only engines with secondary indexes get these; DuckDB is fast without.
indexes = (
    Index("loan_months_month_loan", loan_months.c.month, loan_months.c.loan_id, unique=True),
    Index("loan_months_loan_month", loan_months.c.loan_id, loan_months.c.month),
    Index(
        "loan_months_terminal",
        loan_months.c.loan_id,
        loan_months.c.month,
        postgresql_where=loan_months.c.status != "open",
    ),
    Index("loans_loan", loans.c.loan_id, unique=True),
    Index("customers_customer", customers.c.customer_id, unique=True),
    Index("cases_case", cases.c.case_id, unique=True),
    Index("cases_loan", cases.c.loan_id),
    Index("contacts_contact", contacts.c.contact_id, unique=True),
    Index("payments_payment", payments.c.payment_id, unique=True),
    Index("payments_paid_on", payments.c.paid_on, payments.c.loan_id),
)

# What the loader keeps about itself, beside the facts and outside the contract:
# which load touched which month, so that a refresh recomputes those and no others.
bookkeeping = MetaData()

loads = Table(
    "warehouse_loads",
    bookkeeping,
    Column("load_id", Integer, nullable=False),
    Column("loaded_at", DateTime, nullable=False),
    Column("source", Text, nullable=False),
    Column("is_synthetic", Boolean, nullable=False),
    Column("report", Text, nullable=False),  # JSON: rows by table, changes, restatements
)

load_months = Table(
    "warehouse_load_months",
    bookkeeping,
    Column("load_id", Integer, nullable=False),
    Column("month", Date, nullable=False),
)

# The same for the recovery marts. part: `cohort` (cases opened in the month) or `month`; and
# for contact rules: `conduct`.
load_recovery = Table(
    "warehouse_load_recovery",
    bookkeeping,
    Column("load_id", Integer, nullable=False),
    Column("part", Text, nullable=False),
    Column("month", Date, nullable=False),
)


def key_columns(table: Table) -> list[Column[Any]]:
    """The columns that identify a row, in order."""
    return [column for column in table.columns if column.info.get("key")]
