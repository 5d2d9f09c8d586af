"""The Simulator's strategies kept: saved by name, shared by link, as a readable file."""

from __future__ import annotations

import streamlit as st

from analytics.strategies import Strategy, of_book
from analytics.strategy_fields import StrategyError
from analytics.strategy_files import from_text, to_text
from charts import format as words
from charts import strategy_messages as messages
from figures import kept_strategies as kept
from figures.simulator import Ground
from pages.strategy import strategy_editor as editor
from ui.targets import signed_in

LINK = "strategy"  # in the address
OPENED = "simulator_link"  # the link in hand, kept while the reader is on other pages
PICKED = "simulator_picked"
SEEN = "simulator_seen"  # name -> the version that this reader has seen
SAID = "simulator_kept_said"


def saved_links() -> dict[str, str]:
    """The saved strategies by label; none, with a sentence, where they cannot be read."""
    found = kept.saved()
    if isinstance(found, str):
        st.warning(found, icon=":material/database_off:")
        return {}
    return found


def link_in_hand(picked: str) -> str | None:
    """The link that the address names, as long as the reader picks nothing else."""
    link = st.query_params.get(LINK)
    state = st.session_state
    if state.get(PICKED, picked) != picked:  # he has picked another beginning since
        link = None
        state.pop(OPENED, None)
        if LINK in st.query_params:
            del st.query_params[LINK]
    elif link is None and OPENED in state:  # he comes back from another page
        link = str(state[OPENED])
        st.query_params[LINK] = link
    state[PICKED] = picked
    if link:
        state[OPENED] = link
    return link


def linked(link: str) -> str:
    """From here on the address names this saved strategy."""
    st.session_state[OPENED] = link
    st.query_params[LINK] = link
    return link


def opened(link: str, ground: Ground) -> Strategy | None:
    """A saved strategy by its link, or a sentence why it cannot be opened."""
    found = kept.read(link)
    if isinstance(found, str):
        st.error(found, icon=":material/link_off:")
        return None
    version, strategy = found
    st.session_state.setdefault(SEEN, {})[version.name] = version.version
    return fitted(strategy, ground)


def fitted(strategy: Strategy, ground: Ground) -> Strategy | None:
    """The strategy if it fits this book, else sentences that say why not."""
    wrong = of_book(strategy, ground.book.segments)
    if not wrong:
        return strategy
    if set(strategy.segments) & set(ground.book.segments):
        st.warning(
            "Not all segments of this strategy are in the choice, or the other way round; the rest"
            " stays as in the baseline. " + " ".join(messages.problem_sentences(wrong[:4])),
            icon=":material/rule:",
        )
        return strategy
    st.error(
        "This strategy is for another book: none of its segments is here.", icon=":material/block:"
    )
    return None


def show(strategy: Strategy, ground: Ground) -> None:
    """Save under a name, share the link, download, or open a file."""
    if said := st.session_state.pop(SAID, None):
        is_good, text = said
        (st.success if is_good else st.error)(text)
    left, right = st.columns(2)
    with left:
        _save(strategy)
    with right:
        _file(strategy, ground)


def _save(strategy: Strategy) -> None:
    by = signed_in()
    if by is None:
        st.info("Sign in to save a strategy.", icon=":material/lock:")
        return
    st.text_input("Name", strategy.name, key="strategy_name", max_chars=200)
    st.button(
        "Save", key="save_strategy", icon=":material/save:", on_click=_keep, args=(strategy, by)
    )


def _keep(strategy: Strategy, by: str) -> None:
    name = st.session_state["strategy_name"]
    seen = st.session_state.setdefault(SEEN, {})
    found = kept.keep(strategy, name, seen=seen.get(name, 0), by=by)
    if isinstance(found, str):
        st.session_state[SAID] = (False, found)
        return
    version, named = found
    seen[version.name] = version.version
    linked(version.link)
    editor.begin(f"link {version.link}", named)
    told = (
        f"Saved as {words.plain(version.name)}, version {version.version}. The address of this"
        " page now opens it: copy it to share."
    )
    st.session_state[SAID] = (True, told)


def _file(strategy: Strategy, ground: Ground) -> None:
    st.download_button(
        "Download as a file",
        data=lambda: to_text(strategy).encode(),
        file_name="strategy.json",
        mime="application/json",
        on_click="ignore",
        key="download_strategy",
        icon=":material/download:",
    )
    given = st.file_uploader("Open a file", type=["json"], key="strategy_file")
    if given is None:
        return
    try:
        read = from_text(given.getvalue().decode("utf-8-sig"))
    except UnicodeDecodeError:
        st.error("The file is not text, so nothing of it was read.", icon=":material/error:")
        return
    except StrategyError as error:
        _say_problems(error)
        return
    if fitted(read, ground) is None:
        return
    if st.session_state.get("strategy_file_taken") != given.file_id:
        st.session_state["strategy_file_taken"] = given.file_id
        editor.begin(st.session_state[editor.BASE][0], read)
        st.rerun()


def _say_problems(error: StrategyError) -> None:
    lines = messages.problem_sentences(error.problems)
    told = "The file was not opened, nothing of it is used. " + " ".join(lines[:8])
    st.error(told, icon=":material/error:")
    if len(lines) > 8:
        st.caption(f"{len(lines) - 8} more like these.")
