"""The Channels page: on a planted book, on books that lack something, and in a real browser."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import polars as pl
import pytest
import streamlit as st
from playwright.sync_api import Browser, Locator
from streamlit import config
from streamlit.testing.v1 import AppTest

from analytics.effect_sums import effects as effect_sums
from analytics.raw_and_adjusted import raw_and_adjusted
from figures import channel_frames
from jobs.refresh import refresh
from tests import channel_marts
from tests.books import FEB, JAN, MAR, loan, month, put
from tests.browser import Reader
from tests.channel_marts import activity, cases, effects, typed, write_marts
from tests.conftest import ROOT
from tests.served import Place, place, served, synthetic
from ui.evidence import _unit

IMAGE, MARKDOWN = "<img src=x onerror=alert(1)>", "**bold** $x$"
SEGMENTS: dict[str, Sequence[str | None]] = {
    "product": ["card", IMAGE],
    "region": ["North", MARKDOWN],
    "grade": ["A", "B", "C", "D"],
}
MONTHS = (FEB, MAR)
PARTS = ("What works", "From attempt to cash", "Price", "Credit", "Rules")
Frames = dict[str, pl.DataFrame]


@pytest.fixture(scope="module")
def planted() -> pl.DataFrame:
    return cases(7, 6000, SEGMENTS)


@pytest.fixture(scope="module")
def frames(planted: pl.DataFrame) -> Frames:
    """All that the page reads: effects as the estimators leave them, activity by hand."""
    landmark = typed("landmarks", [{"opened_month": JAN, "cases": 6000}])
    bounds = typed("recovery_settings", [{"name": "amount_bounds", "value": "[1000, 3000, 9000]"}])
    marts = effects(planted) | activity(MONTHS, SEGMENTS)
    return marts | {"landmarks": landmark, "recovery_settings": bounds}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A book of a few loans with a case and a contact; what its marts say is written over it."""
    where = place(tmp_path_factory.mktemp("channels"))
    names = [
        (product, region, grade)
        for product in SEGMENTS["product"]
        for region in SEGMENTS["region"]
        for grade in SEGMENTS["grade"]
    ]
    people = [{"customer_id": str(n), "region": region, "is_vulnerable": False}
              for n, (_, region, _) in enumerate(names)]  # fmt: skip
    case = {"case_id": "c", "loan_id": "0", "episode_id": "e", "opened_on": dt.date(2024, 1, 5)}
    put(
        where.url,
        customers=people,
        loans=[
            loan(str(n), str(product), customer_id=str(n), risk_grade=grade)
            for n, (product, _, grade) in enumerate(names)
        ],
        loan_months=[
            month(str(n), day, 10, "5") for n in range(len(names)) for day in (JAN, FEB, MAR)
        ],
        cases=[case | {"opening_days_past_due": 10, "placed_amount": "5"}],
        contacts=[
            {
                "contact_id": "k",
                "loan_id": "0",
                "case_id": "c",
                "direction": "outbound",
                "channel": "call",
                "contacted_at": dt.datetime(2024, 1, 6, 12),
                "party": "debtor",
                "outcome": "right_party",
            }
        ],
    )
    refresh(where.url, where.marts)
    return where


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    st.cache_resource.clear()
    config.set_option("client.showErrorDetails", "full")
    yield
    st.cache_resource.clear()


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Open the page on a book whose marts of recovery are these."""

    def opened(where: Place, marts: Frames | None = None, **query: str) -> AppTest:
        if marts is not None:
            write_marts(where.marts, **marts)
        for name, value in where.environment.items():
            monkeypatch.setenv(name, value)
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        app.switch_page("pages/recovery/channels.py").run()
        assert not app.exception, [one.message for one in app.exception]
        assert not app.error
        assert re.search(r"\b(nan|inf|None|null)\b", words(app)) is None, words(app)
        return app

    return opened


def words(app: AppTest) -> str:
    """Everything that is written outside charts and tables, escapes and joiners taken away."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "info", "warning", "error")
    text = "\n".join(str(one.value) for kind in kinds for one in app.get(kind))
    text = re.sub(r"\\(.)", r"\1", text).replace("\N{WORD JOINER}", "")
    return text.replace("\N{NO-BREAK SPACE}", " ")


