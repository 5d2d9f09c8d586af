"""Writing a report's files: whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from reports.parts import Report, ReportRefused
from reports.pdf import pdf
from reports.workbook import workbook

WAYS: Mapping[str, Callable[[Report], bytes]] = {".xlsx": workbook, ".pdf": pdf}


def files_of(name: Path) -> tuple[Path, ...]:
    """The files that a name asks for: one of its ending, both where it has none."""
    ending = name.suffix.lower()
    if ending and ending not in WAYS:
        known = " or ".join(WAYS)
        raise ReportRefused(
            f"{name.name} ends in {name.suffix}; a report ends in {known}, or has no ending for"
            " both."
        )
    if not name.name:
        raise ReportRefused(f"{name} is a folder; a file is named.")
    files = (name,) if ending else tuple(name.with_name(name.name + one) for one in WAYS)
    for path in (name, *files):
        if os.path.isdir(path):  # Path.is_dir raises where a name is too long
            raise ReportRefused(f"{path} is a folder; a file is named.")
    if not os.path.isdir(name.parent):
        raise ReportRefused(f"there is no folder {name.parent} to write {name.name} into.")
    return files


def write(report: Report, files: tuple[Path, ...]) -> None:
    """Write the files beside their places, then put all of them there."""
    made = {path: WAYS[path.suffix.lower()](report) for path in files}
    beside = {path: path.with_name(f".{path.name}.{os.getpid()}.new") for path in files}
    try:
        for path, content in made.items():
            beside[path].write_bytes(content)
        for path in files:
            os.replace(beside[path], path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ReportRefused(f"{files[0]} cannot be written: {reason}.") from error
    finally:
        for path in beside.values():
            with suppress(OSError):  # it is not there, or was never made
                path.unlink()
