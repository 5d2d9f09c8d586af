"""Tables of following a complaint up: versions are added, words erased in time.

A version is one thing that somebody did about a complaint.  What people typed stands apart, so that
it can be erased while who did something, and when, stays.
"""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa

from appdata.database import app_data

WordKind = Literal["note", "next_step"]

versions = sa.Table(
    "complaint_versions",
    app_data,
    sa.Column("complaint_id", sa.String(500), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),  # 1, 2, 3 ...
    sa.Column("owner", sa.Text),
    sa.Column("step_version", sa.Integer),  # the version in which the next step was written
    sa.Column("next_due", sa.Date),
    sa.Column("has_note", sa.Boolean, nullable=False),
    sa.Column("written_by", sa.Text, nullable=False),
    sa.Column("written_at", sa.DateTime, nullable=False),  # UTC
)

typed = sa.Table(
    "complaint_words",
    app_data,
    sa.Column("complaint_id", sa.String(500), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String(20), primary_key=True),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("written_at", sa.DateTime, nullable=False),  # UTC
)

erasures = sa.Table(
    "complaint_erasures",
    app_data,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("complaint_id", sa.Text, nullable=False),
    sa.Column("notes", sa.Integer, nullable=False),
    sa.Column("next_steps", sa.Integer, nullable=False),
    sa.Column("kept_days", sa.Integer, nullable=False),
    sa.Column("erased_by", sa.Text, nullable=False),  # whose visit or command set it off
    sa.Column("erased_at", sa.DateTime, nullable=False),  # UTC
)


def are_there(connection: sa.Connection) -> bool:
    """Whether anything can have been written about complaints yet."""
    names = set(sa.inspect(connection).get_table_names())
    return {versions.name, typed.name, erasures.name} <= names


def is_newest() -> sa.ColumnElement[bool]:
    """Whether a row of `versions` is the last of its complaint."""
    later = versions.alias("later")
    return ~(
        sa.exists()
        .where(
            later.c.complaint_id == versions.c.complaint_id,
            later.c.version > versions.c.version,
        )
        .correlate(versions)
    )