def drawn(app: AppTest, alt: str) -> pl.DataFrame:
    """What a chart was given, by the beginning of what is said of it."""
    charts = [one.proto for one in app.get("vega_lite_chart") if one.proto.alt.startswith(alt)]
    data = charts[0].data.data or charts[0].datasets[0].data.data
    return pl.read_ipc_stream(io.BytesIO(data))


def every_part(show: Any, where: Place, marts: Frames) -> str:
    """What the page says in all of its parts."""
    return "\n".join(words(show(where, marts, channels_part=part)) for part in PARTS)


def answer(app: AppTest) -> str:
    return next(line for line in words(app).splitlines() if line.startswith("#####"))


def apart(landmark: pl.DataFrame, channel: str) -> float:
    """The plain difference of two resolved shares."""
    shares = [
        landmark.filter(pl.col(channel) == done)["resolved"].to_numpy().mean()
        for done in (True, False)
    ]
    return float(shares[0] - shares[1])


def without(frame: pl.DataFrame, **values: Any) -> pl.DataFrame:
    """The same rows with other values in some columns."""
    return frame.with_columns(
        pl.lit(value, frame.schema[name]).alias(name) for name, value in values.items()
    )


# --- a planted book ------------------------------------------------------------------------


def test_the_answer_names_calls_whose_raw_rate_has_the_wrong_sign(
    here: Place, show: Any, frames: Frames, planted: pl.DataFrame
) -> None:
    said = answer(show(here, frames))
    assert said.startswith("##### Calls do most, in the ")
    # counted apart from the estimators: the plain difference of two shares, by stage
    raw = {stage: apart(part, "call") for (stage,), part in planted.group_by(["stage"])}
    found = re.search(r"calls in the (\w+) stage \(.*?\) look ([\d.]+) points worse", said)
    assert found, said
    assert -100 * raw[found[1]] == pytest.approx(float(found[2]), abs=0.0501)
    assert "and are" in said
    assert "points better" in said


def test_the_effect_that_is_named_is_near_what_was_planted(
    here: Place, show: Any, frames: Frames, planted: pl.DataFrame
) -> None:
    """0.7 in log-odds on cases of which a quarter to a half resolve: 10 to 17 points."""
    said = answer(show(here, frames))
    found = re.search(r"of 100 cases ([\d.]+) more", said)
    assert found
    assert 8 < float(found[1]) < 19


def test_the_stage_at_first_is_that_of_the_answer_and_a_link_keeps_another(
    here: Place, show: Any, frames: Frames
) -> None:
    app = show(here, frames)
    stage = re.search(r"in the (\w+) stage", answer(app))
    assert stage
    assert app.session_state["stage"].lower().startswith(stage[1])
    for label in ("Early (to 30 days)", "Late (over 90)"):
        app = show(here, stage=label)
        assert app.session_state["stage"] == label
        assert any(one.value.startswith(label) for one in app.subheader)


def test_every_choice_shows_a_page(here: Place, show: Any, frames: Frames) -> None:
    write_marts(here.marts, **frames)
    seen = set()
    for part in PARTS:
        app = show(here, channels_part=part)
        choices = [(one.key, option) for one in app.get("button_group") for option in one.options]
        choices += [(one.key, option) for one in app.selectbox for option in one.options[-1:]]
        choices += [(one.key, option) for one in app.multiselect for option in one.options[:1]]
        for key, option in choices:
            if key not in seen or key == "stage":  # the shared filters in one part only
                show(here, **{key: option, "channels_part": part})
        seen |= {key for key, _ in choices}
    assert {"stage", "effect_on", "funnel_by", "suited", "channel", "product"} <= seen
    funnel = {"funnel_by": "Product", "funnel_channel": "Call"}
    show(here, channels_part="From attempt to cash", **funnel)


def test_a_channels_own_amounts_stand_beside_those_of_all_channels(
    here: Place, show: Any, frames: Frames
) -> None:
    """Raw and adjusted by number of calls are those of the estimators; letters have none here."""
    app = show(here, frames, stage="Early (to 30 days)", channel="Call")
    said = words(app)
    assert "Do more calls, or earlier ones, do more?" in said
    assert "Do more attempts, or earlier ones, do more?" in said
    assert "Against cases without calls in the first week, in the early stage" in said
    assert "Whether a case is attempted again may hang on what came" in said
    influence = frames["effect_influence"].filter(question="dose:call", stage="early")
    expected = {row["arm"]: row for row in effect_sums(influence).iter_rows(named=True)}
    rows = drawn(app, "Calls on days 0 to 6: raw and adjusted.")
    for kind, value in (("raw", "raw"), ("adjusted", "effect")):
        one = rows.filter(kind=kind, name="2–3")["value"].item()
        assert one == pytest.approx(expected["2-3"][value])
    assert "Do more letters" not in words(show(here, channel="Letter"))
    money = words(show(here, channel="Call", effect_on="Cash"))
    assert "On the share resolved; cash is not adjusted by number." in money


