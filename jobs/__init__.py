"""What runs between loading and reading: the refresh of the marts, and the check of them."""

import os

# Models are fitted two at once: threads of the linear algebra below them would wait on each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
