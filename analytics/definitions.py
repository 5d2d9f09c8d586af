"""What every number means: read from the docstrings of the functions that make them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from analytics import (
    changes,
    delinquency,
    flows,
    limits,
    mix_and_rate,
    reconciliation,
    roll_changes,
    states,
)
from analytics import roll_rates as rolls
from analytics.complaint_definitions import METRICS as _COMPLAINTS
from analytics.decision_definitions import METRICS as _DECISIONS
from analytics.recovery_definitions import METRICS as _RECOVERY
from analytics.segment_definitions import METRICS as _SEGMENTS
from analytics.simulator_definitions import METRICS as _SIMULATOR


@dataclass(frozen=True)
class Definition:
    """A metric or a concept: its name, where it is shown, and its text in paragraphs."""

    name: str
    pages: tuple[str, ...]
    paragraphs: tuple[str, ...]

    @property
    def question(self) -> str:
        return self.paragraphs[0]

    def mentions(self, words: str) -> bool:
        """Whether every word occurs in the name or the text, whatever its case."""
        text = " ".join((self.name, *self.pages, *self.paragraphs)).lower()
        return all(word in text for word in words.lower().split())

    def distance(self, words: str) -> int:
        """How far the name is from the words: 0 the same, 1 begins with them, 2 has them, 3 not."""
        name, wanted = self.name.lower(), " ".join(words.lower().split())
        if name == wanted:
            return 0
        return 1 if name.startswith(wanted) else 2 if wanted in name else 3


def paragraphs_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """The paragraphs of a docstring, without its examples; a refusal where there is none.

    >>> paragraphs_of(delinquency.herfindahl)[0][:40]
    'How concentrated is a total? The sum of '
    """
    text = inspect.getdoc(function)
    if not text:
        raise ValueError(f"{function.__name__} has no docstring to define it")
    kept = [part for part in text.split("\n\n") if not part.lstrip().startswith(">>>")]
    parts = [piece for part in kept for piece in _LABEL.split(part)]
    texts = [" ".join(part.split()) for part in parts if part.strip()]
    return tuple(text for text in texts if not text.startswith(_FOR_PROGRAMMERS))


# `Out:`, `Null:` and so on begin a paragraph of their own; what goes in is no reader's business.
_FOR_PROGRAMMERS = ("In: ",)
_WORDS = "In|Out|Null|Refuses|Misleads|Reference|References"
_LABEL = re.compile(rf"(?m)(?:^|(?<=\. ) ?|(?<=  ))(?=(?:{_WORDS}): )")


def with_bold_label(paragraph: str) -> str:
    """The paragraph in Markdown, with its label in bold.

    >>> with_bold_label("Null: no loans.")
    '**Null:** no loans.'
    """
    escaped = paragraph.replace("$", "\\$").replace("~", "\\~").replace("*", "\\*")
    return re.sub(rf"^({_WORDS}): ", r"**\1:** ", escaped)


_METRICS: tuple[tuple[str, tuple[str, ...], Callable[..., Any]], ...] = (
    ("Delinquency rate (30+, 60+, 90+)", ("Health", "Aging"), delinquency.delinquency_rates),
    ("Lagged delinquency rate", ("Aging",), delinquency.lagged_delinquency_rates),
    ("Bucket shares", ("Aging",), delinquency.bucket_shares),
    ("Charge-off rate", ("Health",), delinquency.charge_off_rates),
    ("Concentration (Herfindahl index)", ("Aging",), delinquency.herfindahl),
    ("Largest borrowers", ("Aging",), delinquency.concentration),
    ("Highest segment", ("Aging",), delinquency.highest_segment),
    ("Roll rate", ("Roll rates",), rolls.roll_rate_matrix),
    ("Forward, stay, backward, cure", ("Roll rates",), rolls.movements),
    ("Unmatched loans", ("Roll rates",), rolls.unmatched),
    ("Roll rates that really changed", ("Roll rates", "Health"), roll_changes.changed_cells),
    ("Net flow rate", ("Roll rates",), flows.net_flow_rates),
    ("Flow to loss", ("Roll rates",), flows.flow_to_loss),
    ("Product of net flow rates", ("Roll rates",), flows.flow_to_loss_product),
    ("Beyond noise", ("Health",), changes.latest_change),
    ("Fixed limits", ("Health",), limits.crossed_limits),
    ("Mix and rate", ("Health",), mix_and_rate.mix_and_rate),
    ("Four grades", ("Roll rates",), states.four_grades),
    ("Regulatory classes", ("Roll rates",), states.regulatory_classes),
    ("Reconciliation in loans", ("Health", "Data quality"), reconciliation.loan_flow),
    ("Reconciliation in money", ("Health", "Data quality"), reconciliation.money_flow),
    ("Payments and histories", ("Data quality",), reconciliation.payment_differences),
    ("General ledger", ("Data quality",), reconciliation.ledger_differences),
)

_CONCEPTS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    (
        "Days past due",
        ("Aging", "Roll rates"),
        (
            "How late is a loan?",
            "As-of date minus the due date of the oldest unpaid instalment. The warehouse gives"
            " it; the product never derives it.",
        ),
    ),
    (
        "Buckets",
        ("Aging", "Roll rates"),
        (
            "In which step of lateness is a loan?",
            "Current is 0 days; then 1-30, 31-60, ... to 361 and more. Every day falls in exactly"
            " one bucket. The upper bounds are a setting of the refresh (29, 59, 89 is the other"
            " common edge).",
            "Where the book says how many instalments were missed, that number is the bucket: 1 is"
            " 1-30. Month-ends are 28 to 31 days apart, so by days alone a loan due on 1 July is"
            " 30 days late in July and 61 in August, a skip that never happened.",
            "Charged off, paid off and sold are states beside the buckets.",
        ),
    ),
    (
        "MBA and OTS",
        ("Aging", "Roll rates"),
        (
            "Why do two lenders call the same loan one month late, and not late?",
            "Under the MBA method a loan is 30 days late when its payment is not in by the last day"
            " of the month in which it was due; under OTS, when it is not in by the next due date."
            " A loan due on 1 July and unpaid is one month late on 31 July under MBA and current"
            " under OTS; two months and one month on 31 August. The method is the warehouse's:"
            " these pages show what it gives.",
        ),
    ),
    (
        "Balance as a weight",
        ("Health", "Aging", "Roll rates"),
        (
            "What does a share of the balance mean?",
            "Each loan counts by its balance; roll rates use the balance at the start of the month."
            " A balance below zero counts as zero and is listed under Data quality. A book without"
            " balances is counted, not weighed.",
        ),
    ),
    (
        "Intervals",
        ("Health", "Aging", "Roll rates"),
        (
            "How sure is a rate?",
            "Shown intervals hold the true rate in 95 of 100 cases. A count in one month: Wilson."
            " Money: a ratio estimator with the loan as its unit, so one large loan makes a wide"
            " interval. A window of months: the month is the unit, since the same loans return.",
            "Below 30 loans a figure is drawn hollow: it is shown, not trusted.",
        ),
    ),
)

_ALL = _METRICS + _RECOVERY + _COMPLAINTS + _SEGMENTS + _SIMULATOR + _DECISIONS


def definitions() -> tuple[Definition, ...]:
    """Every definition, by name."""
    made = [
        *[Definition(name, pages, paragraphs_of(function)) for name, pages, function in _ALL],
        *[Definition(name, pages, paragraphs) for name, pages, paragraphs in _CONCEPTS],
    ]
    return tuple(sorted(made, key=lambda one: one.name.lower()))


def found_definitions(words: str) -> list[Definition]:
    """The definitions that mention every word, those named so first, then by name."""
    found = [one for one in definitions() if one.mentions(words)]
    return sorted(found, key=lambda one: one.distance(words))


def definitions_page() -> str:
    """docs/metrics.md."""
    lines = [
        "# What every number means",
        "",
        "Made by `python -m warehouse metrics` from the code's docstrings; do not edit by hand.",
    ]
    for one in definitions():
        lines += ["", f"## {one.name}", "", f"*{one.question}* Shown on: {', '.join(one.pages)}."]
        for paragraph in one.paragraphs[1:]:
            lines += ["", paragraph]
    return "\n".join([*lines, ""])
