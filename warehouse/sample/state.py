"""What the generator carries from month to month."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warehouse.sample import model
from warehouse.sample.borrowers import Customers, Loans
from warehouse.sample.collectors import Staff
from warehouse.sample.luck import Numbers, OwnNumbers
from warehouse.sample.model import Array
from warehouse.sample.months import Months
from warehouse.sample.register import Register
from warehouse.sample.treatments import Change
from warehouse.sample.truths import Truths

OPEN, PAID_OFF, CHARGED_OFF, SOLD = range(4)
UNBORN = -1


@dataclass(frozen=True)
class Climate:
    """What every loan shares in a month."""

    season: Array
    recession: Array
    noise: Array

    def late(self, t: int) -> float:
        return float(self.season[t] + self.recession[t] + self.noise[t])

    def resolve(self, t: int) -> float:
        slump, surprise = self.recession[t], self.noise[t]
        return float(model.RECESSION_RESOLVE * slump + model.NOISE_RESOLVE * surprise)

    def forward(self, t: int) -> float:
        slump, surprise = self.recession[t], self.noise[t]
        return float(model.RECESSION_FORWARD * slump + model.NOISE_FORWARD * surprise)


@dataclass
class State:
    """Every loan as it stands; money in cents."""

    status: Array
    months_late: Array
    balance: Array
    overdue: Array
    scheduled: Array  # this month
    paid: Array  # this month
    restructured: Array
    case: Array  # -1: none open
    episode: Array
    legal: Array  # 0 nothing yet, 1 letter, 2 filed, 3 judgment, 4 enforcement


@dataclass
class World:
    """Everything there is: what never changes, what does, and the truths kept aside."""

    months: Months
    customers: Customers
    loans: Loans
    staff: Staff
    climate: Climate
    state: State
    register: Register
    truths: Truths
    streams: dict[str, np.random.Generator]
    change: Change
    change_at: float  # the first month (its number) of the changed strategy; infinite: never
    seed: int

    def numbers(self, stream: str, t: int, loans: Array) -> Numbers:
        """Random numbers of some loans in month t: their own from the month of a change on."""
        if t < self.change_at:
            return self.streams[stream]
        place = list(self.streams).index(stream)
        return OwnNumbers((self.seed, place, t), len(self.state.status), loans)


@dataclass(frozen=True)
class Work:
    """One entry per case worked in a month, with what became of it.

    Attempts may be made from `begins` until the day before `stops`; the case's cash comes
    in on `pays_on` (-1: none).
    """

    loan: Array
    case: Array
    months_late: Array  # at the start of the month; 0: missed its instalment in this month
    collector: Array  # -1: automated queue
    plan: Array
    is_first: Array  # opened this month
    begins: Array
    stops: Array
    pays_on: Array
    cash: Array  # cents on pays_on
    is_resolved: Array  # cured, paid off or settled
    is_restructured: Array
    is_settled: Array


def join(works: list[Work]) -> Work:
    """Several sets of worked cases as one."""
    return Work(
        **{name: np.concatenate([getattr(work, name) for work in works])
           for name in Work.__dataclass_fields__}
    )  # fmt: skip


def new_state(loans: Loans, months_late: Array) -> State:
    """Loans on the day before the book begins; those not yet originated are unborn."""
    count = len(loans.customer)
    born = loans.origin < 0
    months_late = np.where(born, months_late, 0).astype(np.int8)
    paid_instalments = np.maximum(-1 - loans.origin - months_late, 0)
    monthly = loans.annual_rate / 12.0
    term = np.maximum(loans.term, 1)
    growth = (1.0 + monthly) ** term
    amortised = (growth - (1.0 + monthly) ** paid_instalments) / (growth - 1.0)
    used = np.where(loans.term > 0, amortised, loans.target_use)
    balance = np.round(loans.principal * used * (1.0 + monthly) ** months_late).astype(np.int64)
    instalment = np.where(loans.term > 0, loans.instalment, minimum_payment(balance))
    return State(
        status=np.where(born, OPEN, UNBORN).astype(np.int8),
        months_late=months_late,
        balance=np.where(born, balance, 0),
        overdue=np.where(born, np.minimum(months_late * instalment, balance), 0),
        scheduled=np.zeros(count, np.int64),
        paid=np.zeros(count, np.int64),
        restructured=np.zeros(count, bool),
        case=np.full(count, -1, np.int32),
        episode=np.full(count, -1, np.int32),
        legal=np.zeros(count, np.int8),
    )


def minimum_payment(balance: Array) -> Array:
    """A card's instalment: a twentieth of the balance, 50 at least."""
    return np.minimum(np.maximum(balance // 20, 5_000), balance)


def owed_and_scheduled(world: World, which: Array) -> tuple[Array, Array]:
    """The balance with this month's interest, and this month's instalment, in cents."""
    loans, state = world.loans, world.state
    balance = state.balance[which]
    owed = balance + np.round(balance * loans.annual_rate[which] / 12.0).astype(np.int64)
    not_overdue = np.maximum(owed - state.overdue[which], 0)
    revolving = loans.term[which] == 0
    instalment = np.where(revolving, minimum_payment(owed), loans.instalment[which])
    return owed, np.minimum(instalment, not_overdue)
