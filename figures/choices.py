"""A page's choice widened, for what does not depend on all of it: asked once for many choices."""

from __future__ import annotations

from dataclasses import replace

import ui
from queries.filters import Filter


def of_all_segments(view: ui.View) -> ui.View:
    """The same months of the whole book."""
    return replace(view, chosen=Filter(as_of=view.chosen.as_of, window=view.chosen.window))


def of_the_book(view: ui.View) -> ui.View:
    """The whole book as it is published, whatever was chosen."""
    return replace(view, chosen=Filter(as_of=view.book.as_of))
