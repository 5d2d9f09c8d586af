"""Draws of gammas, many at once: what shares of money (Dirichlet) are made of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from analytics.intervals import Array

Floats = npt.NDArray[np.float32]
SMALL = 20.0  # a shape below it is drawn as such


def gammas(shapes: Array, normals: Floats, rng: np.random.Generator) -> Floats:
    """Gamma draws over their mean, [shape, draw], from as many standard normals.

    Shapes from 20 on by Wilson and Hilferty (1931): the cube of a normal, whose mean is 1 to 1e-6
    and whose quantiles are right to a thousandth; smaller ones by `rng`.  The same normals give
    draws that differ by their shapes alone.

    >>> one = np.random.default_rng(1).standard_normal((1, 100_000), dtype=np.float32)
    >>> drawn = gammas(np.array([50.0]), one, np.random.default_rng(2))[0]
    >>> [round(float(drawn.mean()), 2), round(float(drawn.var()), 3)]
    [1.0, 0.02]
    """
    held = np.maximum(shapes, SMALL)[:, None]
    root = normals * (1 / (3 * np.sqrt(held))).astype(np.float32)
    root += (1 - 1 / (9 * held)).astype(np.float32)
    drawn = root * root
    drawn *= root
    for place in np.flatnonzero(shapes < SMALL):
        shape = shapes[place]
        drawn[place] = rng.standard_gamma(shape, normals.shape[1], dtype=np.float32)
        drawn[place] /= np.float32(shape)
    return drawn
