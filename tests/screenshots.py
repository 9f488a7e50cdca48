"""The pictures of the README: the dashboard of a rehearsed practice federation in a real browser (`make screenshots`).

The census is kept in test-artifacts/screenshots and made only when it is not there. Its figures are synthetic, and the
pictures say so.
"""

import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser_engine import find_chromium
from tests.e2e.conftest import ARTIFACTS, FLAGS, serving
from tests.e2e.visitor import visiting

HOUSE = Path(__file__).resolve().parents[1]
PICTURES = {"overview": "/", "decentralisation": "/decentralisation"}
DAYS, SERVERS = 120, 300
WIDTH_PX, HEIGHT_PX = 1440, 1180


def census() -> Path:
    """A published census with some months of history."""
    path = ARTIFACTS / "screenshots" / "census.duckdb"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        hosting = HOUSE / "data" / "reference" / "practice-hosting.mmdb"
        for verb in (
            ("rehearse", "--days", str(DAYS), "--servers", str(SERVERS), "--profile", "showcase"),
            ("publish", "--geo-db", str(hosting)),
        ):
            command = [sys.executable, "-m", "matrix_census", *verb, "--db", str(path)]
            subprocess.run(command, check=True)
    return path


def main() -> None:
    """Take the pictures."""
    chromium = find_chromium()
    if chromium is None:
        sys.exit("no Chromium: run `make browser-engine`")
    with serving(census()) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        with visiting(browser, site, width=WIDTH_PX) as visitor:
            for name, path in PICTURES.items():
                visitor.open(path)
                target = HOUSE / "dashboard" / f"{name}.png"
                clip = {"x": 0, "y": 0, "width": WIDTH_PX, "height": HEIGHT_PX}
                visitor.page.screenshot(path=target, full_page=True, clip=clip)  # type: ignore[arg-type]  # a FloatRect
                print(target.relative_to(HOUSE))
        browser.close()


if __name__ == "__main__":
    main()