def test_the_funnel_adds_months_and_segments_up(here: Place, show: Any, frames: Frames) -> None:
    work = frames["channel_work"]
    reached = work["reached"].sum() / work["attempts"].sum()
    cash = {"channels_part": "From attempt to cash"}
    said = words(show(here, frames, **cash))
    assert f"Of {work['attempts'].sum():,} attempts in the 12 months to March 2024," in said
    assert f", {100 * reached:.1f} % reached the debtor" in said
    one = work.filter(month=MAR, product=IMAGE)
    app = show(here, month="2024-03", cohort_window="3", product=IMAGE, **cash)
    assert f"Of {2 * one['attempts'].sum():,} attempts" in words(app)


def test_the_cash_step_is_there_by_stage_and_by_segment(
    here: Place, show: Any, frames: Frames
) -> None:
    cash = frames["channel_cash"].filter(rule="last", stage="middle")
    whole, none, calls = (
        part["cash_cents"].sum()
        for part in (cash, cash.filter(channel="none"), cash.filter(channel="call"))
    )
    there = {"channels_part": "From attempt to cash", "funnel_by": "Stage"}
    for channel, cents in (("All channels", whole - none), ("Call", calls)):
        app = show(here, frames, **there, funnel_channel=channel)
        rows = drawn(app, "From attempt to cash").filter(step="credited", name="Middle (31–90)")
        assert rows["share"].item() == pytest.approx(cents / whole)
        assert rows["denominator"].item() == round(whole / 100)
    app = show(here, frames, **there | {"funnel_by": "Grade"})
    assert drawn(app, "From attempt to cash").filter(step="credited").height > 1


def test_prices_credit_rules_and_steps_are_said(here: Place, show: Any, frames: Frames) -> None:
    said = every_part(show, here, frames)
    # 2 months x 16 segments x 3 stages x 1,250.00
    assert "The total is the same under every rule: 120.0 k" in said
    assert "32.0 % of the cash followed no contact" in said
    assert "Letters: 85.0 % of" in said
    assert "30.0 % had their link followed" in said
    assert "Calls suit small debts that are briefly overdue" in said
    assert "“Day 60: decision on suing” is kept least: 20.0 % in time" in said
    assert "unlike cases and is not what the step caused" in said
    assert "S057" not in said
    assert "fits the rule above" in said
    assert "One more resolved case" in said


def test_a_choice_that_a_stage_does_not_offer_gives_way(
    here: Place, show: Any, frames: Frames
) -> None:
    """Visits are attempted in the late stage only."""
    app = show(here, frames, stage="Late (over 90)", channel="Visit")
    assert "had visits attempted" in words(app)
    app.button_group(key="stage").set_value("Early (to 30 days)").run()
    assert not app.exception
    assert "had visits attempted" not in words(app)
    assert "Not attempted by day 7 in the early stage (up to 30 days late): visit." in words(app)


def test_attempts_without_an_amount_are_counted_and_left_out(
    here: Place, show: Any, frames: Frames
) -> None:
    rows = frames["channel_fit"]
    known = pl.when(pl.col("amount_band") != "huge").then(pl.col("amount_band"))
    fits = rows.with_columns(amount_band=known)
    lost = rows.filter(amount_band="huge")["attempts"].sum()
    said = words(show(here, frames | {"channel_fit": fits}, channels_part="Rules"))
    assert f"{lost:,} attempts without a placed amount on record are left out" in said


def test_a_segment_is_estimated_from_its_own_sums(here: Place, show: Any, frames: Frames) -> None:
    whole, part = answer(show(here, frames)), answer(show(here, grade="A"))
    assert whole != part


# --- what a book may lack ------------------------------------------------------------------


