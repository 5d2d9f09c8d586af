"""A strategy as a readable file: JSON, one treatment a line, the same strategy when read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

import polars as pl

from analytics.strategies import (
    SCHEMA,
    Operations,
    Strategy,
    operation_problems,
    row_label,
    row_problems,
    wrong_range,
)
from analytics.strategy_fields import Problem, StrategyError, wrong_text

FORMAT = "collections-strategy"
VERSION = 2
SINCE = {"gap_days": 2}  # fields of a treatment that older versions have not; they open without
MOST_CHARACTERS = 4_000_000
_NEEDED = ("format", "version", "name", "operations", "treatments")
_KNOWN = (*_NEEDED, "assumptions", "measured")


def to_text(strategy: Strategy) -> str:
    """The strategy as JSON for people: what is null is left out, numbers are exact.

    >>> from analytics.strategies import make_strategy
    >>> one = make_strategy("soft", [{"segment": "card", "stage": "early", "attempts_sms": 4}])
    >>> from_text(to_text(one)) == one
    True
    """
    rows = [
        json.dumps({name: value for name, value in row.items() if value is not None},
                   ensure_ascii=False)
        for row in strategy.treatments.iter_rows(named=True)
    ]  # fmt: skip
    parts: dict[str, str] = {
        "format": json.dumps(FORMAT),
        "version": str(VERSION),
        "name": json.dumps(strategy.name, ensure_ascii=False),
        "operations": json.dumps(asdict(strategy.operations), ensure_ascii=False, indent=4)
        .replace("\n}", "\n  }"),
        "treatments": "[\n    " + ",\n    ".join(rows) + "\n  ]",
    }  # fmt: skip
    if strategy.assumptions:
        ranges = {code: list(ends) for code, ends in strategy.assumptions.items()}
        parts["assumptions"] = json.dumps(ranges, ensure_ascii=False)
    if strategy.measured is not None:
        parts["measured"] = json.dumps([day.isoformat() for day in strategy.measured])
    lines = ",\n  ".join(f'"{name}": {text}' for name, text in parts.items())
    return "{\n  " + lines + "\n}\n"


def from_text(text: str) -> Strategy:
    """The strategy of a file, whole, or `StrategyError` with everything that is wrong in it."""
    given = _read(text)
    found = _frame_problems(given)
    if found:
        raise StrategyError(found)
    found = [*row_problems(given["treatments"]), *operation_problems(given["operations"])]
    found += _too_new(given["treatments"], given["version"])
    if wrong := wrong_text(given["name"]):
        found.append(Problem("name", None, wrong))
    assumptions = given.get("assumptions", {})
    found += [
        Problem(f"assumption {code}", None, wrong)
        for code, ends in assumptions.items()
        if (wrong := wrong_range(ends))
    ]
    measured = _measured(given.get("measured"), found)
    if found:
        raise StrategyError(found)
    table = pl.DataFrame(
        [{key: row.get(key) for key in SCHEMA} for row in given["treatments"]],
        schema=SCHEMA,
        strict=False,
    )
    ranges = {code: (float(low), float(high)) for code, (low, high) in assumptions.items()}
    return Strategy(given["name"], table, _operations(given["operations"]), ranges, measured)


def _operations(given: Mapping[str, Any]) -> Operations:
    kept: dict[str, Any] = {
        name: value if name == "priority" else float(value) for name, value in given.items()
    }
    return Operations(**kept)


def _read(text: str) -> dict[str, Any]:
    if len(text) > MOST_CHARACTERS:
        raise StrategyError([Problem(None, None, "the file is too long to be a strategy")])
    twice: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in items]
        twice.extend({key for key in keys if keys.count(key) > 1} if len(keys) < 200 else ())
        return dict(items)

    def refuse(name: str) -> Any:
        raise StrategyError([Problem(None, None, f"found {name}, expected a number")])

    try:
        given = json.loads(text, object_pairs_hook=pairs, parse_constant=refuse)
    except StrategyError:
        raise
    except (ValueError, RecursionError) as error:
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        problem = Problem(None, None, f"the file is not JSON{where}, so nothing of it was read")
        raise StrategyError([problem]) from error
    if twice:
        raise StrategyError([Problem(name, None, "is there twice") for name in sorted(set(twice))])
    if not isinstance(given, dict):
        raise StrategyError([Problem(None, None, "the file holds no strategy")])
    return given


def _frame_problems(given: Mapping[str, Any]) -> list[Problem]:
    if given.get("format") != FORMAT:
        wrong = f"found {given.get('format')!r}, expected {FORMAT!r}: this is no strategy's file"
        return [Problem("format", None, wrong)]
    version = given.get("version")
    if isinstance(version, bool) or version not in range(1, VERSION + 1):
        wrong = f"found {version!r}, this program reads versions 1 to {VERSION}"
        return [Problem("version", None, wrong)]
    found = [Problem(name, None, "is missing") for name in _NEEDED if name not in given]
    found += [Problem(name, None, "is no field of a strategy") for name in given
              if name not in _KNOWN]  # fmt: skip
    kinds: dict[str, tuple[type, str]] = {
        "operations": (dict, "an object"),
        "treatments": (list, "a list"),
        "assumptions": (dict, "an object"),
    }
    for name, (kind, words) in kinds.items():
        if name in given and not isinstance(given[name], kind):
            found.append(Problem(name, None, f"expected {words}"))
    rows = given.get("treatments")
    if isinstance(rows, list) and not all(isinstance(row, dict) for row in rows):
        found.append(Problem("treatments", None, "expected one object for each row"))
    return found


def _too_new(rows: list[Mapping[str, Any]], version: int) -> list[Problem]:
    """Fields that a file's version has not."""
    return [
        Problem(name, row_label(row), f"is no field of version {version}")
        for row in rows
        for name, first in SINCE.items()
        if version < first and name in row
    ]


def _measured(given: Any, found: list[Problem]) -> tuple[date, date] | None:
    if given is None:
        return None
    try:
        first, last = (date.fromisoformat(day) for day in given)
    except (TypeError, ValueError):
        found.append(Problem("measured", None, "expected two days such as 2026-06-30"))
        return None
    return first, last
