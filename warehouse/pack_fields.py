"""The fields of a rule pack, one after another: held against what they must be, or refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
LONGEST_TEXT = 2000


class PackRefused(Exception):
    """A rule pack that cannot be used: which file, rule and field, and what was expected."""

    def __init__(self, file: str, rule: str | None, field: str | None, problem: str) -> None:
        self.file, self.rule, self.field, self.problem = file, rule, field, problem
        where = [file]
        if rule is not None:
            where.append(f"rule {rule!r}")
        if field is not None:
            where.append(f"field {field!r}")
        super().__init__(f"{', '.join(where)}: {problem}")


class Fields:
    """The fields of one table of a pack's file; what nobody took is unknown."""

    def __init__(self, file: str, rule: str | None, values: dict[str, Any]) -> None:
        self.file, self.rule = file, rule
        self._values = dict(values)
        self._taken: list[str] = []

    def refuse(self, field: str | None, problem: str) -> PackRefused:
        return PackRefused(self.file, self.rule, field, problem)

    def take(self, name: str, expected: str, *, default: Any = ...) -> Any:
        self._taken.append(name)
        if name not in self._values:
            if default is ...:
                raise self.refuse(name, f"is missing; expected {expected}")
            return default
        return self._values.pop(name)

    def _found(self, name: str, value: Any, expected: str) -> PackRefused:
        return self.refuse(name, f"found {value!r}; expected {expected}"[:400])

    def text(self, name: str, *, default: Any = ...) -> str:
        expected = "words"
        value = self.take(name, expected, default=default)
        if value is default:
            return str(value)
        if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_TEXT:
            raise self._found(name, value, f"{expected} of at most {LONGEST_TEXT} characters")
        return value.strip()

    def whole(self, name: str, *, least: int, most: int, default: Any = ...) -> int:
        expected = f"a whole number from {least} to {most}"
        value = self.take(name, expected, default=default)
        if value is default:
            return int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self._found(name, value, expected)
        return value

    def share(self, name: str) -> float:
        expected = "a share above 0 and up to 1"
        value = self.take(name, expected)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
            raise self._found(name, value, expected)
        return float(value)

    def flag(self, name: str) -> bool:
        value = self.take(name, "true or false", default=False)
        if not isinstance(value, bool):
            raise self._found(name, value, "true or false")
        return value

    def day(self, name: str, *, default: Any = ...) -> date:
        expected = "a date, such as 2026-01-30 without quotes"
        value = self.take(name, expected, default=default)
        if isinstance(value, datetime) or not isinstance(value, date):
            raise self._found(name, value, expected)
        return value

    def minute(self, name: str) -> int:
        """A time of day, in minutes since midnight."""
        expected = 'a time from "00:00" to "23:59"'
        value = self.take(name, expected)
        found = _TIME.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise self._found(name, value, expected)
        return int(found[1]) * 60 + int(found[2])

    def choice(self, name: str, known: Sequence[str], *, default: Any = ...) -> str:
        expected = f"one of {', '.join(known)}"
        value = self.take(name, expected, default=default)
        if value not in known or not isinstance(value, str):
            raise self._found(name, value, expected)
        return value

    def several(self, name: str, known: Sequence[Any], *, default: Any = ...) -> tuple[Any, ...]:
        """A list of some of the known values, each once."""
        expected = f"a list of some of {', '.join(map(str, known))}, each once"
        values = self.take(name, expected, default=default)
        if values is default:
            return tuple(values)
        if not isinstance(values, list) or not values:
            raise self._found(name, values, expected)
        odd = [value for value in values if isinstance(value, bool) or value not in known]
        if odd or len(set(map(str, values))) < len(values):
            raise self._found(name, odd[0] if odd else values, expected)
        return tuple(values)

    def tables(self, name: str) -> list[dict[str, Any]]:
        expected = f"one [[{name}]] or more"
        values = self.take(name, expected)
        is_tables = isinstance(values, list) and all(isinstance(one, dict) for one in values)
        if not is_tables or not values:
            raise self._found(name, values, expected)
        return list(values)

    def done(self) -> None:
        """Refuses what nobody took."""
        for name in self._values:
            raise self.refuse(name, f"is unknown; expected {', '.join(self._taken)}")
