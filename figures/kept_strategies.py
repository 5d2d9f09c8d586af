"""Simulator: strategies that were saved; what cannot be read or kept is a sentence instead."""

from __future__ import annotations

from dataclasses import dataclass

from analytics.strategies import Strategy
from analytics.strategy_fields import StrategyError
from analytics.strategy_files import from_text, to_text
from appdata import strategies as kept
from appdata.database import AppDatabaseUnavailable
from charts import format as words
from charts import strategy_messages as messages


@dataclass(frozen=True)
class Kept:
    """A saved version: what its link names, its name, which version of it."""

    link: str
    name: str
    version: int


def saved() -> dict[str, str] | str:
    """The links of the saved strategies by label, the last saved first."""
    try:
        return {f"{one.name} (saved)": one.id for one in kept.saved()}
    except AppDatabaseUnavailable as error:
        return f"{error} Saved strategies are not shown."


def read(link: str) -> tuple[Kept, Strategy] | str:
    """The saved strategy of a link, or why it cannot be opened."""
    try:
        found = kept.one(link)
        strategy = from_text(found.text)
    except kept.StrategyGone as error:
        return _gone(error)
    except AppDatabaseUnavailable as error:
        return str(error)
    except StrategyError as error:
        lines = messages.problem_sentences(error.problems)
        return "The saved strategy cannot be read. " + " ".join(lines[:8])
    version = found.version
    return Kept(version.id, version.name, version.version), strategy


def keep(strategy: Strategy, name: str, *, seen: int, by: str) -> tuple[Kept, Strategy] | str:
    """Save a strategy under a name as the version after `seen`, or say why not; then nothing is
    kept."""
    try:
        named = strategy.named(name)
        row = kept.save(name, to_text(named), seen=seen, by=by)
    except StrategyError as error:
        return "Not saved. " + " ".join(messages.problem_sentences(error.problems))
    except kept.NameTaken as error:
        newest = error.newest
        return messages.taken_sentence(newest.name, newest.saved_by, words.moment(newest.saved_at))
    except kept.StrategyGone as error:
        return _gone(error)
    except (kept.StrategyRefused, AppDatabaseUnavailable) as error:
        return f"Not saved. {words.plain(str(error))}"
    return Kept(row.id, row.name, row.version), named


def _gone(error: kept.StrategyGone) -> str:
    if error.deleted is None:
        return messages.gone_sentence(None)
    return messages.gone_sentence((error.deleted.saved_by, words.moment(error.deleted.saved_at)))
