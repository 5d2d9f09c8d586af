"""A reader's browser without the screen: a websocket, clicks out, what the server draws in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

RUN_TIMEOUT = 60.0
CACHED_RUNS = 2  # a browser keeps a message this many runs after it was last drawn


@dataclass
class Widget:
    """A filter that the page shows: where it is kept in the address, its options, its value."""

    id: str
    key: str
    kind: str  # selectbox, multiselect or button_group
    options: tuple[str, ...]
    value: tuple[str, ...]
    default: tuple[str, ...]


@dataclass
class Slider:
    """A slider of one number; where the server keeps it at its default, it is not sent."""

    id: str
    least: float
    most: float
    step: float
    value: float | None = None


@dataclass
class Run:
    """One script run as the browser saw it."""

    seconds: float = 0.0
    received_bytes: int = 0
    errors: list[str] = field(default_factory=list)


class Browser:
    """One session.  Every full run redraws the page, so `widgets` are those of the last run."""

    def __init__(self, port: int) -> None:
        self._address = f"ws://127.0.0.1:{port}/_stcore/stream"
        self._cached: dict[str, tuple[int, ForwardMsg]] = {}  # hash -> last run, message
        self._runs = 0
        self._query: dict[str, tuple[str, ...]] = {}
        self.widgets: dict[str, Widget] = {}
        self.sliders: dict[str, Slider] = {}
        self.pages: dict[str, str] = {}  # title -> hash
        self.page = ""

    async def __aenter__(self) -> Browser:
        self._socket = await websockets.connect(
            self._address,
            subprotocols=[websockets.Subprotocol("streamlit")],
            max_size=None,
            open_timeout=RUN_TIMEOUT,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._socket.close()

    async def rerun(self) -> Run:
        """Run the page as it is."""
        message = BackMsg()
        state = message.rerun_script
        state.page_script_hash = self.pages.get(self.page, "")
        state.query_string = urlencode(self._query, doseq=True)
        state.cached_message_hashes.extend(self._cached)
        for widget in self.widgets.values():
            one = state.widget_states.widgets.add(id=widget.id)
            if widget.kind == "selectbox":
                if widget.value:
                    one.string_value = widget.value[0]
            else:
                one.string_array_value.data.extend(widget.value)
                one.string_array_value.SetInParent()
        for slider in self.sliders.values():
            if slider.value is not None:
                one = state.widget_states.widgets.add(id=slider.id)
                one.double_array_value.data.append(slider.value)
        started = time.perf_counter()
        await self._socket.send(message.SerializeToString())
        run = await self._receive()
        run.seconds = time.perf_counter() - started
        return run

    async def go_to(self, title: str) -> Run:
        self.page = title
        return await self.rerun()

    async def choose(self, key: str, *value: str) -> Run:
        """Change one filter, in its widget and in the address, and run."""
        widget = self.widgets[key]
        widget.value = value
        self._query.pop(key, None)
        if value != widget.default:
            self._query[key] = value
        return await self.rerun()

    async def move(self, key: str, value: float) -> Run:
        """Move one slider and run."""
        self.sliders[key].value = value
        return await self.rerun()

    async def _receive(self) -> Run:
        run = Run()
        seen: dict[str, Widget | Slider] = {}
        async with asyncio.timeout(RUN_TIMEOUT):
            while True:
                data = await self._socket.recv(decode=False)
                run.received_bytes += len(data)
                message = self._whole(ForwardMsg.FromString(data))
                kind = message.WhichOneof("type")
                if kind == "delta":
                    self._draw(message.delta.new_element, seen, run)
                elif kind == "navigation":
                    self._note_pages(message.navigation)
                elif kind in ("session_event", "page_not_found"):
                    run.errors.append(f"{kind}: {getattr(message, kind)}"[:300])
                elif kind == "script_finished":
                    if message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                        continue
                    if message.script_finished != ForwardMsg.FINISHED_SUCCESSFULLY:
                        run.errors.append("the script did not finish")
                    self._note_widgets(seen)
                    self._forget_old_messages()
                    return run

    def _note_widgets(self, seen: dict[str, Widget | Slider]) -> None:
        self.widgets = {key: one for key, one in seen.items() if isinstance(one, Widget)}
        self.sliders = {key: one for key, one in seen.items() if isinstance(one, Slider)}

    def _whole(self, message: ForwardMsg) -> ForwardMsg:
        """The message itself, where the server only named one that it sent before."""
        is_name = message.WhichOneof("type") == "ref_hash"
        code = message.ref_hash if is_name else message.hash
        if is_name:
            message = self._cached[code][1]
        if is_name or message.metadata.cacheable:
            self._cached[code] = (self._runs, message)
        return message

    def _forget_old_messages(self) -> None:
        self._runs += 1
        self._cached = {
            code: (last, message)
            for code, (last, message) in self._cached.items()
            if self._runs - last <= CACHED_RUNS
        }

    def _note_pages(self, navigation: Any) -> None:
        self.pages = {page.page_name: page.page_script_hash for page in navigation.app_pages}
        names = {code: name for name, code in self.pages.items()}
        self.page = names[navigation.page_script_hash]

    def _draw(self, element: Any, seen: dict[str, Widget | Slider], run: Run) -> None:
        kind = element.WhichOneof("type")
        if kind == "exception":
            run.errors.append(f"{element.exception.type}: {element.exception.message}"[:300])
        elif kind == "alert" and element.alert.format == element.alert.ERROR:
            run.errors.append(f"error box: {element.alert.body}"[:300])
        elif kind in ("selectbox", "multiselect", "button_group"):
            drawn = getattr(element, kind)
            key = drawn.query_param_key
            if key:
                seen[key] = _widget(kind, drawn, self.widgets.get(key))
        elif kind == "slider" and len(element.slider.default) == 1 and not element.slider.options:
            slider = _slider(element.slider, self.sliders.values())
            seen[slider.id.rpartition("-")[2]] = slider  # the key that the page gave it


def _widget(kind: str, drawn: Any, before: Widget | None) -> Widget:
    """A drawn filter; the server says its value only where it is not what the browser has."""
    options = tuple(
        option.content if kind == "button_group" else option for option in drawn.options
    )
    if kind == "selectbox":
        default = (options[drawn.default],) if drawn.HasField("default") else ()  # none chosen
        told = (drawn.raw_value,) if drawn.raw_value else ()
    else:
        default = tuple(options[place] for place in drawn.default)
        told = tuple(drawn.raw_values)
    kept = before.value if before is not None and before.id == drawn.id else default
    value = told if drawn.set_value else kept
    return Widget(drawn.id, drawn.query_param_key, kind, options, value, default)


def _slider(drawn: Any, before: Iterable[Slider]) -> Slider:
    """A drawn slider; the server says its value only where it is not what the browser has."""
    value = next((one.value for one in before if one.id == drawn.id), None)
    if drawn.set_value:
        value = drawn.value[0]
    return Slider(drawn.id, drawn.min, drawn.max, drawn.step, value)
