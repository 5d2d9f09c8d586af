"""What the last check found, kept beside the marts for the data-quality page."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

RESULT = "check.json"


@dataclass(frozen=True)
class Finding:
    """One kind of thing found: how often, where, and the first keys."""

    kind: str
    table: str
    rows: int
    examples: tuple[str, ...] = ()
    month: str | None = None
    column: str | None = None
    is_failure: bool = False

    def sentence(self) -> str:
        where = self.table + (f".{self.column}" if self.column else "")
        when = f" in {self.month}" if self.month else ""
        first = f"; first: {', '.join(self.examples[:3])}" if self.examples else ""
        mark = "FAILS" if self.is_failure else "finding"
        return f"{mark:>8}  {self.kind} ({where}){when}: {self.rows:,}{first}"


@dataclass(frozen=True)
class CheckOutcome:
    """All findings of one check, and how complete the tables are."""

    checked_at: str
    version: str | None
    findings: tuple[Finding, ...]
    coverage: tuple[dict[str, Any], ...] = field(default=(), repr=False)

    @property
    def failures(self) -> int:
        return sum(finding.is_failure for finding in self.findings)

    def text(self) -> str:
        lines = [finding.sentence() for finding in self.findings]
        verdict = (
            f"The book does not pass: {self.failures} of {len(self.findings)} findings fail it."
            if self.failures
            else "The book passes; 1 finding is listed above."
            if len(self.findings) == 1
            else f"The book passes; {len(self.findings)} findings are listed above."
            if self.findings
            else "The book passes; nothing was found."
        )
        return "\n".join([*lines, verdict])


def keep_outcome(folder: Path, outcome: CheckOutcome) -> None:
    """Replace the kept outcome in one step."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{RESULT}.new"
    draft.write_text(json.dumps(asdict(outcome), ensure_ascii=False), encoding="utf-8")
    os.replace(draft, folder / RESULT)


def last_outcome(folder: Path) -> CheckOutcome | None:
    """What the last check found, or None where none was run."""
    try:
        kept = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    kept["findings"] = tuple(
        Finding(**{**one, "examples": tuple(one["examples"])}) for one in kept["findings"]
    )
    return CheckOutcome(**{**kept, "coverage": tuple(kept["coverage"])})


def load_summaries(folder: Path, *, last: int = 20) -> list[dict[str, Any]]:
    """What the last loads did, accepted or refused, newest first."""
    paths = sorted((folder / "load_reports").glob("load_*.json"), reverse=True)
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths[:last]]
