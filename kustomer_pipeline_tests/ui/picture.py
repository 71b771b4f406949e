"""Takes the picture of the asset graph that the README shows: docs/graph.png.

python -m kustomer_pipeline_tests.ui.picture
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import FloatRect, Page, expect

from kustomer_pipeline_tests.conftest import REPOSITORY

from .stage import browser, new_window, stage

PICTURE = REPOSITORY / "docs" / "graph.png"
# The lines of each node. With its description, because Dagster shows of `kustomer/customers_plan` only the last part.
FACETS = ["checks", "status", "kind-tag", "description"]
MARGIN = 24


def main() -> int:
    """The exit status."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        print("There is no Chromium on this machine (Debian: apt-get install chromium)", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder, stage(Path(folder)) as demo, browser(chromium) as started:
        # More pixels than GitHub shows: sharp on a screen that has them.
        page = new_window(started, scale=1.7).new_page()
        page.add_init_script(f"localStorage.setItem('asset-node-facets', {json.dumps(json.dumps(FACETS))})")
        page.goto(f"{demo.url}/locations/kustomer_pipeline/asset-groups/customers/lineage")
        expect(page.get_by_text("Materialized", exact=True)).to_have_count(4)
        page.screenshot(path=PICTURE, clip=_graph(page))
    print(f"{PICTURE.relative_to(REPOSITORY)}: {PICTURE.stat().st_size / 1000:.0f} kB")
    return 0


def _graph(page: Page) -> FloatRect:
    """Where the nodes are, once they have stopped moving."""
    moving = """() => {
        const boxes = [...document.querySelectorAll('svg foreignObject')].map(node => node.getBoundingClientRect());
        const now = JSON.stringify(boxes);
        const still = boxes.length > 0 && now === window.before;
        window.before = now;
        return still ? boxes : null;
    }"""
    boxes = page.wait_for_function(moving, polling=500).json_value()
    left, top = (min(box[side] for box in boxes) for side in ("left", "top"))
    right, bottom = (max(box[side] for box in boxes) for side in ("right", "bottom"))
    return {
        "x": left - MARGIN,
        "y": top - MARGIN,
        "width": right - left + 2 * MARGIN,
        "height": bottom - top + 2 * MARGIN,
    }


if __name__ == "__main__":
    sys.exit(main())
