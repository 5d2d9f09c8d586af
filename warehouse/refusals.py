"""What was wrong with a load: collected, counted, listed and written to a report.

A problem names the file, the row (or the key), the column, the value found and
what was expected.  The first twenty of each kind are kept in memory and shown;
all of them go, one JSON object a line, to a report file.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

LISTED = 20
_TOGETHER = 10_000

# Every kind of problem that refuses a load.
KINDS = {
    "directory": "the directory holds no file of the contract",
    "unknown_file": "a CSV or Parquet file that is named after no table",
    "two_files": "a table is there as CSV and as Parquet",
    "missing_table": "a table that the warehouse cannot do without",
    "encoding": "an encoding other than UTF-8 and GB18030",
    "unreadable": "a file that cannot be read",
    "no_header": "a file without a header",
    "repeated_column": "a column named twice",
    "missing_column": "a column that must be there",
    "ragged_row": "a row with more or fewer cells than the header",
    "type": "a value of another type",
    "amount": "an amount that does not fit",
    "null": "nothing where a value must be",
    "code": "an unknown code",
    "limit": "a number outside its limits",
    "month_end": "a month that is not a month-end",
    "date": "a date before 1970 or in the future",
    "closed_before_opened": "closed before it was opened",
    "repeated_key": "a key repeated within one file",
    "reference": "a reference to a row that is not there",
    "restatement": "a different row for a past month",
}
FIELDS = ("kind", "file", "row", "key", "column", "value", "expected")
_SCHEMA = {name: pl.Int64 if name == "row" else pl.String for name in FIELDS}


@dataclass(frozen=True)
class Problem:
    """One reason why a load is refused.

    `row` counts as a spreadsheet does: a CSV's header is row 1; a Parquet
    file's first row is row 1.  `value` is None where nothing was found.
    """

    kind: str
    file: str
    expected: str
    row: int | None = None
    key: str | None = None
    column: str | None = None
    value: str | None = None

    def __str__(self) -> str:
        place = [self.file]
        if self.row is not None:
            place.append(f"row {self.row}")
        if self.key is not None:
            place.append(f"key {_short(self.key)}")
        if self.column is not None:
            place.append(f"column {self.column}")
        found = "nothing" if self.value is None else _short(self.value)
        return f"{', '.join(place)}: found {found}, expected {self.expected}"


class Unreadable(Exception):
    """A file that cannot be read at all; carries its one problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(frozen=True)
class ProblemGroup:
    """The problems of one kind in one column of one file: how many, and the first twenty."""

    kind: str
    file: str
    column: str | None
    count: int
    first: tuple[Problem, ...]

    def lines(self) -> Iterator[str]:
        yield from map(str, self.first)
        if self.count > len(self.first):
            yield f"  ... and {self.count - len(self.first):,} more like this in {self.file}"


class Refused(Exception):
    """A load that was not accepted; the warehouse is as it was."""

    def __init__(self, groups: list[ProblemGroup], report: Path) -> None:
        self.groups = groups
        self.problems = [problem for group in groups for problem in group.first]
        self.count = sum(group.count for group in groups)
        self.report = report
        noun = "problem" if self.count == 1 else "problems"
        lines = [f"The load was refused: {self.count:,} {noun}. The warehouse is as it was."]
        for group in groups:
            lines.extend(group.lines())
        super().__init__("\n".join([*lines, f"All of them are in {report}"]))


class Refusals:
    """Collects problems while files are read; the report file appears with the first one."""

    def __init__(self, report: Path) -> None:
        self.report = report
        self._counts: dict[tuple[str, str, str | None], int] = {}
        self._first: dict[tuple[str, str, str | None], list[Problem]] = {}
        self._waiting: list[Problem] = []
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self.groups())

    def of_file(self, name: str) -> bool:
        """Whether anything is wrong with this file."""
        return any(group.file == name for group in self.groups())

    def add(self, problem: Problem) -> None:
        """Add one problem; many of a kind are better added as a frame.

        Those found one by one (ragged rows, by the CSV reader's own thread) are
        gathered and written together.
        """
        with self._lock:
            self._waiting.append(problem)
            if len(self._waiting) >= _TOGETHER:
                self._flush()

    def add_frame(self, frame: pl.DataFrame) -> None:
        """Add problems given as rows with the columns of `Problem`."""
        with self._lock:
            self._flush()
            self._write(frame)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._write(pl.DataFrame([asdict(problem) for problem in waiting], schema=_SCHEMA))

    def _write(self, frame: pl.DataFrame) -> None:
        if frame.is_empty():
            return
        frame = frame.select(pl.col(name).cast(type_) for name, type_ in _SCHEMA.items())
        self.report.parent.mkdir(parents=True, exist_ok=True)
        with self.report.open("ab") as file:
            frame.write_ndjson(file)
        for group in frame.partition_by("kind", "file", "column", maintain_order=True):
            kind, name, column = group.select("kind", "file", "column").row(0)
            place = (kind, name, column)
            self._counts[place] = self._counts.get(place, 0) + group.height
            first = self._first.setdefault(place, [])
            for row in group.head(LISTED - len(first)).iter_rows(named=True):
                first.append(Problem(**row))

    def groups(self) -> list[ProblemGroup]:
        with self._lock:
            self._flush()
        return [
            ProblemGroup(*place, count=count, first=tuple(self._first[place]))
            for place, count in self._counts.items()
        ]

    def raise_if_any(self) -> None:
        if self:
            raise Refused(self.groups(), self.report)


def _short(value: str, limit: int = 120) -> str:
    """A value in quotes, control characters escaped, cut where it is very long."""
    return repr(value if len(value) <= limit else value[:limit] + "...")
