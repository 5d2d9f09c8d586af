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

    def __getitem__(self, used: npt.NDArray[np.bool_]) -> GroupedDesign:
        """Some of the cells."""
        return GroupedDesign(self.left, self.left_place[used], self.right, self.right_place[used])

    def sums(self, values: Array) -> Array:
        """The transposed design times a vector: for each column the sum over its cells."""
        first = np.bincount(self.left_place, values, len(self.left))
        second = np.bincount(self.right_place, values, len(self.right))
        return np.concatenate([self.left.T @ first, self.right.T @ second])

    def squares(self, weights: Array) -> Array:
        """The design's products of columns, cells weighted: X' W X."""
        order, indices, bounds = self._layout
        table = sparse.csr_matrix(
            (weights[order], indices, bounds), shape=(len(self.left), len(self.right))
        )
        first = np.bincount(self.left_place, weights, len(self.left))
        second = np.bincount(self.right_place, weights, len(self.right))
        across = self.left.T @ (table @ self.right)
        return np.block(
            [
                [self.left.T @ (self.left * first[:, None]), across],
                [across.T, self.right.T @ (self.right * second[:, None])],
            ]
        )

    @cached_property
    def _layout(self) -> tuple[Places, Places, Places]:
        """The cells ordered by their row of the left table, as a sparse matrix has them."""
        order = np.argsort(self.left_place, kind="stable")
        bounds = np.concatenate(
            [[0], np.cumsum(np.bincount(self.left_place, minlength=len(self.left)))]
        )
        return order, self.right_place[order], bounds
