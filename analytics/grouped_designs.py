"""A design of 0 and 1 that is never written out: cells share the rows of two small tables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import sparse

from analytics.intervals import Array

Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class GroupedDesign:
    """The columns of `left[left_place]` beside those of `right[right_place]`, a row a cell.

    A hundred thousand cells of fifteen covariates are some thousand combinations of the first
    half and some hundred of the second: products with the matrix cost a pass over the cells.

    >>> one = GroupedDesign(
    ...     np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([0, 1, 1]), np.eye(2), np.array([0, 0, 1])
    ... )
    >>> (one @ np.array([1.0, 2.0, 10.0, 20.0])).tolist()
    [11.0, 13.0, 23.0]
    """

    left: Array
    left_place: Places
    right: Array
    right_place: Places

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.left_place), self.left.shape[1] + self.right.shape[1]

    def __matmul__(self, coefficients: Array) -> Array:
        """The design times a vector: a score for each cell."""
        count = self.left.shape[1]
        first, second = self.left @ coefficients[:count], self.right @ coefficients[count:]
        return first[self.left_place] + second[self.right_place]

    def ordered(self, used: npt.NDArray[np.bool_]) -> tuple[OrderedDesign, Places]:
        """Some of the cells in the order of their rows of the left table, and which they are."""
        order = self._order if used.all() else self._order[used[self._order]]
        left_place, right_place = self.left_place[order], self.right_place[order]
        return OrderedDesign(self.left, left_place, self.right, right_place), order

    @cached_property
    def _order(self) -> Places:
        return np.argsort(self.left_place, kind="stable")


class OrderedDesign(GroupedDesign):
    """Cells in the order of their rows of the left table: sums over them pass memory in order.

    Sums are products with a sparse table of left by right rows: those, unlike `bincount`, leave
    Python's lock, so that other fits go on meanwhile.
    """

    def sums(self, values: Array) -> Array:
        """The transposed design times a vector: for each column the sum over its cells."""
        table = self._table(values)
        return np.concatenate(
            [self.left.T @ (table @ self._ones[1]), self.right.T @ (table.T @ self._ones[0])]
        )

    def squares(self, weights: Array) -> Array:
        """The design's products of columns, cells weighted: X' W X."""
        table = self._table(weights)
        first, second = table @ self._ones[1], table.T @ self._ones[0]
        across = self.left.T @ (table @ self.right)
        return np.block(
            [
                [self.left.T @ (self.left * first[:, None]), across],
                [across.T, self.right.T @ (self.right * second[:, None])],
            ]
        )

    def _table(self, values: Array) -> sparse.csr_matrix:
        """The cells' values by row of the left table and of the right."""
        shape = len(self.left), len(self.right)
        return sparse.csr_matrix((values, self.right_place, self._bounds), shape=shape)

    @cached_property
    def _ones(self) -> tuple[Array, Array]:
        return np.ones(len(self.left)), np.ones(len(self.right))

    @cached_property
    def _bounds(self) -> Places:
        """Where the cells of each row of the left table begin, and the last end."""
        return np.searchsorted(self.left_place, np.arange(len(self.left) + 1))
