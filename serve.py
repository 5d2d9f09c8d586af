"""Start the app: `python serve.py [streamlit options]`.

`streamlit run app.py` works too; but as long as a folder `pages/` lies beside
app.py, the first deep link that a fresh process is asked for would show a
"Page not found" box over the right page.  Our pages are those of
`st.navigation`, so the old discovery of that folder is switched off here.
"""

import os
import sys
import threading

# Pages read small tables, and sessions share the cores: threads of a library's own mostly spin.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("POLARS_MAX_THREADS", "1")

from streamlit.runtime.pages_manager import PagesManager
from streamlit.web.cli import main

PagesManager.uses_pages_directory = False


def _warm() -> None:
    """The simulator's loops are compiled as the server starts, never at somebody's first click."""
    from analytics.simulation import warm

    warm()


if __name__ == "__main__":
    threading.Thread(target=_warm, name="warm", daemon=True).start()
    sys.exit(main(["run", "app.py", *sys.argv[1:]]))
