"""The auditor's report: what it counts, that it says the same twice, and what it refuses."""

from __future__ import annotations

import datetime as dt
import io
import shutil
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import duckdb
import pytest

from charts.complaint_words import labels
from jobs.refresh import refresh
from queries.marts import open_marts, read_book
from reports.conduct import conduct_report
from reports.conduct_counts import NOBODY
from reports.files import files_of
from reports.parts import Report
from reports.pdf import pdf
from reports.workbook import workbook
from tests.books import put
from tests.conftest import new_postgres_database
from tests.lender import write
from tests.recovery_books import case_book, contact
from ui.conduct_report import _made
from warehouse.__main__ import main
from warehouse.engines import session
from warehouse.published import current_version

MAY = dt.date(2024, 5, 31)
FORMULA, MARKUP = "=cmd|' /C calc'!A0", "<b>T&T</b> 协会 🙂"
PACK = """
id = "mine"
jurisdiction = "here"
title = "House rules"
source = "中国银行业协会 <i>"
valid_from = 2024-01-01

[[rules]]
id = "night"
kind = "quiet_hours"
sentence = "No contact from 22:00 to 08:00 without consent & care."
from = "22:00"
to = "08:00"
unless_consent = true

[[rules]]
id = "weekly"
kind = "rolling_cap"
sentence = "At most 1 call in 7 days."
at_most = 1
days = 7
channels = ["call"]
valid_from = 2024-05-20

[[rules]]
id = "listed"
kind = "listed_agency"
sentence = "Agencies are on the list."

[[rules]]
id = "kept"
kind = "kept_years"
sentence = "Records are kept."
years = 2
"""
SLEEPLESS = [  # at night, in May: their hour, and whether the debtor agreed
    ("05-06T22:00:00", None, "K1"), ("05-07T07:59:59", False, "K1"),
    ("05-08T08:00:00", None, "K1"), ("05-09T23:00:00", True, "K1"),
    ("05-10T03:00:00", None, "-K9"), ("05-11T21:59:59", None, "-K9"),
]  # fmt: skip


def log() -> list[dict[str, Any]]:
    rows = [
        contact(20 + place, "c1", "C", at, "no_answer", channel="sms", has_consent=agreed,
                collector_id=who)
        for place, (at, agreed, who) in enumerate(SLEEPLESS)
    ]  # fmt: skip
    rows += [contact(30 + day, "b1", "B", f"05-{day}T10:00", "no_answer") for day in (15, 16, 21)]
    rows[0]["contact_id"] = FORMULA
    return rows


def book() -> dict[str, list[dict[str, Any]]]:
    found = case_book()
    found["contacts"] += log()
    found["collectors"].append({"collector_id": "-K9", "team": MARKUP})
    names = ("complaint_id", "received_at", "resolved_at", "grade", "intake", "category")
    days = [(1, "04-20", "05-06"), (2, "05-01", None), (3, "05-31", None), (4, "06-01", None)]
    found["complaints"] = [
        dict(zip(names, (f"@{number}", at(came), at(done), 4, "hotline", "frequency"), strict=True))
        for number, came, done in days
    ]
    return found


