"""Start the app: `python serve.py [streamlit options]`.

`streamlit run app.py` works too; but as long as a folder `pages/` lies beside
app.py, the first deep link that a fresh process is asked for would show a
"Page not found" box over the right page.  Our pages are those of
`st.navigation`, so the old discovery of that folder is switched off here.
"""

import sys

from streamlit.runtime.pages_manager import PagesManager
from streamlit.web.cli import main

PagesManager.uses_pages_directory = False

if __name__ == "__main__":
    sys.exit(main(["run", "app.py", *sys.argv[1:]]))
