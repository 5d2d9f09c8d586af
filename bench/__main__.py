"""The command line: `make bench`, or `python -m bench` with options."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import book, figures, machine
from bench.figures import Figure

PARTS = ("book", "rules", "simulator", "pages", "matrix", "sessions")
RESULTS = Path(__file__).resolve().parent / "results"
_started = time.monotonic()


def say(message: str) -> None:
    print(f"[{time.monotonic() - _started:6.1f} s] {message}", file=sys.stderr, flush=True)


def measured(arguments: argparse.Namespace, place: book.Place) -> list[Figure]:
    """The parts that were asked for, each on the same book."""
    settings = {name: getattr(arguments, name) for name in ("loans", "months", "seed")}
    text = f"{settings['loans']:,} loans x {settings['months']} months, seed {settings['seed']}"
    found = machine.figures(text)
    if set(arguments.only) == {"simulator"}:
        pass  # it makes books of its own
    elif not (arguments.reuse and book.is_there(place, settings)):
        book.make(place, settings, say)
    elif "book" in arguments.only:
        found.append(Figure("machine", "beware", "the book's times are those of an earlier run"))
    for part in arguments.only:
        say(part)
        try:
            found += _part(part, arguments, place)
        except Exception as error:  # noqa: BLE001 - the other parts are still worth measuring
            traceback.print_exc()
            found.append(Figure(part, "FAILED", f"{type(error).__name__}: {error}"[:200]))
    return [*found, machine.load_after()]


def _part(part: str, arguments: argparse.Namespace, place: book.Place) -> list[Figure]:
    from bench import conduct_time, matrix, pages, sessions, simulator_time

    seed = arguments.seed
    if part == "book":
        return book.figures(place)
    if part == "rules":
        return conduct_time.figures(place, seed=seed, filters=arguments.filters)
    if part == "simulator":
        return simulator_time.figures(place)
    if part == "pages":
        return pages.figures(place, seed=seed, filters=arguments.filters, repeats=arguments.repeats)
    if part == "matrix":
        return matrix.figures(place)
    return sessions.figures(
        place,
        sessions=arguments.sessions,
        seconds=arguments.seconds,
        think=arguments.think,
        seed=seed,
    )


def _parts(text: str) -> tuple[str, ...]:
    parts = tuple(text.split(","))
    unknown = set(parts) - set(PARTS)
    if unknown:
        raise argparse.ArgumentTypeError(f"no part {', '.join(unknown)}: {', '.join(PARTS)}")
    return parts


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Make a large synthetic book and measure everything on it.",
        epilog=f"The figures are printed, and kept as JSON and markdown in {RESULTS}.",
    )
    add = parser.add_argument
    add("--loans", type=int, default=1_000_000, help="loans in the book (%(default)s)")
    add("--months", type=int, default=24, help="months of history (%(default)s)")
    add("--seed", type=int, default=7, help="of the book, filters and readers (%(default)s)")
    add("--only", type=_parts, default=PARTS, metavar="PART,...", help=", ".join(PARTS))
    add("--folder", type=Path, help="where to make the book (default: a new one in /tmp)")
    add("--keep", action="store_true", help="keep the folder")
    add("--reuse", action="store_true", help="measure on the book that is in the folder, if any")
    add("--filters", type=int, default=200, help="random filters a page (%(default)s)")
    add("--repeats", type=int, default=30, help="script runs of a kind (%(default)s)")
    add("--sessions", type=int, default=25, help="readers at once (%(default)s)")
    add("--seconds", type=float, default=60, help="how long they read (%(default)s)")
    add("--think", type=float, default=5, help="seconds between their clicks (%(default)s)")
    add("--results", type=Path, default=RESULTS, help="where to keep the figures")
    add("--latest", action="store_true", help="keep them as latest.md too")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    place = book.Place(folder.resolve())
    try:
        found = measured(arguments, place)
    finally:
        if arguments.folder is None and not arguments.keep:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            say(f"the book is kept in {folder}")
    print(figures.as_text(found))
    now = datetime.now(UTC)
    print(f"Kept in {figures.save(found, arguments.results, now, latest=arguments.latest)}")
    return int(any(figure.name == "FAILED" for figure in found))


if __name__ == "__main__":
    sys.exit(main())
