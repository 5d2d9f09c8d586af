"""One Parquet file per contract table, written a month at a time."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from warehouse.contract import contract

_ARROW = (
    (sa.Numeric, pa.decimal128(18, 2)),
    (sa.DateTime, pa.timestamp("us")),
    (sa.Date, pa.date32()),
    (sa.Boolean, pa.bool_()),
    (sa.Integer, pa.int32()),
)


def arrow_type(type_: sa.types.TypeEngine[object]) -> pa.DataType:
    """The Parquet type of a contract column."""
    if isinstance(type_, sa.Double):
        return pa.float64()
    return next((arrow for kind, arrow in _ARROW if isinstance(type_, kind)), pa.string())


class BookWriter:
    """The sixteen files of a book; every table gets one, empty where nothing happened."""

    def __init__(self, out_dir: Path) -> None:
        out_dir.mkdir(parents=True, exist_ok=True)
        self._out_dir = out_dir
        self._writers: dict[str, pq.ParquetWriter] = {}
        self.rows = dict.fromkeys(contract.tables, 0)

    def write(self, name: str, columns: dict[str, pa.Array]) -> None:
        """Append rows to a table: exactly the contract's columns."""
        table = contract.tables[name]
        wanted = [column.name for column in table.columns]
        if set(wanted) != set(columns):
            raise ValueError(f"{name}: columns {sorted(set(wanted) ^ set(columns))} do not match")
        rows = pa.table([columns[column] for column in wanted], names=wanted)
        if rows.num_rows == 0:
            return
        self._writer(name, rows.schema).write_table(rows, row_group_size=1_000_000)
        self.rows[name] += rows.num_rows

    def _writer(self, name: str, schema: pa.Schema) -> pq.ParquetWriter:
        if name not in self._writers:
            coded = [field.name for field in schema if pa.types.is_dictionary(field.type)]
            self._writers[name] = pq.ParquetWriter(
                self._out_dir / f"{name}.parquet",
                schema,
                compression="snappy",
                use_dictionary=[*coded, "month"],
                store_schema=False,  # coded columns are plain text to whoever reads them
            )
        return self._writers[name]

    def __enter__(self) -> BookWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name, table in contract.tables.items():
            schema = pa.schema([(c.name, arrow_type(c.type)) for c in table.columns])
            self._writer(name, schema)
        for writer in self._writers.values():
            writer.close()
