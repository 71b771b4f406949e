"""The Dagster UI in a real browser: what somebody sees who opens it after a run, and what they must not see."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from kustomer_pipeline.components import markdown
from kustomer_pipeline.components.outcomes_plot import outcomes_of, plot
from kustomer_pipeline_tests.conftest import REPOSITORY

from .stage import Stage, browser, new_window, stage

pytestmark = pytest.mark.browser

SYNCS = ("companies", "customers", "vip_audience")
BROKEN = "broken_project"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[Stage]:
    """The demo after one run and a few changes; beside it a project with a mistake in a defs.yaml."""
    root = tmp_path_factory.mktemp("ui")
    write_broken_project(root / "projects" / BROKEN)
    broken = {
        "module_name": f"{BROKEN}.definitions",
        "location_name": BROKEN,
        "working_directory": str(root / "projects"),
    }
    with stage(root / "demo", [broken]) as found:
        yield found


@pytest.fixture(scope="module")
def window(chromium: str) -> Iterator[BrowserContext]:
    """One for all tests, so that the UI's scripts are loaded once."""
    with browser(chromium) as started:
        yield new_window(started)


@pytest.fixture
def page(window: BrowserContext) -> Iterator[Page]:
    page = window.new_page()
    yield page
    page.close()


def write_broken_project(folder: Path) -> None:
    """A project whose sync of customers has a mode that does not exist."""
    (folder / "defs" / "broken_customers").mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "defs" / "__init__.py").touch()
    (folder / "definitions.py").write_text(
        "from kustomer_pipeline.components import load_definitions\n\n"
        f"from {BROKEN} import defs as folder\n\n"
        "defs = load_definitions(folder)\n"
    )
    sound = (REPOSITORY / "kustomer_pipeline" / "defs" / "customers" / "defs.yaml").read_text(encoding="utf-8")
    assert "mode: upsert" in sound
    broken = sound.replace("mode: upsert", "mode: upsrt")
    (folder / "defs" / "broken_customers" / "defs.yaml").write_text(broken, "utf-8")


def open_asset(page: Page, demo: Stage, key: str, view: str = "overview") -> None:
    page.goto(f"{demo.url}/assets/{key}?view={view}")


def metadata(page: Page, name: str) -> Locator:
    """The row of the metadata table with this key."""
    return page.locator("tr").filter(has=page.get_by_text(name, exact=True))


def value(page: Page, name: str) -> Locator:
    """What the metadata table shows beside this key."""
    return metadata(page, name).first.locator(":scope > td").last


def open_page(page: Page, name: str) -> Locator:
    """The Markdown behind this key, in the window that the UI opens for it."""
    value(page, name).get_by_text("[Show Markdown]").click()
    return page.get_by_role("dialog").locator(".dagster-markdown")


def assert_all_in_sight(text: Locator) -> None:
    """Nothing of it is cut off at its right side."""
    assert text.evaluate("text => text.scrollWidth <= text.clientWidth && text.parentElement.scrollWidth <= innerWidth")


def emails(demo: Stage) -> set[str]:
    """Every e-mail address of the warehouse, in lower case."""
    with closing(sqlite3.connect(demo.warehouse)) as connection:
        query = "select email from customers union select email from vip_customers"
        return {str(email).strip().lower() for (email,) in connection.execute(query) if email}


def names(demo: Stage) -> set[str]:
    """The names of the customers, in lower case, those long enough not to be part of something else."""
    with closing(sqlite3.connect(demo.warehouse)) as connection:
        found = {str(name).lower() for (name,) in connection.execute("select full_name from customers")}
    return {name for name in found if " " in name and name.isascii()}


def assert_nobody_is_named(page: Page, demo: Stage) -> None:
    """Not in the text, nor in what the page keeps without showing it."""
    shown = page.content().lower()
    assert [email for email in emails(demo) if email in shown] == []
    assert [name for name in names(demo) if name in shown] == []


def test_the_graph_shows_a_group_for_each_sync(demo: Stage, page: Page) -> None:
    page.goto(f"{demo.url}/asset-groups")
    graph = page.locator("svg foreignObject")
    for name in SYNCS:
        expect(graph.get_by_text(name, exact=True).first).to_be_visible()
    page.keyboard.press("Alt+e")
    for name in SYNCS:
        expect(graph.get_by_text(name, exact=True).first).to_be_visible()
        for ending in ("rows", "mapped", "plan"):
            # A long name loses its middle and keeps its ending, which says what it is: vip_audien…_mapped.
            expect(graph.get_by_text(re.compile(rf"^{name[:9]}.*_{ending}$")).first).to_be_visible()


