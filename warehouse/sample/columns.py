"""Whole numbers to the columns of the contract: ids, codes, money, dates, as Arrow arrays.

Inside the generator a loan, a case or a channel is a whole number, money is whole cents,
and a date is days since 1970.  Text is made only here, when a month is written.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from warehouse.sample.model import Array

MICROSECONDS_A_DAY = 86_400_000_000


def _validity(present: Array | None) -> pa.Buffer | None:
    if present is None:
        return None
    return pa.py_buffer(np.packbits(present, bitorder="little").tobytes())


def _fixed_width(letters: Array, present: Array | None) -> pa.Array:
    """Rows of bytes, all equally long, as text."""
    rows, width = letters.shape
    offsets = np.arange(rows + 1, dtype=np.int32) * width
    buffers = [_validity(present), pa.py_buffer(offsets), pa.py_buffer(letters)]
    return pa.StringArray.from_buffers(rows, *buffers[1:], null_bitmap=buffers[0])


def ids(prefix: str, numbers: Array, digits: int, present: Array | None = None) -> pa.Array:
    """Fixed-width ids, counted from one: 0 with prefix L and 7 digits is L0000001."""
    left = numbers.astype(np.int64) + 1
    letters = np.empty((len(numbers), len(prefix) + digits), np.uint8)
    letters[:, : len(prefix)] = np.frombuffer(prefix.encode(), np.uint8)
    for place in range(letters.shape[1] - 1, len(prefix) - 1, -1):
        rest = left // 10
        letters[:, place] = left - rest * 10 + ord("0")
        left = rest
    return _fixed_width(letters, present)


def hashes(numbers: Array, present: Array | None = None) -> pa.Array:
    """Twelve hexadecimal digits that stand for a number or an address (splitmix64)."""
    mixed = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    alphabet = np.frombuffer(b"0123456789abcdef", np.uint8)
    letters = np.empty((len(numbers), 12), np.uint8)
    for place in range(12):
        letters[:, place] = alphabet[(mixed >> np.uint64(4 * place + 8)) & np.uint64(15)]
    return _fixed_width(letters, present)


def codes(numbers: Array, names: Sequence[str]) -> pa.Array:
    """Texts from their places in a list; below zero is null."""
    places = pa.array(numbers.astype(np.int32), mask=numbers < 0)
    return pa.DictionaryArray.from_arrays(places, pa.array(names, pa.string()))


def money(cents: Array, present: Array | None = None) -> pa.Array:
    """Whole cents as NUMERIC(18, 2)."""
    words = np.empty((len(cents), 2), np.int64)
    words[:, 0] = cents
    words[:, 1] = words[:, 0] >> 63
    return pa.Decimal128Array.from_buffers(
        pa.decimal128(18, 2), len(cents), [_validity(present), pa.py_buffer(words)]
    )


def dates(days: Array, present: Array | None = None) -> pa.Array:
    return _plain(days.astype(np.int32), pa.int32(), present).cast(pa.date32())


def times(microseconds: Array, present: Array | None = None) -> pa.Array:
    return _plain(microseconds.astype(np.int64), pa.int64(), present).cast(pa.timestamp("us"))


def integers(numbers: Array, present: Array | None = None) -> pa.Array:
    return _plain(numbers.astype(np.int32), pa.int32(), present)


def floats(numbers: Array, present: Array | None = None) -> pa.Array:
    return _plain(numbers.astype(np.float64), pa.float64(), present)


def flags(values: Array, present: Array | None = None) -> pa.Array:
    return _plain(values.astype(bool), pa.bool_(), present)


def _plain(values: Array, type_: pa.DataType, present: Array | None) -> pa.Array:
    return pa.array(values, type_, mask=None if present is None else ~present)
