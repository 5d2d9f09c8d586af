"""Documentation that lags behind the code fails here."""

from __future__ import annotations

import re
from pathlib import Path

import adbc_driver_postgresql.dbapi as adbc
import duckdb
import pytest

from analytics.definitions import definitions, definitions_page, found_definitions
from jobs.check import check
from jobs.refresh import refresh
from tests.conftest import new_postgres_database
from warehouse.__main__ import main
from warehouse.contract import contract
from warehouse.contract_words import COLUMNS, TABLES, contract_page
from warehouse.engines import duckdb_path

ROOT = Path(__file__).resolve().parent.parent


def test_the_pages_made_from_code_are_up_to_date() -> None:
    assert (ROOT / "docs" / "contract.md").read_text() == contract_page()
    assert (ROOT / "docs" / "metrics.md").read_text() == definitions_page()


def test_every_table_is_described_and_no_description_is_stale() -> None:
    assert set(TABLES) == set(contract.tables)
    for name in COLUMNS:
        table, column = name.split(".")
        assert column in contract.tables[table].columns


def test_the_readme_names_every_command_and_variable() -> None:
    readme = (ROOT / "README.md").read_text()
    for name in ("make run", "make test", "make bench", "make check"):
        assert name in readme
    code = "\n".join(path.read_text() for path in (ROOT / "warehouse").rglob("*.py"))
    for variable in re.findall(r'environ\.get\("(\w+)"', code):
        assert f"`{variable}`" in readme
    for link in re.findall(r"\]\(([^)#]+)\)", readme):
        assert (ROOT / link).exists(), link


@pytest.mark.parametrize("command", ["sample", "load", "refresh", "check"])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    told = " ".join(capsys.readouterr().out.split())
    assert command in told
    bare = re.findall(r"--[\w-]+ [A-Z][A-Z_=-]* (?=--|$)", told.split("options:")[1])
    assert not bare  # an option that is not explained


def test_a_definition_is_found_by_words_in_any_order() -> None:
    found = [one.name for one in definitions() if one.mentions("RATE roll wilson")]
    assert "Roll rate" in found
    assert "Net flow rate" not in found
    names = [one.name for one in found_definitions("roll Rate")]
    assert names[:2] == ["Roll rate", "Roll rates that really changed"]
    assert len(names) > 10


def test_definitions_are_plain_text_whole_after_their_lines_are_joined() -> None:
    for one in definitions():
        for text in one.paragraphs:
            assert not re.search(r"\*\w[^*]*\*|see `[A-Z]", text), one.name
            assert not re.search(r"[a-z]- (?!and |or |to )[a-z]|^None: ", text), one.name


def test_the_projects_files_do_not_mention_what_lies_outside_it() -> None:
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").glob("*")]:
        assert "shared/" not in path.read_text(), path


def run_sql(url: str, text: str) -> None:
    """Statements as a lender types them, in the engine's own shell."""
    if path := duckdb_path(url):
        with duckdb.connect(path) as lender:
            lender.execute(text)
        return
    with adbc.connect(url, autocommit=True) as lender, lender.cursor() as cursor:
        for statement in text.split(";\n"):
            cursor.execute(statement)


@pytest.mark.parametrize("engine", ["duckdb", "postgresql"])
def test_the_readmes_views_make_a_book_that_closes(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    sql = re.search(r"```sql\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert sql
    url = f"duckdb:///{tmp_path / 'lender.duckdb'}"
    if engine == "postgresql":
        url = new_postgres_database(request.getfixturevalue("postgres_server"), empty=True)
    accounts = """
CREATE TABLE accounts (account_no TEXT, product_name TEXT, opened DATE, term INT);
INSERT INTO accounts VALUES ('a', 'x', '2024-01-03', 12), ('b', 'x', '2023-01-03', 9);
CREATE TABLE monthly_accounts (account_no TEXT, month_end DATE, dpd INT,
  balance DECIMAL(18, 2), written_off BOOLEAN, closed BOOLEAN);
INSERT INTO monthly_accounts VALUES
  ('a', '2024-01-31', 0, 10, false, false), ('a', '2024-02-29', 31, 9.5, false, false),
  ('b', '2024-01-31', 0, 10, false, false), ('b', '2024-02-29', 0, 0, false, true);
"""
    run_sql(url, accounts + sql[1].strip().removesuffix(";"))
    result = refresh(url, tmp_path / "marts")
    assert len(result.recomputed) == 2
    assert check(url, tmp_path / "marts").findings == ()
