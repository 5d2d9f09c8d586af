"""A page's choice widened, for what does not depend on all of it: asked once for many choices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import polars as pl
import streamlit as st

import ui
from queries.filters import Filter


def of_all_segments(view: ui.View) -> ui.View:
    """The same months of the whole book."""
    return replace(view, chosen=Filter(as_of=view.chosen.as_of, window=view.chosen.window))


def of_the_book(view: ui.View) -> ui.View:
    """The whole book as it is published, whatever was chosen."""
    return replace(view, chosen=Filter(as_of=view.book.as_of))


def loaded_of_the_book(
    view: ui.View, query: Callable[..., pl.DataFrame], **options: Any
) -> pl.DataFrame:
    """What a query finds in the whole book: asked once for each published version."""
    asked = f"{query.__module__}.{query.__qualname__} {sorted(options.items())!r}"
    return _loaded(f"{view.version} {asked}", query, options, view)


@st.cache_resource(max_entries=256, ttl=3600, show_spinner=False)
def _loaded(
    key: str, _query: Callable[..., pl.DataFrame], _options: dict[str, Any], _view: ui.View
) -> pl.DataFrame:
    return ui.load(of_the_book(_view), _query, **_options)