def test_without_effects_the_answer_says_that_cases_are_too_young(
    here: Place, show: Any, frames: Frames
) -> None:
    young = {name: frame for name, frame in frames.items() if not name.startswith("effect_")}
    app = show(here, young | {"landmarks": typed("landmarks")})
    assert "at least 97 days before the data's last day" in answer(app)
    assert "attempts" in words(show(here, channels_part="From attempt to cash"))


def test_without_anything_every_part_says_so(here: Place, show: Any) -> None:
    said = every_part(show, here, {})
    for sentence in (
        "No effect can be estimated yet",
        "No attempt was made in these months",
        "so there is no price",
        "No cash came in",
        "only these have a rule",
        "No case was due",
    ):
        assert sentence in said, sentence


def test_without_costs_there_is_no_price(here: Place, show: Any, frames: Frames) -> None:
    free = {
        "channel_work": without(frames["channel_work"], costed_attempts=0, cost_cents=None),
        "effect_costs": typed("effect_costs"),
    }
    assert "cost is not recorded" in words(show(here, frames | free, channels_part="Price"))


def test_without_promises_none_is_kept(here: Place, show: Any, frames: Frames) -> None:
    none = dict.fromkeys(("promises", "matured", "kept", "matured_cents", "kept_cents"), 0)
    marts = frames | {"channel_work": without(frames["channel_work"], **none)}
    said = words(show(here, marts, channels_part="From attempt to cash"))
    assert "No promise was made" in said


def test_promises_that_have_not_matured_are_not_broken(
    here: Place, show: Any, frames: Frames
) -> None:
    none = dict.fromkeys(("matured", "kept", "matured_cents", "kept_cents"), 0)
    marts = frames | {"channel_work": without(frames["channel_work"], **none)}
    said = words(show(here, marts, channels_part="From attempt to cash"))
    assert "none of the promises has matured" in said


def test_without_customers_nobody_has_a_preference(here: Place, show: Any, frames: Frames) -> None:
    none = without(frames["channel_work"], preference_known=0, preferred=0)
    said = words(show(here, frames | {"channel_work": none}, channels_part="Rules"))
    assert "No attempt was on a debtor whose preferred channel is recorded" in said


def test_more_reversed_than_paid_is_said(here: Place, show: Any, frames: Frames) -> None:
    negative = frames["channel_cash"].with_columns(-pl.col("cash_cents"))
    said = words(show(here, frames | {"channel_cash": negative}, channels_part="Credit"))
    assert "more was reversed than paid" in said
    assert "of the cash followed no contact" not in said


def test_rules_that_share_out_different_totals_are_an_error(
    here: Place, show: Any, frames: Frames
) -> None:
    rows = frames["channel_cash"]
    wrong = rows.with_columns(pl.col("cash_cents") + (pl.col("rule") == "first").cast(pl.Int64))
    said = words(show(here, frames | {"channel_cash": wrong}, channels_part="Credit"))
    assert "do not share out the same total" in said


def test_a_perfect_separator_gives_a_reason_and_no_estimate(
    here: Place, show: Any, frames: Frames, planted: pl.DataFrame
) -> None:
    """Grades A and B are never called, C and D always."""
    apart = effects(planted.with_columns(call=pl.col("grade").is_in(["C", "D"])))
    app = show(here, frames | apart, channel="Call", stage="Early (to 30 days)")
    assert "cases are too unlike" in answer(app)
    assert "No estimate is possible: the treated and the others are too unlike" in words(app)


def test_a_channel_of_three_attempts_is_too_few(
    here: Place, show: Any, frames: Frames, planted: pl.DataFrame
) -> None:
    number = pl.int_range(pl.len()).over("stage")
    three = effects(planted.with_columns(visit=(number < 3) & (pl.col("stage") == "late")))
    app = show(here, frames | three, channel="Visit", stage="Late (over 90)")
    assert "3 cases had visits attempted by day 7" in words(app)
    assert "Too few cases were treated" in words(app).replace("too few", "Too few")


def test_no_contacts_is_an_explanation(tmp_path: Any, show: Any) -> None:
    where = place(tmp_path)
    put(where.url, loans=[loan("a")], loan_months=[month("a", JAN, 0, "5")])
    refresh(where.url, where.marts)
    app = show(where)
    assert "contacts" in words(app)
    assert len(app.info) == 1


# --- a real browser ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def address(here: Place) -> Iterator[str]:
    with served(here) as found:
        yield found


