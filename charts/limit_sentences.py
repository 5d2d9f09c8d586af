"""Limits in words: what they cost, which cannot be kept, what the best mix brings."""

from __future__ import annotations

import polars as pl

from charts.format import chance, listing, number
from charts.sentences import plural
from charts.strategy_sentences import Row, interval, money

_LIMITS = {
    "hours": "the collectors' hours",
    "budget": "the budget for contacts and suits",
    "complaints": "the complaints allowed",
    "attempts": "the attempts allowed",
}


def limit_name(code: str) -> str:
    return _LIMITS.get(code, code.replace("_", " "))


def price_sentences(
    limits: pl.DataFrame, *, months: int, collector: float | None = None
) -> list[str]:
    """What one more of each scarce thing is worth over all `months`: shadow prices in words.

    `limits`: `limit`, `at_most`, `used`, `price`, `binds`, all a month; a price is what one more a
    month brings over all `months`.  `collector`: what one whole collector more brings over them.
    """
    over = f"over these {plural(months, 'month')}"
    lines = []
    for row in limits.iter_rows(named=True):
        if not row["binds"] or row["price"] <= 0:
            left = row["at_most"] - row["used"]
            if left > 0:
                lines.append(
                    f"{limit_name(row['limit']).capitalize()} are not used up:"
                    f" {number(row['used'])} of {number(row['at_most'])} a month."
                    if row["limit"] != "budget"
                    else f"The budget is not used up: {money(row['used'])} of"
                    f" {money(row['at_most'])} a month."
                )
        elif row["limit"] == "hours":
            lines.append(f"One more collector would bring {money(collector)} {over}, before pay.")
        elif row["limit"] == "complaints":
            lines.append(
                f"One complaint a month fewer allowed costs about {money(row['price'])} {over}."
            )
        elif row["limit"] == "budget":
            each = number(row["price"] / months, decimals=2)
            lines.append(f"Each unit of currency more in the budget brings {each} beyond itself.")
        else:
            lines.append(
                f"One a month more of {limit_name(row['limit'])} brings {money(row['price'])}"
                f" {over}."
            )
    return lines


def infeasible_sentences(limits: pl.DataFrame) -> list[str]:
    """Which limits cannot be kept, and by how much."""
    found = [
        f"{limit_name(row['limit'])} ({_size(row['limit'], row['at_most'])} a month): at least"
        f" {_size(row['limit'], row['least'])} is needed, {_size(row['limit'], row['beyond'])} more"
        for row in limits.iter_rows(named=True)
    ]
    return [f"No mix keeps all limits. What must give way: {listing(found)}."]


def _size(limit: str, value: float) -> str:
    if limit == "budget":
        return money(value)
    return number(value, decimals=0 if value >= 100 else 1 if value >= 1 else 2)


def mix_sentences(planned: float, simulated: Row, pay: float) -> list[str]:
    """What the best mix brings by the programme, and when it is simulated."""
    if simulated["p_better"] is None:
        return ["Nothing within the limits brings more than what is done now."]
    low, high = float(simulated["low"]), float(simulated["high"])
    before = float(simulated["mean"]) + pay
    lines = [
        f"The best mix brings {money(planned)} before pay by the programme; simulated with all that"
        f" is uncertain it brings {money(before)} before pay"
        + (f", {money(float(simulated['mean']))} after" if abs(pay) > 0.5 else "")
        + f" ({interval(low, high)}, better than now with a chance of"
        f" {chance(float(simulated['p_better']))})."
    ]
    if before < 0.7 * planned:
        lines.append("The programme promises more than the simulation keeps: trust the second.")
    return lines