def test_a_sync_shows_its_counters_and_the_refused_rows(demo: Stage, page: Page) -> None:
    open_asset(page, demo, "kustomer/customers")
    for name, number in (("rows_read", "2000"), ("created", "1964"), ("invalid", "36"), ("rejected", "0")):
        expect(value(page, name)).to_have_text(number)
    for name in ("api_requests", "units_per_record", "api_budget_left"):
        expect(value(page, name)).to_have_text(re.compile(r"^[\d.]+$"))
    refused = value(page, "refused_rows")
    expect(refused).to_contain_text("email is missing")
    expect(refused).to_contain_text("name is 300 characters, at most 256")
    # The header, and a row for each.
    expect(refused.locator("table tr")).to_have_count(1 + 36)
    report = open_page(page, "report")
    expect(report).to_contain_text("2,000 rows were read: 1,964 created.")
    expect(report.locator("tr").filter(has_text="email is missing").first).to_contain_text("8")
    expect(report).to_contain_text("customers_changed is switched off")
    assert_all_in_sight(report)
    assert_nobody_is_named(page, demo)


@pytest.mark.parametrize("key", ["kustomer/customers_rows", "kustomer/customers_mapped", "kustomer/vip_audience"])
def test_no_page_of_an_asset_names_anybody(demo: Stage, page: Page, key: str) -> None:
    open_asset(page, demo, key)
    expect(value(page, "file")).to_be_visible()
    assert_nobody_is_named(page, demo)


@pytest.mark.parametrize("key", ["kustomer/vip_audience", "kustomer/customers_plan"])
def test_nothing_in_the_metadata_of_a_sync_is_out_of_sight(demo: Stage, page: Page, key: str) -> None:
    """The path of a file is one long word, which would make the whole table wide: it opens in a window. So would be a
    plan with a column more."""
    page.set_viewport_size({"width": 1280, "height": 800})
    open_asset(page, demo, key)
    expect(value(page, "file")).to_be_visible()
    table = page.locator("table").filter(has=page.get_by_text("file", exact=True)).first
    assert table.evaluate("table => table.scrollWidth <= table.parentElement.clientWidth")


def test_the_log_of_a_run_names_nobody(demo: Stage, page: Page) -> None:
    page.goto(f"{demo.url}/runs")
    page.locator("a[href^='/runs/']").last.click()
    expect(page.get_by_text("RUN_SUCCESS").first).to_be_visible()
    assert_nobody_is_named(page, demo)


def test_a_plan_shows_what_would_change_field_by_field(demo: Stage, page: Page) -> None:
    open_asset(page, demo, "kustomer/customers_plan")
    upgraded = len(demo.day.upgraded)
    for name, number in (("would_create", "1"), ("would_update", str(upgraded)), ("invalid", "36")):
        expect(value(page, name)).to_have_text(number)
    changes = value(page, "changes")
    plans = changes.locator("table tr").filter(has_text="custom.planStr: f… (4) → p… (3)")
    expect(plans).to_have_count(upgraded)
    plan = open_page(page, "plan")
    expect(plan).to_contain_text(f"A run would create 1 and update {upgraded} customers.")
    for key in (*demo.day.upgraded, demo.day.new_customer):
        expect(changes).to_contain_text(key)
        expect(plan.locator("td").get_by_text(key, exact=True)).to_be_visible()
    lines = plan.locator("tr").filter(has_text="custom.planStr").filter(has_text="f… (4) → p… (3)")
    expect(lines).to_have_count(upgraded)
    assert_all_in_sight(plan)
    assert_nobody_is_named(page, demo)


