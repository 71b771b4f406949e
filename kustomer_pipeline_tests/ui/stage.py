"""The demo, set up to be looked at: one run, a few changes since, the plans of them, and the Dagster UI."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import yaml
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from kustomer_pipeline.demo.graph import plan_all, sync_all
from kustomer_pipeline.demo.local import answers, last_lines, local_kustomer, prepare, process, use, wait_for
from kustomer_pipeline.demo.seed import Edit, edit

# In a container there is no sandbox for it and no graphics card; nothing is fetched that nobody asked for.
CHROMIUM = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
PATIENCE = 20_000  # milliseconds; a busy machine is not a bug
PROJECT = {"module_name": "kustomer_pipeline.definitions", "location_name": "kustomer_pipeline"}


@dataclass(frozen=True)
class Stage:
    """Where to look: the Dagster UI, the page of the sandbox, the warehouse; and what was changed in it."""

    url: str
    kustomer_url: str
    warehouse: Path
    day: Edit


@contextmanager
def stage(folder: Path, other_locations: Sequence[dict[str, str]] = (), days: int = 0) -> Iterator[Stage]:
    """For as long as the body runs. `other_locations` are loaded beside the project; `days`: synced before today."""
    warehouse = prepare(folder)
    with local_kustomer(folder) as kustomer:
        environment = use(folder, warehouse, kustomer)
        # In a process of its own: that of the tests keeps its environment.
        done = folder / "changes.json"
        runs = [sys.executable, "-m", __name__, str(warehouse), str(done), str(days)]
        log = folder / "runs.log"
        with process(runs, log, environment=environment, folder=folder) as running:
            assert running.wait() == 0, last_lines(log, 50)
        workspace = folder / "workspace.yaml"
        workspace.write_text(
            yaml.safe_dump({"load_from": [{"python_module": each} for each in (PROJECT, *other_locations)]})
        )
        port = free_port()
        command = [sys.executable, "-m", "dagster_webserver", "-w", str(workspace), "-h", "127.0.0.1", "-p", str(port)]
        log = folder / "webserver.log"
        with process(command, log, environment=environment, folder=folder) as running:
            wait_for(running, "The Dagster UI", log, lambda: answers(f"http://127.0.0.1:{port}/server_info"))
            yield Stage(f"http://127.0.0.1:{port}", kustomer.url, warehouse, changes_in(done))


def free_port() -> int:
    """Of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def browser(executable: str) -> Iterator[Browser]:
    """The Chromium of the operating system."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=list(CHROMIUM))
        yield started
        started.close()


def new_window(browser: Browser, width: int = 1500, height: int = 950, scale: float = 1) -> BrowserContext:
    """A window whose pages are patient."""
    window = browser.new_context(viewport={"width": width, "height": height}, device_scale_factor=scale)
    window.set_default_timeout(PATIENCE)
    return window


def changes_in(path: Path) -> Edit:
    """What `_play` has written down."""
    values = yaml.safe_load(path.read_text())
    return Edit(values["new_customer"], tuple(values["upgraded"]), values["left_vips"], values["joined_vips"])


def _play(warehouse: Path, done: Path, days: int) -> None:
    from kustomer_pipeline.definitions import defs

    with dg.DagsterInstance.get() as instance:
        failures = [*sync_all(defs, instance).failures]
        for number in range(days):
            for _ in range(1 + number % 3):  # some days are busier than others
                edit(warehouse)
            failures += sync_all(defs, instance).failures
        day = edit(warehouse)
        failures += plan_all(defs, instance).failures
    assert failures == [], "\n".join(failures)
    done.write_text(yaml.safe_dump({**vars(day), "upgraded": list(day.upgraded)}))


if __name__ == "__main__":
    _play(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
