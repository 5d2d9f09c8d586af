"""Channels: at what price, and who gets the credit?"""

from __future__ import annotations

import polars as pl
import streamlit as st

import ui
from analytics.channel_costs import COST_REASONS, channel_costs
from analytics.channels import attribution_totals, channel_concentration
from analytics.raw_and_adjusted import left_alone
from charts import channel_steps, price_sentences
from charts import channel_words as named
from charts import format as words
from charts.prices import prices
from figures import channel_frames as frames
from figures import channel_work as activity
from figures.channels import STAGES, Figures


def show_costs(found: Figures, stage: str) -> None:
    """At what price: an attempt, one more resolved case, one more unit of cash."""
    st.subheader("At what price?", anchor=False)
    costs = found.costs
    if not found.work["attempts"].sum():
        st.markdown("No attempt was made in these months, so there is no price.")
        return
    if not costs["attempts"].sum():
        st.markdown(
            "What attempts cost is not recorded (`contacts.cost_amount`), so there is no price."
        )
        return
    st.markdown(price_sentences.cost_sentence(costs, stage))
    stage_costs = costs.filter(pl.col("stage") == stage)
    drawn = costs.filter(pl.col("cost_per_resolved").is_not_null()).select(
        name=pl.col("arm").replace(named.CHANNELS)
        + ", "
        + pl.col("stage").replace(named.STAGES).str.split(" ").list.first().str.to_lowercase(),
        value=pl.col("cost_per_resolved") * 100,
        low=pl.max_horizontal("cost_per_resolved_low", pl.col("cost_per_resolved") / 100) * 100,
        high=pl.col("cost_per_resolved_high") * 100,
        is_small="is_small",
        is_thin=(pl.col("overlap") == "thin").fill_null(value=False),
        loans="treated_cases",
        stage=pl.col("stage").replace_strict(STAGES, range(len(STAGES)), return_dtype=pl.Int64),
    )
    if drawn.height:
        drawn = drawn.filter(pl.col("value") > 0).sort("stage", "value")
        ui.heading(
            "Cost of one more resolved case",
            "Currency, by channel and stage: what the channel's attempts on a case cost by day 7,"
            " over the adjusted effect. With 95 % interval (Fieller); only where the effect is"
            " surely above 0; broken where overlap is thin, hollow: few cases. Equal distances are"
            " equal ratios. Stages are not alike: compare channels within one.",
        )
        ui.chart(
            drawn,
            prices(drawn["name"].to_list(), alt="Cost of one more resolved case."),
            key="costs",
        )
    ui.heading(
        f"Price by channel, {named.stage(stage).removeprefix('in the ')}",
        "Currency, with 95 % intervals. Of an attempt in the chosen months; of one more case"
        " resolved and of one more unit of cash, among the cases that the effects are fitted on.",
    )
    st.dataframe(
        _prices(stage_costs),
        hide_index=True,
        placeholder=words.MISSING,
        alt="Price by channel",
        column_config={
            name: st.column_config.NumberColumn(
                head,
                format="localized",
                step=10.0 ** -_DECIMALS.get(name, 2),
                width=_width(stage_costs[name], head, _DECIMALS.get(name, 2)),
            )
            for name, head in _HEADS.items()
        },
    )
    ui.evidence("channel_costs", frames.costs_table(costs), channel_costs, of="price")


def _prices(costs: pl.DataFrame) -> pl.DataFrame:
    """Costs in words where they have a reason, in numbers where they have none."""
    of_cash = pl.lit("Of cash: ") + pl.col("cost_per_cash_reason").replace(COST_REASONS)
    why = pl.coalesce(pl.col("cost_per_resolved_reason").replace(COST_REASONS), of_cash)
    return costs.select(
        pl.col("arm").replace(named.CHANNELS).alias("Channel"),
        *_HEADS,
        why.fill_null("").alias("Why not"),
    )


def _width(values: pl.Series, head: str, decimals: int) -> int:
    """Pixels for the longest number or the head, so that a narrow grid scrolls and cuts none."""
    written = [len(f"{value:,.{decimals}f}") for value in values.drop_nulls()]
    return 26 + 7 * max(len(head), *written, 0)


_DECIMALS = {"cost_per_attempt": 3} | {f"cost_per_cash{end}": 4 for end in ("", "_low", "_high")}
_HEADS = {
    "cost_per_attempt": "An attempt",
    "cost_per_resolved": "A case resolved",
    "cost_per_resolved_low": "From",
    "cost_per_resolved_high": "To",
    "cost_per_cash": "A unit of cash",
    "cost_per_cash_low": "From",
    "cost_per_cash_high": "To",
}


def show_cash(found: Figures) -> None:
    """What comes by itself, whose cash it is called, and through how few channels."""
    st.subheader("What would come by itself, and who gets the credit?", anchor=False)
    of_doses = found.effects.compared.filter(pl.col("question") == "dose", pl.col("cases") > 0)
    lines = price_sentences.self_cure_sentences(
        activity.self_cure(found.cash),
        found.effects.alone,
        stages=[stage for stage in STAGES if stage in set(of_doses["stage"])],
    )
    lines.append(price_sentences.totals_sentence(found.totals))
    st.markdown(" ".join(lines))
    if found.totals.height:
        ui.heading(
            "Cash by channel under three rules",
            "Currency, in the chosen months: the last contact that reached the debtor in the 14"
            " days before a payment, the first, or all of them in equal parts. Credit is no cause:"
            " see the adjusted effects.",
        )
        credit = _by_rule(found.cash)
        ui.readable_table(credit, alt="Cash by channel under three rules", height="content")
        ui.evidence("channel_cash", found.totals, attribution_totals, left_alone, of="credit")
    months = found.concentration
    if months.height and months["herfindahl"].count() > 1:
        ui.heading(
            "Through how many channels",
            "As if attempts were spread evenly over so many channels (1 / Herfindahl index), by"
            f" month. {price_sentences.concentration_sentence(months)}",
        )
        shown = months.select("month", series=pl.lit("channels"), value="equal_channels")
        ui.chart(
            shown,
            channel_steps.spread(shown, alt="Equal channels by month."),
            key="concentration",
        )
        ui.evidence("channel_concentration", months, channel_concentration, of="concentration")


def _by_rule(cash: pl.DataFrame) -> pl.DataFrame:
    """A row a channel, a column a rule, and their totals."""
    wide = cash.pivot("rule", index="channel", values="cash_cents").fill_null(0)
    rules = [rule for rule in named.RULES if rule in wide.columns]
    total = wide.select(pl.lit("All").alias("channel"), *[pl.col(rule).sum() for rule in rules])
    rows = frames.ordered(wide, "channel", list(named.CHANNELS)).select("channel", *rules)
    return pl.concat([rows, total]).select(
        pl.col("channel").replace(named.CHANNELS),
        *[pl.col(rule).alias(f"{named.RULES[rule].replace(' ', '_')}_cents") for rule in rules],
    )
