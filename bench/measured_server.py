"""The real server, with a line of CPU time for every script run.

    python -m bench.measured_server LOG [streamlit options]

Starts the app as `serve.py` does.  Each line of LOG is one script run:
`run_ms` process CPU while the script ran, `thread_ms` CPU of its own thread,
`wall_ms`, and `began_ms`, the process's CPU time at its start: from one run's
to the next's is all the work of the server for a click, sending included.
`first_ms`: process CPU until the run sent its headline, the sentences that a
page begins with; null where it sent none.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as serve.py has it, before numpy is there

from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext

import serve

HEADLINE = "##### "


def log_runs(log: Path) -> None:
    run_script, enqueue = ScriptRunner._run_script, ScriptRunContext.enqueue
    output = log.open("a", buffering=1)

    first: dict[int, float] = {}  # by thread: the process's CPU at the headline

    def sent(self: ScriptRunContext, message: Any) -> None:
        body = message.delta.new_element.markdown.body  # empty where it is anything else
        if body.startswith(HEADLINE):
            first.setdefault(threading.get_ident(), time.process_time())
        enqueue(self, message)

    def measured(self: ScriptRunner, rerun_data: Any) -> None:
        wall, thread, cpu = time.perf_counter(), time.thread_time(), time.process_time()
        try:
            run_script(self, rerun_data)
        finally:
            told = first.pop(threading.get_ident(), None)
            line = {
                "first_ms": None if told is None else (told - cpu) * 1000,
                "run_ms": (time.process_time() - cpu) * 1000,
                "thread_ms": (time.thread_time() - thread) * 1000,
                "wall_ms": (time.perf_counter() - wall) * 1000,
                "began_ms": cpu * 1000,
            }
            output.write(json.dumps(line) + "\n")

    ScriptRunner._run_script = measured  # type: ignore[method-assign]
    ScriptRunContext.enqueue = sent  # type: ignore[assignment,method-assign]


if __name__ == "__main__":
    log_runs(Path(sys.argv[1]))
    sys.exit(serve.main(["run", "app.py", *sys.argv[2:]]))