def test_the_changes_of_a_plan_come_before_its_numbers_and_what_is_refused_is_a_line_a_reason(
    demo: Stage, page: Page
) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    open_asset(page, demo, "kustomer/customers_plan")
    changes, refused = value(page, "changes"), value(page, "would_be_refused")
    expect(changes).to_be_visible()
    tops = [box["y"] for one in (changes, refused, value(page, "would_update")) if (box := one.bounding_box())]
    assert tops == sorted(tops)
    assert len(tops) == 3
    expect(refused.locator("table tr").filter(has_text=re.compile(r"^\s*8\s*email is missing"))).to_have_count(1)
    expect(refused.locator("table tr")).to_have_count(1 + 7)  # of 36 rows


def test_the_last_runs_are_drawn_in_a_report(demo: Stage, page: Page) -> None:
    """The UI shows an image that is part of the Markdown: no file, no address."""
    drawing = plot([outcomes_of({"created": 3}, 0.0), outcomes_of({"updated": 1}, 60.0)])
    with dg.DagsterInstance.from_config(str(demo.warehouse.parent / "dagster_home")) as instance:
        event = dg.AssetMaterialization(
            ["kustomer", "companies"], metadata={"report": dg.MetadataValue.md(markdown.page([drawing]))}
        )
        instance.report_runless_asset_event(event)
    open_asset(page, demo, "kustomer/companies")
    image = open_page(page, "report").get_by_role("img", name="Outcomes of the last 2 runs")
    expect(image).to_be_visible()
    assert image.evaluate("image => image.naturalWidth") > 0


def test_a_plan_of_an_audience_shows_who_would_gain_and_lose_the_tag(demo: Stage, page: Page) -> None:
    open_asset(page, demo, "kustomer/vip_audience_plan")
    for name in ("would_tag", "would_untag"):
        expect(value(page, name)).to_have_text("1")
    expect(value(page, "changes")).to_be_visible()
    assert_nobody_is_named(page, demo)


def test_the_checks_page_warns_of_the_refused_rows(demo: Stage, page: Page) -> None:
    open_asset(page, demo, "kustomer/customers", view="checks")
    expect(page.get_by_text("36 of 2,000 rows were refused (1.8%)")).to_be_visible()
    # Dagster's word for a warning is Failed, with the sign of a warning beside it.
    result = page.locator("[class*=BaseTag]").filter(has=page.locator("[aria-label='warning_outline']"))
    expect(result.filter(has_text="Failed").first).to_be_visible()
    expect(page.get_by_text("rows_accounted_for").first).to_be_visible()
    assert_nobody_is_named(page, demo)


def test_the_launchpad_explains_the_run_config(demo: Stage, page: Page) -> None:
    page.goto(f"{demo.url}/locations/kustomer_pipeline/jobs/sync_customers/playground")
    expect(page.get_by_text("full_resync: false")).to_be_visible()
    page.get_by_text("full_resync: false").click()
    page.keyboard.press("End")  # the explanation is that of where the cursor is
    for name in ("full_resync", "limit", "approve_removals"):
        expect(page.locator("code")).to_contain_text(re.compile(rf"\b{name}\?:"))
    expect(page.locator("code")).to_contain_text("Look at every row again")
    expect(page.locator("code")).to_contain_text("Send at most so many rows")


def test_a_mistake_in_a_defs_yaml_is_shown_with_its_file_and_line(demo: Stage, page: Page) -> None:
    """On the page of the asset that stands for the sync: the project loads."""
    open_asset(page, demo, "kustomer/broken_customers")
    described = page.get_by_text("This sync does not load", exact=False).locator("xpath=ancestor::*[3]")
    lines = (REPOSITORY / "kustomer_pipeline" / "defs" / "customers" / "defs.yaml").read_text("utf-8").splitlines()
    number = next(number for number, line in enumerate(lines, start=1) if line.strip() == "mode: upsert")
    expect(described).to_contain_text(f"{BROKEN}/defs/broken_customers/defs.yaml:{number}")
    expect(described).to_contain_text("'upsrt' is not allowed; use upsert, insert or update. Did you mean \"upsert\"?")


def test_the_page_of_the_sandbox_lists_customers_with_their_tag(demo: Stage, page: Page) -> None:
    page.goto(demo.kustomer_url)
    expect(page.get_by_role("heading", name="Kustomer sandbox")).to_be_visible()
    members = page.locator("table").first.locator("tbody tr").filter(has=page.locator(".tag", has_text="vip"))
    expect(members.first).to_be_visible()
    expect(page.get_by_text("1 to 100 of 1,964.")).to_be_visible()
