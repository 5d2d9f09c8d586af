"""Find Chromium for the browser tests: CHROMIUM_PATH, Playwright's own, the system's.

One without windows comes first where there is one: it draws pages alike with less work.

`python -m tests.chromium` installs it from Debian's packages where none is found
and this is Debian as root; elsewhere it says what to do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path


def find_chromium() -> str | None:
    named = os.environ.get("CHROMIUM_PATH")
    if named:
        return named if Path(named).exists() else None
    playwright = Path.home() / ".cache" / "ms-playwright"
    for path in sorted(playwright.glob("chromium-*/chrome-linux*/chrome"), reverse=True):
        return str(path)
    for name in (
        *("chromium-headless-shell", "chromium", "chromium-browser"),
        *("google-chrome", "google-chrome-stable"),
    ):
        found = shutil.which(name)
        if found:
            return found
    return None


def install() -> None:
    if shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(
            [
                *("apt-get", "install", "-y", "-qq", "--no-install-recommends"),
                *("chromium-headless-shell", "fonts-liberation", "fonts-noto-cjk"),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        )
    else:
        sys.exit(
            "The browser tests need Chromium: install it, run `.venv/bin/playwright install"
            " chromium`, or name it in CHROMIUM_PATH."
        )


if __name__ == "__main__":
    if find_chromium() is None:
        install()
    print(f"Chromium: {find_chromium()}")
