"""The command line: `python -m warehouse sample | load | refresh | check | report`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from warehouse.settings import marts_path, warehouse_url

_started = time.monotonic()


def say(message: str) -> None:
    """Progress goes to the error stream, with seconds since the start."""
    print(f"[{time.monotonic() - _started:6.1f} s] {message}", file=sys.stderr, flush=True)


def _sample(arguments: argparse.Namespace) -> int:
    from warehouse.sample import make_book
    from warehouse.sample.treatments import Change

    make_book(
        arguments.out,
        loans=arguments.loans,
        months=arguments.months,
        seed=arguments.seed,
        last_month=arguments.last_month,
        change=Change(arguments.change_month, dict(arguments.change)),
        progress=say,
    )
    print(f"Wrote a synthetic book to {arguments.out}. Next: python -m warehouse load")
    return 0


def _log_odds(text: str) -> tuple[str, float]:
    channel, _, value = text.partition("=")
    try:
        return channel, float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not CHANNEL=LOG_ODDS") from None


def _load(arguments: argparse.Namespace) -> int:
    from warehouse.load import load

    report = load(
        arguments.directory,
        url=warehouse_url(),
        restate=arguments.restate,
        progress=say,
        reports=marts_path() / "load_reports",
    )
    print(report)
    print("Next: python -m warehouse refresh")
    return 0


def _refresh(arguments: argparse.Namespace) -> int:
    from jobs.refresh import refresh

    result = refresh(warehouse_url(), marts_path(), bounds=arguments.bounds, progress=say)
    done = ", ".join(f"{month:%Y-%m}" for month in result.recomputed) or "none"
    print(f"Published {result.path.name} in {result.seconds:.1f} s; months recomputed: {done}.")
    recovery, conduct, segments = result.recovery, result.conduct, result.segments
    print(
        f"Portfolio: {result.portfolio:.1f} s. Recovery: {recovery.seconds:.1f} s;"
        f" recomputed: {len(recovery.cohorts)} cohorts, {len(recovery.months)} months."
        f" Conduct: {conduct.seconds:.1f} s; replayed: {len(conduct.months)} months."
        f" Segments: {segments.seconds:.1f} s; recomputed: {len(segments.months)} months,"
        f" {len(segments.cohorts)} cohorts. Publishing: {result.publishing:.1f} s."
    )
    for sentence in conduct.refusals:
        print(sentence)
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from jobs.check import check

    outcome = check(warehouse_url(), marts_path(), progress=say)
    print(outcome.text())
    return 1 if outcome.failures else 0


def _report(arguments: argparse.Namespace) -> int:
    from jobs.conduct_report import write_conduct_report

    files, fingerprint = write_conduct_report(
        warehouse_url(),
        marts_path(),
        arguments.month,
        arguments.to,
        breaches=arguments.breaches,
        progress=say,
    )
    print(f"Wrote {' and '.join(map(str, files))}. Data fingerprint: {fingerprint}")
    return 0


def _erase_notes(arguments: argparse.Namespace) -> int:
    from getpass import getuser

    from appdata.retention import erase_old_notes, keep_days
    from charts.sentences import plural

    done = erase_old_notes(by=f"command of {getuser()}")
    notes, steps = sum(one.notes for one in done), sum(one.next_steps for one in done)
    print(
        f"Erased of {plural(len(done), 'complaint')}: {plural(notes, 'note')} and"
        f" {plural(steps, 'next step')}, older than {keep_days()} days."
    )
    return 0


def _contract(arguments: argparse.Namespace) -> int:
    from warehouse.contract_words import contract_page

    print(contract_page(), end="")
    return 0


def _metrics(arguments: argparse.Namespace) -> int:
    from analytics.definitions import definitions_page

    print(definitions_page(), end="")
    return 0


def _ready(arguments: argparse.Namespace) -> int:
    """Set up what `make run` needs, and no more than is missing."""
    from warehouse.engines import duckdb_path, session
    from warehouse.published import current_version

    path = duckdb_path(warehouse_url())
    is_empty = path is not None and not Path(path).exists()
    if path is not None and not is_empty:
        with session(warehouse_url(), wait_seconds=30) as facts:
            is_empty = not facts.tables()  # a first load that was stopped leaves an empty file
    if path is not None and is_empty:
        say("there is no warehouse yet: making a synthetic book")
        folder = Path(path).parent / "sample"
        main(["sample", "--out", str(folder)])
        main(["load", str(folder)])
    if current_version(marts_path()) is None:
        status = main(["refresh"])
        return status or min(main(["check"]), 0)
    return 0


def _bounds(text: str) -> tuple[int, ...]:
    from warehouse.buckets import bucket_codes

    try:
        bounds = tuple(int(part) for part in text.split(","))
        bucket_codes(bounds)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return bounds


def _month(text: str) -> date:
    """The last day of a month that is written YYYY-MM."""
    try:
        if len(text) != 7:
            raise ValueError(text)
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no month; write it as 2026-06") from None
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _breaches(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 20_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to 20000")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m warehouse",
        description="From a lender's files to the numbers that the app shows.",
        epilog="WAREHOUSE_URL says where the facts are (any SQLAlchemy URL; default: a DuckDB"
        " file in ./var). MARTS_PATH is the folder of the marts (default: ./var/marts)."
        " The usual order: load, refresh, check; then open the app with `make run`.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    sample = commands.add_parser("sample", help="make a synthetic book, as files to load")
    sample.add_argument("--loans", type=int, default=20_000, help="how many loans (%(default)s)")
    sample.add_argument("--months", type=int, default=24, help="months of history (%(default)s)")
    sample.add_argument("--seed", type=int, default=7, help="same seed, same rows (%(default)s)")
    sample.add_argument(
        "--last-month",
        type=date.fromisoformat,
        default=date(2026, 6, 30),
        metavar="YYYY-MM-DD",
        help="the month-end with which the book ends (%(default)s)",
    )
    sample.add_argument(
        "--change-month",
        type=date.fromisoformat,
        metavar="YYYY-MM-DD",
        help="plant another strategy from the month that ends on this day on",
    )
    sample.add_argument(
        "--change",
        type=_log_odds,
        action="append",
        default=[],
        metavar="CHANNEL=LOG_ODDS",
        help="with it: a channel is attempted more often (call=1.5) or less (visit=-1); repeatable",
    )
    sample.add_argument("--out", type=Path, default=Path("sample"), help="folder (%(default)s)")
    sample.set_defaults(run=_sample)
    load = commands.add_parser(
        "load", help="load a folder of CSV or Parquet files, all of it or nothing"
    )
    load.add_argument(
        "directory",
        type=Path,
        nargs="?",
        default=Path("sample"),
        help="one file per table, named after it (%(default)s)",
    )
    load.add_argument(
        "--restate", action="store_true", help="accept changed rows of past loan months"
    )
    load.set_defaults(run=_load)
    refresh = commands.add_parser(
        "refresh", help="recompute what loads touched and publish it to the app"
    )
    refresh.add_argument(
        "--bounds",
        type=_bounds,
        metavar="30,60,...",
        help="upper days of the buckets (default: as published, else 30,60,...,180,270,360)",
    )
    refresh.set_defaults(run=_refresh)
    check = commands.add_parser(
        "check", help="reconcile and list findings; exits 1 where the book does not close"
    )
    check.set_defaults(run=_check)
    report = commands.add_parser(
        "report", help="write a report for an auditor: an Excel workbook, a PDF or both"
    )
    report.add_argument("subject", choices=["conduct"], help="contact rules and complaints")
    report.add_argument(
        "--month", type=_month, required=True, metavar="YYYY-MM", help="the month it is about"
    )
    report.add_argument(
        "--to",
        type=Path,
        required=True,
        metavar="FILE",
        help="ends in .xlsx or .pdf; without an ending both are written",
    )
    report.add_argument(
        "--breaches",
        type=_breaches,
        default=1_000,
        metavar="N",
        help="how many breaches of each rule are shown as evidence, the latest first (%(default)s)",
    )
    report.set_defaults(run=_report)
    erase = commands.add_parser(
        "erase-notes", help="erase notes on complaints that are older than NOTES_KEEP_DAYS"
    )
    erase.set_defaults(run=_erase_notes)
    contract = commands.add_parser("contract", help="print the tables and columns to fill")
    contract.set_defaults(run=_contract)
    metrics = commands.add_parser("metrics", help="print what every number means")
    metrics.set_defaults(run=_metrics)
    ready = commands.add_parser(
        "ready", help="what `make run` does first: a synthetic book if there is no warehouse"
    )
    ready.set_defaults(run=_ready)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    from appdata.database import AppDatabaseUnavailable
    from jobs.refresh import RefreshRefused
    from reports.parts import ReportRefused
    from warehouse.engines import WarehouseUnavailable
    from warehouse.refusals import Refused
    from warehouse.sample.months import NoSuchBook

    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except WarehouseUnavailable as error:
        print(f"Not done: {error}.", file=sys.stderr)
        return 1
    except AppDatabaseUnavailable as error:
        print(f"Not done: {error}", file=sys.stderr)
        return 1
    except (NoSuchBook, Refused, RefreshRefused, ReportRefused) as error:
        print(f"Refused: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; the warehouse is as it was.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
