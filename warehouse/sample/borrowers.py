"""Borrowers and their loans: what is known of them before anything happens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warehouse.contract import CHANNELS
from warehouse.sample import columns as to
from warehouse.sample import model
from warehouse.sample.model import Array
from warehouse.sample.months import Months
from warehouse.sample.write import BookWriter

SEASONED_SHARE = 0.70  # of all loans: already on the book when it begins
DUE_DAYS = np.array([2, 5, 8, 10, 12, 15, 18, 20, 22, 25])
DUE_SHARES = np.array([0.03, 0.10, 0.12, 0.13, 0.10, 0.16, 0.10, 0.12, 0.08, 0.06])
PREFERRED = np.array([CHANNELS.index(c) for c in ("sms", "app_push", "messenger", "call")])


@dataclass(frozen=True)
class Customers:
    """One entry per borrower; `frailty` is a lasting quality that no table records."""

    region: Array
    industry: Array
    income_band: Array
    preferred_channel: Array
    is_vulnerable: Array
    frailty: Array


@dataclass(frozen=True)
class Loans:
    """One entry per loan, ordered by origination month; money in cents."""

    customer: Array
    product: Array
    region: Array
    grade: Array
    score: Array  # nan: none on file
    frailty: Array
    origin: Array  # month of origination; below zero: before the book begins
    originated_on: Array
    due_day: Array
    principal: Array
    annual_rate: Array
    term: Array  # 0: revolving
    instalment: Array  # 0: revolving
    collateral: Array  # 0: unsecured
    late_base: Array  # log-odds of missing an instalment, months aside
    resolve_mix: Array  # log-odds of resolution, recorded part: grade, product, region
    pays_share: Array  # cards: share of the balance paid each month
    target_use: Array  # cards: share of the limit in use


def _place(rng: np.random.Generator, shares: Array | tuple[float, ...], size: int) -> Array:
    edges = np.cumsum(shares) / np.sum(shares)
    return np.searchsorted(edges, rng.random(size), side="right").astype(np.int8)


def make_customers(rng: np.random.Generator, count: int) -> Customers:
    frailty = rng.standard_normal(count).astype(np.float32)
    industry = rng.integers(0, len(model.INDUSTRIES), count).astype(np.int8)
    income = np.clip(np.floor(1.6 - 0.35 * frailty + 0.9 * rng.standard_normal(count)), 0, 3)
    preferred = PREFERRED[rng.integers(0, len(PREFERRED), count)]
    return Customers(
        region=_place(rng, model.REGION_SHARES, count),
        industry=np.where(rng.random(count) < 0.15, -1, industry).astype(np.int8),
        income_band=np.where(rng.random(count) < 0.08, -1, income).astype(np.int8),
        preferred_channel=np.where(rng.random(count) < 0.40, -1, preferred).astype(np.int8),
        is_vulnerable=rng.random(count) < 0.04 + 0.02 * (frailty > 1.0),
        frailty=frailty,
    )


def make_loans(rng: np.random.Generator, customers: Customers, count: int, months: Months) -> Loans:
    """Loans of these borrowers: most seasoned, the others originated evenly in the book."""
    holders = len(customers.region)
    customer = rng.permutation(
        np.concatenate([np.arange(holders), rng.integers(0, holders, count - holders)])
    ).astype(np.int32)
    product = _place(rng, model.PRODUCT_SHARES, count)
    term = np.choose(product, [np.array(terms)[rng.integers(0, len(terms), count)]
                               for terms in model.TERMS])  # fmt: skip
    origin = _origins(rng, term, months.count)
    order = np.argsort(origin, kind="stable")
    customer, product, term, origin = customer[order], product[order], term[order], origin[order]

    frailty = customers.frailty[customer]
    region = customers.region[customer]
    quality = 0.85 * rng.standard_normal(count) - 0.53 * frailty
    grade = np.searchsorted([-1.34, -0.67, 0.05, 0.84], quality).astype(np.int8)
    grade = (4 - grade).astype(np.int8)
    score = np.where(rng.random(count) < 0.05, np.nan, np.round(640.0 + 55.0 * quality))
    annual_rate = np.round(
        np.array(model.ANNUAL_RATES)[product] * (0.9 + 0.08 * grade + 0.05 * rng.random(count)), 4
    )
    spread = np.exp(0.55 * rng.standard_normal(count))
    principal = np.round(np.array(model.MEDIAN_PRINCIPAL)[product] * spread, -2).astype(np.int64)
    principal *= 100
    is_secured = (product == model.AUTO) | (
        (product == model.BUSINESS) & (rng.random(count) < 0.35)
    )
    collateral = np.round(principal * (1.05 + 0.4 * rng.random(count)) / 100_000) * 100_000
    return Loans(
        customer=customer,
        product=product,
        region=region,
        grade=grade,
        score=score,
        frailty=frailty,
        origin=origin,
        originated_on=months.start(origin) + rng.integers(0, 28, count).astype(np.int32),
        due_day=DUE_DAYS[_place(rng, DUE_SHARES, count)].astype(np.int32),
        principal=principal,
        annual_rate=annual_rate,
        term=term.astype(np.int16),
        instalment=_instalments(principal, annual_rate, term),
        collateral=np.where(is_secured, collateral, 0).astype(np.int64),
        late_base=_late_base(customers, customer, product, region, grade, frailty),
        resolve_mix=(
            model.RESOLVE_GRADE[grade]
            + model.RESOLVE_PRODUCT[product]
            + model.RESOLVE_REGION[region]
        ).astype(np.float32),
        pays_share=np.array([0.06, 0.30, 1.0])[_place(rng, (0.5, 0.3, 0.2), count)],
        target_use=0.15 + 0.6 * rng.random(count),
    )


def _origins(rng: np.random.Generator, term: Array, months: int) -> Array:
    """Months of origination: seasoned loans no older than their term allows."""
    count = len(term)
    oldest = np.where(term == 0, 72, term)
    age = np.floor(oldest * rng.random(count) ** 1.25).astype(np.int64)
    new = rng.integers(0, months, count)
    return np.where(rng.random(count) < SEASONED_SHARE, -1 - age, new).astype(np.int16)


def _instalments(principal: Array, annual_rate: Array, term: Array) -> Array:
    monthly = annual_rate / 12.0
    years = np.maximum(term, 1)
    level = principal * monthly / (1.0 - (1.0 + monthly) ** -years)
    return np.where(term == 0, 0, np.ceil(level)).astype(np.int64)


def _late_base(
    customers: Customers, customer: Array, product: Array, region: Array, grade: Array,
    frailty: Array,
) -> Array:  # fmt: skip
    industry = np.append(model.LATE_INDUSTRY, 0.0)[customers.industry[customer]]
    return (
        model.LATE_BASE
        + model.LATE_GRADE[grade]
        + model.LATE_PRODUCT[product]
        + model.LATE_REGION[region]
        + industry
        + model.FRAILTY_LATE * frailty
    ).astype(np.float32)


def write_customers(writer: BookWriter, customers: Customers) -> None:
    writer.write(
        "customers",
        {
            "customer_id": to.ids("B", np.arange(len(customers.region)), 7),
            "region": to.codes(customers.region, model.REGIONS),
            "industry": to.codes(customers.industry, model.INDUSTRIES),
            "income_band": to.codes(customers.income_band, model.INCOME_BANDS),
            "preferred_channel": to.codes(customers.preferred_channel, CHANNELS),
            "is_vulnerable": to.flags(customers.is_vulnerable),
        },
    )


def write_loans(writer: BookWriter, loans: Loans) -> None:
    writer.write(
        "loans",
        {
            "loan_id": to.ids("L", np.arange(len(loans.customer)), 7),
            "customer_id": to.ids("B", loans.customer, 7),
            "product": to.codes(loans.product, model.PRODUCTS),
            "originated_on": to.dates(loans.originated_on),
            "principal_amount": to.money(loans.principal),
            "annual_rate": to.floats(loans.annual_rate),
            "term_months": to.integers(loans.term, loans.term > 0),
            "risk_grade": to.codes(loans.grade, model.GRADES),
            "score": to.floats(loans.score, ~np.isnan(loans.score)),
            "is_secured": to.flags(loans.collateral > 0),
            "collateral_amount": to.money(loans.collateral, loans.collateral > 0),
        },
    )
