"""What the window says of a book's rows: shares, growth, cash, and how many loans said it."""

from __future__ import annotations

import numpy as np

from analytics.intervals import Array, divide
from analytics.simulation_states import ON_BOOK, RollBook

PRIOR = 5.0  # loans of all segments together that a segment's row starts with
KNOWN = 100.0  # loans from which on a row's growth speaks for itself
HERE = len(ON_BOOK)


class Rates:
    """The window's rows, by segment and for all segments together.

    `effective` [segment, 6]: loans that count, (sum b)^2 / sum b^2, over the dispersion; `alpha`
    [segment, 6, 9]: of the Dirichlet posterior; `shares` its mean, `kind_shares` the same by kind
    of move; `growth` [segment, 6, 9]: closing over opening; `cash` [segment, 6, kind]: paid
    over it; `loan` [segment, 6]: what a loan weighs, sum b^2 / sum b.  `pooled_...`: all segments
    together.  A row of a few loans leans on all segments, in growth and cash as in its shares; a
    state of a few loans leans on the growth of the others, and stays within what they show.
    """

    def __init__(self, book: RollBook, dispersion: float = 1.0) -> None:
        opening, closing, paid, squares = (
            part[-book.window :].sum(axis=0)
            for part in (book.opening, book.closing, book.paid, book.squares)
        )
        total, weighed = opening.sum(axis=-1), squares.sum(axis=-1)
        all_opening = opening.sum(axis=0)
        self.kinds = book.kinds
        self.pooled = _shares(all_opening)
        self.effective = _ratio(total**2, weighed) / dispersion
        self.alpha = self.effective[..., None] * _ratio(opening, total[..., None])
        self.alpha += PRIOR * self.pooled
        self.shares = self.alpha / self.alpha.sum(axis=-1, keepdims=True)
        self.kind_shares = np.einsum("sij,kij->sik", self.shares, self.kinds)
        self.pooled_loan = _ratio(weighed.sum(axis=0), total.sum(axis=0))
        self.loan = np.where(total > 0, _ratio(weighed, total), self.pooled_loan)
        seen = _ratio(total.sum(axis=0) ** 2, weighed.sum(axis=0)) / dispersion
        self.pooled_growth, least, most = _held(closing.sum(axis=0), all_opening, seen, self.kinds)
        leans = PRIOR * self.loan[..., None] * self.pooled
        grown = divide(closing + leans * self.pooled_growth, opening + leans)
        grown = np.where(np.isfinite(grown), grown, self.pooled_growth)
        is_known = self.effective[..., None] >= KNOWN
        self.growth = np.where(is_known, grown, np.clip(grown, least, most))
        self.cash = self._cash(opening, paid, leans)

    def _cash(self, opening: Array, paid: Array, leans: Array) -> Array:
        base, got, stands = (
            np.einsum("sij,kij->sik", part, self.kinds) for part in (opening, paid, leans)
        )
        usual = _ratio(got.sum(axis=0), base.sum(axis=0))
        return _ratio(got + stands * usual, base + stands)

    def course(self, book: RollBook, entering: Array, horizon: int) -> Array:
        """The baseline's money as its shares would have it [month, segment, 6], as months start."""
        move = self.shares[..., :HERE] * self.growth[..., :HERE]
        found = [book.stock]
        for _ in range(horizon - 1):
            after = np.einsum("si,sij->sj", found[-1], move)
            after[:, 0] += entering
            found.append(after)
        return np.stack(found)


def _held(closing: Array, opening: Array, seen: Array, kinds: Array) -> tuple[Array, Array, Array]:
    """Growth of all segments together, and between what it was where enough loans were seen.

    A balance that grows by half in a month, seen of three loans, would be a thousand times as much
    in a year: a state of fewer than `KNOWN` loans counts with those, the others of its kind of
    move with the rest.  Where no state has enough, all of them are the others.
    """
    growth = np.nan_to_num(divide(closing, opening), nan=1.0)
    least, most = np.zeros_like(growth), np.full_like(growth, np.inf)
    enough = seen >= KNOWN if (seen >= KNOWN).any() else seen > 0
    seen_on_book = (seen > 0)[:, None] & (np.arange(growth.shape[1]) < HERE)
    weight = np.minimum(seen / KNOWN, 1.0)[:, None]
    for kind in kinds:
        cells = (kind > 0) & seen_on_book & (opening > 0)
        known = cells & enough[:, None]
        if not known.any():
            continue
        usual = closing[known].sum() / opening[known].sum()
        least[cells], most[cells] = growth[known].min(), growth[known].max()
        leaning = np.clip(weight * growth + (1 - weight) * usual, least, most)
        growth = np.where(cells & (weight < 1), leaning, growth)
    return growth, least, most


def _ratio(part: Array, whole: Array) -> Array:
    """part / whole, 0 where there is nothing."""
    return np.nan_to_num(divide(part, whole))


def _shares(opening: Array) -> Array:
    """Rows of all segments together; where nothing was ever seen, all of it stays."""
    total = opening.sum(axis=-1, keepdims=True)
    return np.where(total > 0, _ratio(opening, total), np.eye(*opening.shape))
