"""Where everything is: Kustomer's address, the state, the warehouse, Dagster's home."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from kustomer_pipeline.components.sync_config import SyncConfig
from kustomer_pipeline.sync import StateError
from kustomer_pipeline.warehouse import QueryError, WarehouseError, open_engine, read_frame

from .facts import Facts
from .findings import Finding, Level
from .state import Layout, StateView

SECTION = "setting"
_WRAPS_ANY_SELECT = ("sqlite", "postgresql")  # elsewhere a refused sub-select may still be a good query
_OF_LAYOUT: dict[Layout, tuple[Level, str, str]] = {
    "none": (Level.OK, "not there yet, it will be made at the first run", ""),
    "todays": (Level.OK, "opens, with today's layout", ""),
    "older": (
        Level.OK,
        "has the layout of an older version: it will be migrated at the first run",
        "Keep a copy of it if you may want to go back to the older version.",
    ),
    "newer": (
        Level.PROBLEM,
        "has the layout of a newer version, which this one does not know",
        "Use the version of kustomer_pipeline that wrote it, or a newer one.",
    ),
}


def address(facts: Facts) -> list[Finding]:
    """Which Kustomer, by which variable; and whether key and settings can be used at all."""
    settings = facts.settings
    if settings.client is None:
        return [Finding(SECTION, "address and key", Level.PROBLEM, settings.client_problem or "")]
    url, variable = settings.client.probe.base_url, settings.address_variable
    value = {"base_url": url, "variable": variable}
    return [Finding(SECTION, "address", Level.OK, f"{url}, from {variable}", value=value)]


def state(facts: Facts) -> list[Finding]:
    """Whether the state can be opened; it is not made, and not migrated."""
    url = facts.settings.state_url
    if url is None:
        return [Finding(SECTION, "state", Level.PROBLEM, facts.settings.state_problem or "")]
    try:
        view = StateView.of(url, facts.clock)
        layout = view.layout
    except StateError as error:
        advice = f"Check {facts.settings.state_variable}."
        return [Finding(SECTION, "state", Level.PROBLEM, str(error), advice)]
    where, value = f"{view.shown}, from {facts.settings.state_variable}", {"url": view.shown, "layout": layout}
    if layout == "none" and view.file is not None and not _can_be_made(view.file):
        says = f"{where}: cannot be made, its folder cannot be written to"
        return [Finding(SECTION, "state", Level.PROBLEM, says, f"Check {facts.settings.state_variable}.", value)]
    level, words, advice = _OF_LAYOUT[layout]
    if layout == "todays":
        facts.state = view
    return [Finding(SECTION, "state", level, f"{where}: {words}", advice, value), *_writers(view)]


def _writers(view: StateView) -> Iterator[Finding]:
    if writers := view.writers():
        says = f"a run is writing right now ({', '.join(writers)}): another one waits for it"
        yield Finding(SECTION, "lock", Level.OK, says, value=writers)


def _can_be_made(file: Path) -> bool:
    """Folders that are missing are made with it."""
    there = next((folder for folder in file.parents if folder.exists()), file.parent)
    return there.is_dir() and os.access(there, os.W_OK)


def warehouse(facts: Facts) -> list[Finding]:
    """Whether the warehouse answers, and each query with it, without a row being read."""
    settings = facts.settings
    if settings.warehouse_url is None and not facts.syncs:
        says = "WAREHOUSE_URL is not set; it is needed once there is a sync"
        return [Finding(SECTION, "warehouse", Level.UNKNOWN, says)]
    if settings.warehouse_url is None:
        return [Finding(SECTION, "warehouse", Level.PROBLEM, settings.warehouse_problem or "")]
    try:
        engine = open_engine(settings.warehouse_url)
        read_frame(engine, "select 1 as answers")
    except WarehouseError as error:
        return [Finding(SECTION, "warehouse", Level.PROBLEM, str(error), "Check WAREHOUSE_URL.")]
    dialect = engine.dialect.name
    shown = engine.url.set(query={}).render_as_string(hide_password=True)
    found = [Finding(SECTION, "warehouse", Level.OK, f"{shown} answers", value={"url": shown})]
    return [*found, *(_query(facts, sync, dialect) for sync in facts.syncs)]


def _query(facts: Facts, sync: SyncConfig, dialect: str) -> Finding:
    """The columns of a query, asked for without its rows."""
    name = f"query of {sync.name}"
    if isinstance(sync.source, str):
        says = f"its rows are made by the asset {sync.source}, which only Dagster makes: not looked at here"
        return Finding(SECTION, name, Level.OK, says)
    select = sync.sql.strip().rstrip(";")
    engine = open_engine(facts.settings.warehouse_url or "")
    try:
        frame = read_frame(engine, f"select * from (\n{select}\n) columns_only where 1 = 0")
    except QueryError as error:
        level = Level.PROBLEM if dialect in _WRAPS_ANY_SELECT else Level.WARNING
        return Finding(SECTION, name, level, str(error), "Run the query in the warehouse by itself.")
    except WarehouseError as error:
        return Finding(SECTION, name, Level.PROBLEM, str(error), "Check WAREHOUSE_URL.")
    columns = [str(column) for column in frame.columns]
    wanted = dict.fromkeys(column for mapping in sync.mappings for column in mapping.columns)
    if missing := [column for column in wanted if column not in columns]:
        says = f"does not return {', '.join(missing)}, which its fields name"
        return Finding(SECTION, name, Level.PROBLEM, says, f"It returns {', '.join(columns)}.", missing)
    return Finding(SECTION, name, Level.OK, f"returns the {len(wanted)} columns that its fields name", value=columns)


def dagster_home(facts: Facts) -> list[Finding]:
    """Where Dagster keeps its runs."""
    home = facts.settings.dagster_home
    if home is None:
        says = "DAGSTER_HOME is not set: Dagster forgets its runs when it ends, and sensors with them"
        return [Finding(SECTION, "Dagster", Level.WARNING, says, "Set it to a folder that holds dagster.yaml.")]
    file = Path(home).expanduser() / "dagster.yaml"
    if not file.is_file():
        says = f"{file} is not there: one run at a time, and killed runs noticed, is what it asks for"
        return [Finding(SECTION, "Dagster", Level.WARNING, says, "Copy the project's dagster.yaml to DAGSTER_HOME.")]
    return [Finding(SECTION, "Dagster", Level.OK, f"{file} is there", value={"dagster_home": home})]