def at(day: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(f"2024-{day}T12:00") if day else None


def refreshed(url: str, folder: Path) -> Path:
    write(folder / "packs" / "contact", mine__toml=PACK)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RULE_PACKS", str(folder / "packs"))
        patch.setenv("CONTACT_PACK", "mine")
        put(url, **book())
        refresh(url, folder / "marts")
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the facts and the marts of the book."""
    folder = tmp_path_factory.mktemp("report")
    return refreshed(f"duckdb:///{folder / 'facts.duckdb'}", folder)


@pytest.fixture
def use(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The command line on that book; a folder to write into."""
    monkeypatch.setenv("WAREHOUSE_URL", f"duckdb:///{made / 'facts.duckdb'}")
    monkeypatch.setenv("MARTS_PATH", str(made / "marts"))
    return tmp_path


def report_of(folder: Path, url: str = "", **more: Any) -> Report:
    path = current_version(folder / "marts")
    assert path is not None
    marts = open_marts(path)
    try:
        with session(url or f"duckdb:///{folder / 'facts.duckdb'}") as facts:
            return conduct_report(marts, read_book(marts), path.name, facts, MAY, **more)
    finally:
        marts.close()


@pytest.fixture(scope="module")
def report(made: Path) -> Report:
    return report_of(made)


def cells(content: bytes) -> dict[str, list[list[Any]]]:
    """A workbook's values by sheet, read by hand: texts, numbers, and formulas as (formula,)."""
    space = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        parts = {name: ElementTree.fromstring(file.read(name)) for name in file.namelist()
                 if name.endswith(".xml")}  # fmt: skip
    texts = [
        "".join(one.itertext()) for one in parts["xl/sharedStrings.xml"].findall("x:si", space)
    ]
    names = [sheet.get("name") for sheet in parts["xl/workbook.xml"].iter(f"{{{space['x']}}}sheet")]
    found: dict[str, list[list[Any]]] = {}
    for number, name in enumerate(names, start=1):
        rows = parts[f"xl/worksheets/sheet{number}.xml"].findall(".//x:row", space)
        found[str(name)] = [[_cell(one, texts, space) for one in row] for row in rows]
    return found


def _cell(cell: Any, texts: list[str], space: dict[str, str]) -> Any:
    if (formula := cell.find("x:f", space)) is not None:
        return (formula.text,)
    value = cell.findtext("x:v", namespaces=space)
    if value is None:
        return None
    return texts[int(value)] if cell.get("t") == "s" else float(value)


def test_the_workbooks_counts_are_those_of_the_log(report: Report) -> None:
    sheets = cells(workbook(report))
    attempts = [row for row in book()["contacts"] if row["contacted_at"].month == 5
                and row["direction"] == "outbound"]  # fmt: skip
    awake = [row for row in attempts if not row.get("has_consent")]
    quiet = [row for row in awake if not 8 <= row["contacted_at"].hour < 22]
    night = next(row for row in sheets["Breaches"] if row[:2] == ["mine", "night"])
    assert night[2:6] == [len(quiet), 2, len(attempts), 1000 * len(quiet) / len(attempts)]
    own = [row for row in quiet if row.get("collector_id") == "-K9"]
    by_collector = next(row for row in sheets["By collector"] if row[1:3] == ["night", "-K9"])
    assert by_collector[3:7] == [len(own), 1, 2, 1000 * len(own) / 2]
    # of the calls of B on 3, 15, 16 and 21 May the last two came too soon, one of them in force
    weekly = next(row for row in sheets["Breaches"] if row[:2] == ["mine", "weekly"])
    assert (weekly[2], weekly[4], weekly[-1]) == (1, 1, 1)
    channel = next(row for row in sheets["Coverage"] if row[0] == "sms")
    assert (channel[1], channel[4], channel[5]) == (len(SLEEPLESS), 1, 1)
    graded = next(row for row in sheets["Complaints"] if row[0] == "4")
    assert graded[1:4] == [2, 1, 2]  # received on the 1st and 31st; one of April was resolved
    due = next(row for row in sheets["Complaints"] if row[:2] == ["resolved", "resolved"])
    assert due[2:6] == [2, 0, 1, 1]  # due on 5 May, closed a day late; due on the 16th, open


def test_the_evidence_is_the_breach_and_what_makes_it_one(report: Report) -> None:
    sheets = cells(workbook(report))
    (weekly,) = [rows for rows in sheets.values() if rows[0] == ["Evidence: mine, weekly"]]
    assert [row[:4] for row in weekly if row and row[0] == "t51"] == [
        ["t51", "before", "2024-05-15 10:00:00", "t45"],
        ["t51", "before", "2024-05-16 10:00:00", "t46"],
        ["t51", "this", "2024-05-21 10:00:00", "t51"],
    ]


def test_a_missing_team_is_called_as_on_the_page() -> None:
    assert NOBODY["team"] == labels("team", [None])[None]


def test_what_is_left_out_is_counted(made: Path) -> None:
    sheets = cells(workbook(report_of(made, breaches=1)))
    words = next(row[0] for row in sheets["Evidence 1"] if "left out" in str(row[0]))
    assert words.startswith("1 of 4 breaches are shown; 3 are left out.")
    assert "The limit is the latest 1 of a rule." in words


def test_text_that_looks_like_a_formula_stays_text(report: Report) -> None:
    content = workbook(report)
    values = [value for rows in cells(content).values() for row in rows for value in row]
    assert FORMULA in values
    assert "-K9" in values
    assert not [value for value in values if isinstance(value, tuple)]
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert not [name for name in file.namelist() if "hyperlink" in name]
        assert 'quotePrefix="1"' in file.read("xl/styles.xml").decode()


def test_the_pdf_names_each_rule_and_shows_markup_as_it_is(report: Report) -> None:
    page = pdf(report, is_compressed=False)
    for rule in ("night", "weekly", "listed", "kept"):
        assert f"({rule})".encode() in page, rule
    for words in ("not legal advice", "consent & care", "<b>T&T</b>", "U+1F642", "STSong-Light"):
        assert words.encode() in page, words
    assert "中国银行业协会".encode("utf-16-be") in _unescaped(page)


def _unescaped(page: bytes) -> bytes:
    """Octal and backslash escapes of PDF strings undone."""
    out, place = bytearray(), 0
    while place < len(page):
        if page[place : place + 1] != b"\\":
            out.append(page[place])
            place += 1
        elif page[place + 1 : place + 4].isdigit():
            out.append(int(page[place + 1 : place + 4], 8))
            place += 4
        else:
            named = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
            letter = page[place + 1 : place + 2]
            out += named.get(letter, letter)
            place += 2
    return bytes(out)


def test_the_command_writes_both_files_and_the_same_bytes_again(
    use: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two"):
        assert main(["report", "conduct", "--month", "2024-05", "--to", str(use / name)]) == 0
        assert "Data fingerprint: " in capsys.readouterr().out
    assert sorted(path.name for path in use.iterdir()) == [
        "one.pdf", "one.xlsx", "two.pdf", "two.xlsx"
    ]  # fmt: skip
    for ending in (".xlsx", ".pdf"):
        assert (use / f"one{ending}").read_bytes() == (use / f"two{ending}").read_bytes()
    assert files_of(use / "loud.PDF") == (use / "loud.PDF",)


def test_the_facts_engine_changes_nothing_and_later_facts_are_told(
    made: Path, report: Report, postgres_server: str
) -> None:
    url = new_postgres_database(postgres_server)
    put(url, **book())
    same = report_of(made, url)
    assert same.fingerprint == report.fingerprint
    put(url, contacts=[contact(99, "c1", "C", "05-30T23:00", "no_answer", channel="sms")])
    loaded = report_of(made, url)
    assert loaded.fingerprint != same.fingerprint
    assert any(words.startswith("ATTENTION: 1 count ") for words in loaded.sections[0].words)


@pytest.mark.parametrize(
    ("month", "to", "says"),
    [
        ("2023-12", "r.xlsx", "no month 2023-12"),
        ("2024-04", "r.xlsx", "no outbound contacts in 2024-04"),
        ("2024-05", "r.docx", "r.docx ends in .docx"),
        ("2024-05", "missing/r.pdf", "there is no folder"),
        ("2024-05", "folder.pdf", "is a folder"),
        ("2024-05", "x" * 300 + ".pdf", "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said_plainly_and_nothing_is_written(
    month: str, to: str, says: str, use: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (use / "folder.pdf").mkdir()
    assert main(["report", "conduct", "--month", month, "--to", str(use / to)]) == 1
    error = capsys.readouterr().err
    assert "Refused: " in error
    assert says in error
    assert [path.name for path in use.rglob("*")] == ["folder.pdf"]


@pytest.mark.parametrize("month", ["2024-13", "June", "2024-5", "2024-W05"])
def test_a_month_that_is_none_is_refused(
    month: str, use: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["report", "conduct", "--month", month, "--to", str(use / "r.pdf")])
    assert stopped.value.code == 2
    assert "is no month; write it as 2026-06" in capsys.readouterr().err


def test_marts_of_an_earlier_version_or_none_are_refused(
    use: Path, made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ask = ["report", "conduct", "--month", "2024-05", "--to", str(use / "r.pdf")]
    monkeypatch.setenv("MARTS_PATH", str(use / "marts"))
    assert main(ask) == 1
    assert "there are no published marts" in capsys.readouterr().err
    shutil.copytree(made / "marts", use / "marts")
    path = current_version(use / "marts")
    with duckdb.connect(str(path)) as old:
        old.execute("DROP TABLE breaches")
    assert main(ask) == 1
    assert "have no contact rules" in capsys.readouterr().err


def test_the_button_makes_the_commands_file(use: Path, made: Path) -> None:
    class View:
        path = current_version(made / "marts")
        assert path is not None
        marts = open_marts(path)
        book = read_book(marts)
        version = str(path)

    assert main(["report", "conduct", "--month", "2024-05", "--to", str(use / "r.xlsx")]) == 0
    assert _made(workbook, View(), MAY) == (use / "r.xlsx").read_bytes()  # type: ignore[arg-type]