def is_shown(name: str, texts: Locator) -> bool:
    """Among the texts of a chart, whole or cut short with an ellipsis."""
    found = texts.all_text_contents()
    return any(text == name or (text[-1:] == "…" and name.startswith(text[:-1])) for text in found)


@pytest.mark.browser
def test_hostile_names_are_characters(
    here: Place, frames: Frames, address: str, browser: Browser
) -> None:
    write_marts(here.marts, **frames)
    reader = Reader(browser, address)
    texts = reader.page.locator("svg.marks text")
    for by, name in (("Product", IMAGE), ("Region", MARKDOWN)):
        reader.page.goto(f"{address}/channels?funnel_by={by}&channels_part=From+attempt+to+cash")
        reader.settle()
        reader.sees(partial(is_shown, name, texts))
    assert reader.page.get_by_test_id("stMain").locator("img").count() == 0
    assert reader.page.get_by_test_id("stMain").locator(".katex").count() == 0
    assert reader.errors == []
    reader.close()


@pytest.mark.browser
def test_a_click_on_a_channel_shows_its_evidence(
    here: Place, frames: Frames, planted: pl.DataFrame, address: str, browser: Browser
) -> None:
    write_marts(here.marts, **frames)
    reader = Reader(browser, address)
    reader.page.goto(f"{address}/channels")
    reader.settle()
    reader.press("stage", "Early (to 30 days)")
    early = planted.filter(stage="early")
    for channel, many in (("Text message", "text messages"), ("Letter", "letters")):
        label = reader.box("effects").locator("svg.marks text", has_text=channel).first
        area = label.bounding_box()
        assert area
        reader.page.mouse.click(area["x"] + area["width"] + 160, area["y"] + area["height"] / 2)
        code = {"Text message": "sms", "Letter": "letter"}[channel]
        count = early.filter(pl.col(code)).height
        reader.sees(lambda: f"{count:,} cases had {many} attempted" in reader.text)  # noqa: B023
    raw = f"{100 * apart(early, 'letter'):.1f}".replace("-", "−")
    reader.sees(lambda: raw in reader.box("effects").inner_text())
    reader.press("effect_on", "Cash")
    reader.sees(lambda: "Cash within 90 days after day 7" in reader.text)
    assert reader.errors == []
    assert reader.broken == []
    reader.close()


@pytest.mark.browser
def test_on_a_refreshed_book_the_page_counts_what_the_files_hold(
    tmp_path_factory: pytest.TempPathFactory, browser: Browser
) -> None:
    where = synthetic(tmp_path_factory.mktemp("refreshed"))
    contacts = pl.read_parquet(where.files / "contacts.parquet").filter(direction="outbound")
    last = dt.datetime(2026, 7, 1)
    window = contacts.filter(pl.col("contacted_at").is_between(dt.datetime(2025, 7, 1), last))
    letters = window.filter(channel="letter")
    delivered = letters.filter(~pl.col("outcome").is_in(["no_answer", "invalid"])).height
    with served(where) as address:
        reader = Reader(browser, address)
        reader.page.goto(f"{address}/channels")
        reader.settle()
        reader.page.get_by_role("tab", name="From attempt to cash").click()
        reader.settle()
        share = 100 * delivered / letters.height
        for said in (
            f"Of {window.height:,} attempts",
            f"Letters: {share:.1f} % of {letters.height:,}",
        ):
            reader.sees(lambda said=said: said in reader.text)
        reader.page.get_by_role("tab", name="Credit").click()
        reader.sees(lambda: "The total is the same under every rule" in reader.text)
        assert reader.errors == []
        assert reader.broken == []
        reader.close()


def test_no_money_is_shown_as_a_share(frames: Frames) -> None:
    """A table reads `low` and `effect` as shares: currency has other names."""
    found = raw_and_adjusted(
        effect_sums(frames["effect_influence"], over=("question", "stage", "arm"))
    )
    for outcome, unit in (("resolved", "points"), ("cash", None)):
        table = channel_frames.table(found.filter(outcome=outcome), outcome)  # type: ignore[arg-type]
        units = {name: _unit(name, table.schema) for name in table.columns}
        assert {units[name] for name in units if "raw" in name or "effect" in name} == {unit}


def test_the_hand_made_marts_have_the_columns_of_the_real_ones() -> None:
    assert {"channel_work", "effect_influence", "timeline"} <= set(channel_marts.TABLES)
