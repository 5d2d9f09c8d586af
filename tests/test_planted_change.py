"""A planted change of strategy, through the whole chain: quick form of `bench.truths planted`."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.planted_changes import ask


def test_a_change_is_asked_of_the_simulator_beforehand_and_held_against_what_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_DATABASE_URL", f"sqlite:///{tmp_path / 'app.sqlite'}")
    asked = ask(3, {"call": 3.0}, loans=3_000, folder=tmp_path, months=8, after=2)
    assert 0 < asked.real < 0.05 * asked.base
    assert asked.low < asked.mean < asked.high
    assert asked.is_inside
