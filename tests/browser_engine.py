"""Brings a Chromium for the browser tests: what is there, else Debian's package as root, else Playwright's download.

Prints where it is, or says loudly that the browser tests will be skipped and why. With MATRIX_CENSUS_FORBID_SKIPS=1
having none is an error.
"""

import os
import shutil
import subprocess
import sys

from dashboard.bench_browser import find_chromium


def bring_chromium() -> str | None:
    """Find a Chromium or install one."""
    found = find_chromium()
    if found is not None:
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium"]):
            subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL, timeout=600)
    else:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False, timeout=600)
    return find_chromium()


def main() -> int:
    path = bring_chromium()
    if path is not None:
        print(f"Chromium for the browser tests: {path}")
        return 0
    print("*** NO CHROMIUM: it could be neither found nor installed; the browser tests will be SKIPPED. ***")
    print("*** Install one, or name it in MATRIX_CENSUS_CHROMIUM. ***")
    return 1 if os.environ.get("MATRIX_CENSUS_FORBID_SKIPS") else 0


if __name__ == "__main__":
    sys.exit(main())
