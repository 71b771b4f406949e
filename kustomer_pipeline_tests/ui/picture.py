"""Takes the pictures that the README shows: docs/graph.png, docs/plan.png, docs/report.png.

python -m kustomer_pipeline_tests.ui.picture

They are narrow, because GitHub makes a picture as narrow as the telephone that it is looked at with: what is as wide as
a screen cannot be read there any more.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, FloatRect, Page, expect

from kustomer_pipeline_tests.conftest import REPOSITORY

from .stage import Stage, browser, new_window, stage

# More pixels than GitHub shows: sharp on a screen that has them.
SCALE = 2
WIDTH = 600  # of a page of text, in the pixels of the UI
DAYS = 5  # before today, so that there is something to draw
HIGH = 2600  # as much of it as the UI shows without rolling to its end
SHOWN = 1030  # from its beginning
MARGIN = 12
# The lines of each node, and from top to bottom: two nodes wide instead of four.
LOOK = {"asset-node-facets": ["checks", "status", "kind-tag"], "asset-graph-direction": "vertical"}


def main() -> int:
    """The exit status."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        print("There is no Chromium on this machine (Debian: apt-get install chromium)", file=sys.stderr)
        return 1
    pictures: dict[str, Callable[[Browser, Stage, Path], None]] = {
        "graph": take_graph,
        "plan": lambda started, demo, path: take_page(started, demo, "kustomer/customers_plan", "plan", path),
        "report": lambda started, demo, path: take_page(started, demo, "kustomer/customers", "report", path),
    }
    with tempfile.TemporaryDirectory() as folder, stage(Path(folder), days=DAYS) as demo, browser(chromium) as started:
        for name, take in pictures.items():
            path = REPOSITORY / "docs" / f"{name}.png"
            take(started, demo, path)
            print(f"{path.relative_to(REPOSITORY)}: {path.stat().st_size / 1000:.0f} kB")
    return 0


def take_graph(started: Browser, demo: Stage, path: Path) -> None:
    """The four assets of a sync."""
    page = new_window(started, width=1100, height=1000, scale=SCALE).new_page()
    for key, value in LOOK.items():
        page.add_init_script(f"localStorage.setItem({json.dumps(key)}, {json.dumps(json.dumps(value))})")
    page.goto(f"{demo.url}/locations/kustomer_pipeline/asset-groups/customers/lineage")
    expect(page.get_by_text("Materialized", exact=True)).to_have_count(4)
    page.screenshot(path=path, clip=_graph(page))


def take_page(started: Browser, demo: Stage, asset: str, name: str, path: Path) -> None:
    """The page that opens from the metadata `name` of an asset, as wide as a small window."""
    page = new_window(started, width=WIDTH, height=HIGH, scale=SCALE).new_page()
    page.goto(f"{demo.url}/assets/{asset}?view=overview")
    page.locator("tr").filter(has=page.get_by_text(name, exact=True)).get_by_text("[Show Markdown]").first.click()
    text = page.get_by_role("dialog").locator(".dagster-markdown")
    expect(text).to_be_visible()
    page.wait_for_timeout(500)  # the dialog grows into its place
    box = text.bounding_box()
    assert box is not None
    bottom = box["y"] + min(box["height"], SHOWN)
    page.screenshot(path=path, clip=_around(box["x"], box["y"], box["x"] + box["width"], bottom))


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
    return _around(left, top, right, bottom)


def _around(left: float, top: float, right: float, bottom: float) -> FloatRect:
    width, height = right - left + 2 * MARGIN, bottom - top + 2 * MARGIN
    return {"x": left - MARGIN, "y": top - MARGIN, "width": width, "height": height}


if __name__ == "__main__":
    sys.exit(main())
