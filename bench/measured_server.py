"""The real server, with a line of CPU time for every script run.

    python -m bench.measured_server LOG [streamlit options]

Starts the app as `serve.py` does.  Each line of LOG is one script run:
`run_ms` process CPU while the script ran, `thread_ms` CPU of its own thread,
`wall_ms`, and `began_ms`, the process's CPU time at its start: from one run's
to the next's is all the work of the server for a click, sending included.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from streamlit.runtime.scriptrunner.script_runner import ScriptRunner

import serve


def log_runs(log: Path) -> None:
    run_script = ScriptRunner._run_script
    output = log.open("a", buffering=1)

    def measured(self: ScriptRunner, rerun_data: Any) -> None:
        wall, thread, cpu = time.perf_counter(), time.thread_time(), time.process_time()
        try:
            run_script(self, rerun_data)
        finally:
            line = {
                "run_ms": (time.process_time() - cpu) * 1000,
                "thread_ms": (time.thread_time() - thread) * 1000,
                "wall_ms": (time.perf_counter() - wall) * 1000,
                "began_ms": cpu * 1000,
            }
            output.write(json.dumps(line) + "\n")

    ScriptRunner._run_script = measured  # type: ignore[method-assign]


if __name__ == "__main__":
    log_runs(Path(sys.argv[1]))
    sys.exit(serve.main(["run", "app.py", *sys.argv[2:]]))
