"""The pages of a plan and of a run, as Markdown: exact texts, without a run and without a browser."""

import base64
import re
from typing import Any
from xml.etree import ElementTree

import dagster as dg
import pandas as pd
import pytest

from kustomer_pipeline import ObjectSync
from kustomer_pipeline.components import markdown
from kustomer_pipeline.components.changed_records import MOST_FIELDS
from kustomer_pipeline.components.metadata import Around, plan_metadata, report_metadata
from kustomer_pipeline.components.outcomes_plot import RunOutcomes, outcomes_of, plot
from kustomer_pipeline.components.plan_page import FIELDS, NEW_RECORDS, RECORDS, plan_page
from kustomer_pipeline.components.reason_groups import by_reason
from kustomer_pipeline.components.run_report import run_report
from kustomer_pipeline.components.sync_config import OnCron, Schedule, Watch
from kustomer_pipeline.kustomer import RateLimitedError
from kustomer_pipeline.sync import Counts, Estimate, HeldChanges, Plan, ReasonCode, Removals, SyncReport
from kustomer_pipeline.sync.masked_values import mask
from kustomer_pipeline.sync.report import CHANGE_COLUMNS

from .pipeline import CUSTOMERS, VIP, Pipeline, people, plain

_COLUMNS = list(CHANGE_COLUMNS)
UPDATES = [
    ["C-1", "update", "5f", "name", "Jane", None, None],
    ["C-1", "update", "5f", "custom.planStr", "free", "pro", None],
    ["C-2", "update", "6f", "custom.planStr", "free", "pro", None],
]
LONG = "the company A-17 is not in Kustomer; " * 8 + "sync the companies first"


def a_plan(lines: list[list[str | None]], **changes: Any) -> Plan:
    counts = {"create": 0, "update": 0, "unchanged": 9, "skip": 0, "invalid": 0, "reject": 0, "defer": 0}
    counts |= changes.pop("counts", {})
    frame = pd.DataFrame(lines, columns=_COLUMNS).astype("string")
    return Plan("customers", "o", counts, frame, 4, **{"estimate": Estimate(3, 0.2), **changes})


def a_report(rows: list[tuple[str, str, str | None]], **changes: Any) -> SyncReport:
    outcomes = [outcome for _, outcome, _ in rows]
    frame = pd.DataFrame(rows, columns=["key", "outcome", "reason"]).astype("string").assign(kustomer_id=None)
    counts = Counts(read=len(rows), **{outcome: outcomes.count(outcome) for outcome in set(outcomes)})
    values: dict[str, Any] = {"sync": "customers", "run_id": "run-1", "org_id": "o", "counts": counts, "rows": frame}
    values |= {"requests": 44, "searches": 0, "budget_left": 951, "seconds": 2.4}
    return SyncReport(**values | changes)


# --- a plan ---------------------------------------------------------------------------------------------------------


REFUSED = pd.DataFrame(
    [
        ("C-7", "invalid", "email is missing"),
        ("C-8", "invalid", "email is missing"),
        ("C-9", "rejected", "it is taken"),
    ],
    columns=["key", "outcome", "reason"],
)


def test_a_plan_reads_from_the_counts_to_the_changes_to_what_is_refused() -> None:
    """One line a record, the field that changes most often first, values masked."""
    counts = {"update": 2, "create": 1, "invalid": 2, "reject": 1}
    lines = [["C-3", "create", None, "name", None, "Jo Doe", None], *UPDATES]
    plan = a_plan(lines, counts=counts, id="plan-3-ab", held_changes=HeldChanges(0, 11, "changes-2-ab"))
    assert plan_page(CUSTOMERS, plan, REFUSED).rstrip() == "\n".join(
        [
            "**A run would create 1 and update 2 customers.**",
            "",
            "9 stay as they are; of the other rows: 2 invalid, 1 refused.",
            "",
            "Nothing has been sent. To send it, run the job `sync_customers`: about 3 requests, about a second at the "
            "present budget. This plan took 4 requests.",
            "",
            "### By field",
            "",
            "| field | update | create |",
            "| --- | --: | --: |",
            "| `custom.planStr` | 2 |  |",
            "| `name` | 1 | 1 |",
            "",
            "### Refused, by reason",
            "",
            "| refused, because | rows |",
            "| --- | --: |",
            "| email is missing | 2 |",
            "| it is taken | 1 |",
            "",
            "### Update: 2",
            "",
            "| row | record | field: before → after |",
            "| --- | --- | --- |",
            "| C-1 | `5f` | `custom.planStr`: f… (4) → p… (3); `name`: J… (4) → *nothing* |",
            "| C-2 | `6f` | `custom.planStr`: f… (4) → p… (3) |",
            "",
            "### Create: 1",
            "",
            "| row | new record |",
            "| --- | --- |",
            "| C-3 | `name`: J… (6) |",
            "",
            "### To approve it",
            "",
            "To have exactly this done, and nothing else, launch the job `apply_plan` with this run config within 24 "
            "hours. What has changed since by then is left as it is.",
            "",
            "```yaml",
            "ops:",
            "  apply:",
            "    config:",
            "      plan: plan-3-ab",
            "      by: your name",
            "```",
            "",
            "### Would be refused: 3",
            "",
            "| rows | outcome | reason | for example |",
            "| --: | --- | --- | --- |",
            "| 2 | invalid | email is missing | C-7, C-8 |",
            "| 1 | rejected | it is taken | C-9 |",
            "",
            "### All of it",
            "",
            "**All 4 lines, with their values**, are in a file beside the other frames: `csv` in the table of metadata "
            "says where for a spreadsheet, `file` where as Parquet. Only its owner may read it, and it goes when it is "
            "not among the newest any more (`KUSTOMER_KEEP_FRAMES`).",
        ]
    )


def test_the_metadata_of_a_plan_begins_with_the_changes_and_has_a_line_for_each_reason() -> None:
    """The table of metadata is narrow: two columns, no word that is wider than its place."""
    lines = [["C-3", "create", None, "name", None, "Jo Doe", None], *UPDATES]
    lines.append(["C-2", "update", "6f", "custom.lifetimeValueNum", "1234", "2345", None])
    metadata = plan_metadata(CUSTOMERS, a_plan(lines, counts={"update": 2, "create": 1}), REFUSED)
    assert list(metadata)[:4] == ["summary", "plan", "changes", "would_be_refused"]
    assert plain(metadata["changes"]) == [
        {"row": "C-1", "what changes": "custom.planStr: f… (4) → p… (3); name: J… (4) → nothing"},
        {
            "row": "C-2",
            "what changes": "custom.planStr: f… (4) → p… (3); custom.\u200blifetime\u200bValue\u200bNum: ~1200 → ~2300",
        },
        {"row": "C-3", "what changes": "create"},
    ]
    assert plain(metadata["would_be_refused"]) == [
        {"rows": 2, "reason": "email is missing (C-7, …)"},
        {"rows": 1, "reason": "it is taken (C-9)"},
    ]


def test_changes_of_many_records_are_not_below_many_refused_rows() -> None:
    """54 refused rows are three lines, whatever their number."""
    lines: list[list[str | None]] = [[f"C-{n}", "update", "5f", "name", "A", "B", None] for n in range(5)]
    reasons = ["email is missing", "name is too long", "it is taken"]
    refused = [(f"R-{n}", "invalid", reasons[n % 3]) for n in range(54)]
    rows = pd.DataFrame(refused, columns=["key", "outcome", "reason"])
    page = plan_page(CUSTOMERS, a_plan(lines, counts={"update": 5, "invalid": 54}), rows).splitlines()
    assert page.index("### Update: 5") < page.index("### Would be refused: 54")
    assert len(page) < 60
    assert len(plain(plan_metadata(CUSTOMERS, a_plan(lines, counts={"update": 5}), rows)["would_be_refused"])) == 3


def test_a_plan_shows_values_only_when_somebody_asks_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = a_plan([["a@b.example", "create", None, "name", None, "Jane | *Doe*", None]], counts={"create": 1})
    assert "| a…@….example | `name`: J… (12) |" in plan_page(CUSTOMERS, plan)
    monkeypatch.setenv("KUSTOMER_SHOW_VALUES", "1")
    # Shown as it is: a value is no Markdown.
    assert r"| a@b.example | `name`: Jane \| \*Doe\* |" in plan_page(CUSTOMERS, plan)


def test_a_plan_does_not_promise_a_file_that_a_projects_own_io_manager_does_not_write() -> None:
    own = ObjectSync.model_validate(
        CUSTOMERS.model_dump(exclude_unset=True) | {"resource_keys": {"frames": "io_manager"}}
    )
    page = plan_page(own, a_plan(UPDATES, counts={"update": 2}))
    assert "lines, with their values**, are the value of this asset, where `io_manager` keeps it." in page
    assert "csv" not in page


def test_two_rows_whose_keys_look_alike_are_two_lines() -> None:
    lines = [[f"j{n}@b.example", "update", "5f", "custom.planStr", "free", "pro", None] for n in range(3)]
    page = plan_page(CUSTOMERS, a_plan(lines, counts={"update": 3}))
    assert page.count("| j…@….example | `5f` | `custom.planStr`: f… (4) → p… (3) |") == 3


def test_a_plan_of_many_records_shows_the_first_and_counts_the_rest() -> None:
    lines: list[list[str | None]] = [[f"C-{n}", "update", "5f", "name", "A", "B", None] for n in range(1000)]
    lines += [[f"N-{n}", "create", None, "name", None, "B", None] for n in range(30)]
    page = plan_page(CUSTOMERS, a_plan(lines, counts={"update": 1000, "create": 30}))
    assert page.count("… (1) → … (1), another") == RECORDS
    assert f"… and {1000 - RECORDS:,} more." in page
    assert page.count("| N-") == NEW_RECORDS
    assert f"… and {30 - NEW_RECORDS} more." in page


def test_a_record_with_many_changes_stays_one_line() -> None:
    lines: list[list[str | None]] = [["C-1", "update", "5f", f"custom.f{n}Num", "100", "200", None] for n in range(30)]
    plan = a_plan(lines, counts={"update": 1})
    assert f"| {30 - FIELDS} other fields |  |" in plan_page(CUSTOMERS, plan)
    [line] = [line for line in plan_page(CUSTOMERS, plan).splitlines() if line.startswith("| C-1 ")]
    assert line.count(r"\~100 → \~200") == MOST_FIELDS
    assert line.endswith(f"; … and {30 - MOST_FIELDS} more |")
    [row] = plain(plan_metadata(CUSTOMERS, plan)["changes"])
    assert row["what changes"].endswith(f"; … and {30 - MOST_FIELDS} more")


def test_a_held_plan_says_how_to_approve_it() -> None:
    lines: list[list[str | None]] = [["a@b.example", "untag", "5f", "tags", "vip", None, None]]
    counts = {"tag": 0, "untag": 9, "unchanged": 1}
    removals = Removals(members=10, held=9, plan_id="removals-9-ab")
    plan = Plan("vip", "o", counts, pd.DataFrame(lines, columns=_COLUMNS).astype("string"), 1, removals=removals)
    page = plan_page(VIP, plan)
    assert page.startswith("**A run would untag 9 customers.**\n\n1 stays as it is.\n\n**Some of it is held")
    assert "### Untag `vip`: 9, held" in page
    assert "approve_removals: removals-9-ab" in page


def test_a_plan_that_changes_nothing_says_so() -> None:
    assert plan_page(CUSTOMERS, a_plan([])).startswith("**A run would change nothing.**\n\n9 stay as they are.")


def test_reasons_are_whole_and_stand_beside_the_key_where_the_ui_does_not_hide_them() -> None:
    plan = a_plan([["C-1", "reject", None, None, None, None, LONG]], counts={"reject": 1})
    assert f"| 1 | rejected | {LONG} | C-1 |" in plan_page(CUSTOMERS, plan)
    assert plain(plan_metadata(CUSTOMERS, plan)["would_be_refused"]) == [{"rows": 1, "reason": f"{LONG} (C-1)"}]
    metadata = report_metadata(CUSTOMERS, a_report([("C-1", "rejected", LONG)]))
    assert [list(row) for row in plain(metadata["refused_rows"])] == [["key", "reason", "outcome"]]
    assert LONG in plain(metadata["report"])


def test_a_page_is_long_enough_for_a_window_of_its_own() -> None:
    assert len(markdown.page(["short"])) == 1000
    assert len(markdown.page(["x" * 999, "y"])) == 1002


@pytest.mark.parametrize(
    "seconds, text",
    [(0.0, "a second"), (1.4, "a second"), (1.6, "2 seconds"), (119.0, "119 seconds"), (600.0, "10 minutes")],
)
def test_an_estimate_never_takes_no_time_at_all(seconds: float, text: str) -> None:
    assert str(Estimate(3, seconds)) == f"about 3 requests, about {text} at the present budget"


# --- a run ----------------------------------------------------------------------------------------------------------


def test_a_report_says_what_happened_what_was_refused_and_what_comes_next() -> None:
    rows = [("C-1", "created", None), ("C-2", "invalid", "email is also on row key C-3")]
    rows += [("C-3", "invalid", "email is also on row key C-2"), ("jane@b.example", "rejected", "name is too long")]
    assert run_report(CUSTOMERS, a_report(rows)).rstrip() == "\n".join(
        [
            "**4 rows were read: 1 created.**",
            "",
            "The others: 2 invalid, 1 rejected.",
            "",
            "It took 2 s and 44 requests of the org's budget, 11.0000 for each row. 951 requests are left of this "
            "minute.",
            "",
            "### Refused: 3",
            "",
            "| rows | outcome | reason | for example |",
            "| --: | --- | --- | --- |",
            "| 2 | invalid | email is also on row key C-3, and alike | C-2, C-3 |",
            "| 1 | rejected | name is too long | j…@….example |",
            "",
            "### What happens next",
            "",
            "- 3 rows are refused: put right in the warehouse what can be. They are tried again in every run; one with "
            "`only: rejected` tries nothing else.",
            "- Nothing starts the next run by itself: launch the job `sync_customers`, or switch on what starts it.",
            "- To take this run back, launch the job `undo_run` with `run_id: run-1`.",
        ]
    )


def test_a_run_that_was_stopped_says_by_what_and_what_is_left() -> None:
    report = a_report(
        [("C-1", "deferred", "the run was stopped")],
        interrupted=RateLimitedError("The budget is used up"),
        by_code={ReasonCode.STOPPED: 1},
    )
    page = run_report(CUSTOMERS, report, waited=61.0)
    assert page.startswith("**Stopped half-way.**\n\n**1 row was read: nothing to change.**")
    assert "What stopped it: The budget is used up" in page
    assert "61 s of it were waiting" in page
    assert "- 1 row is left: the next run goes on with them." in page


def test_rows_that_the_guard_holds_wait_for_somebody_and_not_for_the_next_run() -> None:
    held = HeldChanges(1, 1, "changes-1-ab", pd.DataFrame(columns=_COLUMNS))
    report = a_report([("C-1", "deferred", "held")], held_changes=held, by_code={ReasonCode.CHANGES_HELD: 1})
    page = run_report(CUSTOMERS, report)
    assert "the next run goes on with them" not in page
    assert "- Held until somebody approves it, as said below: 1." in page
    assert "approve_changes: changes-1-ab" in page


@pytest.mark.parametrize(
    "changes, on, line",
    [
        (
            {"watch": Watch(table="crm.c", updated_at="u", every=60)},
            {"customers_changed"},
            "Next run: as soon as `crm.c` changes (`customers_changed` looks every 60 seconds).",
        ),
        (
            {"watch": Watch(table="crm.c", updated_at="u", every=60)},
            set(),
            "Nothing starts the next run by itself: `customers_changed` is switched off (*Automation*); launch the job "
            "`sync_customers`, or switch on what starts it.",
        ),
        (
            {"schedule": Schedule(cron="0 6 * * *", timezone="UTC")},
            {"customers_schedule"},
            "Next run: by `customers_schedule`: 0 6 * * *, UTC.",
        ),
        (
            {"automation": OnCron(on_cron="0 7 * * *")},
            set(),
            "Next run: by Dagster's automation: 0 7 * * *, UTC.",
        ),
        ({}, {"daily_sync"}, "Next run: with all syncs, by `daily_sync`."),
    ],
)
def test_a_report_says_what_starts_the_next_run(changes: dict[str, Any], on: set[str], line: str) -> None:
    sync = CUSTOMERS.model_copy(update=changes)
    page = run_report(sync, a_report([("C-1", "unchanged", None)]), switched_on=frozenset(on)).rstrip()
    assert page.endswith(f"### What happens next\n\n- {line}")


def test_reasons_that_differ_only_in_what_they_name_are_one_group() -> None:
    rows = pd.DataFrame(
        [
            ("C-1", "invalid", "email is also on row key C-2"),
            ("C-2", "invalid", "email is also on row key j…@….com"),
            ("C-3", "invalid", "email is missing"),
            ("C-4", "unchanged", None),
            ("C-5", "rejected", None),
        ],
        columns=["key", "outcome", "reason"],
    )
    groups = by_reason(rows, ["invalid", "rejected"])
    assert [(group.reason, group.rows, group.varies) for group in groups] == [
        ("email is also on row key C-2", 2, True),
        ("email is missing", 1, False),
        ("no reason was given", 1, False),
    ]


def drawn(image: str) -> ElementTree.Element:
    found = re.fullmatch(r"!\[.*\]\(data:image/svg\+xml;base64,(.*)\)", image)
    assert found
    return ElementTree.fromstring(base64.b64decode(found[1]))


def test_the_last_runs_are_drawn_to_scale_without_the_unchanged_rows() -> None:
    first = outcomes_of({"created": 100, "unchanged": 9999}, at=0.0)
    second = outcomes_of({"updated": dg.IntMetadataValue(25), "invalid": 20, "rejected": 5}, at=86_400.0)
    image = drawn(plot([first, second]))
    bars = [rect for rect in image.iter("{http://www.w3.org/2000/svg}rect") if rect.get("width") == "34"]
    assert [float(bar.get("height", 0)) for bar in bars] == [110.0, 27.5, 27.5]
    texts = [text.text for text in image.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ["created", "updated", "refused", "100", "01.01.", "00:00", "50", "02.01.", "00:00"]


def test_one_run_alone_and_runs_that_changed_nothing_are_not_drawn() -> None:
    nothing = RunOutcomes(0.0, {})
    assert plot([outcomes_of({"created": 1}, 0.0)]) == plot([nothing, nothing]) == ""


# --- in Dagster -----------------------------------------------------------------------------------------------------


def test_the_second_run_draws_the_first_and_no_page_names_anybody(pipeline: Pipeline) -> None:
    pipeline.customers([*people(20), ("C-99", "joe", "Joe Private", None, "pro")])
    first = pipeline.run("sync_customers").metadata("kustomer/customers")
    assert "data:image" not in first["report"]
    planned = pipeline.run("plan_all", CUSTOMERS).metadata("kustomer/customers_plan")
    second = pipeline.run("sync_customers").metadata("kustomer/customers")
    assert "![Outcomes of the last 2 runs]" in second["report"]
    assert second["summary"].startswith("**21 rows were read: nothing to change.**")
    for page in (first["report"], planned["plan"], second["report"], first["summary"], planned["summary"]):
        assert "private" not in page.lower()


def test_a_report_is_written_although_dagster_cannot_say_what_was_before() -> None:
    class Broken:
        def __getattr__(self, name: str) -> Any:
            raise OSError(name)

    around = Around.of(Broken(), CUSTOMERS)  # type: ignore[arg-type]
    assert (around.earlier, around.switched_on) == ((), frozenset())
    assert "1 created" in plain(report_metadata(CUSTOMERS, a_report([("C-1", "created", None)]), 0.0, around)["report"])


def test_a_plan_says_why_rows_are_skipped_and_what_is_to_be_noted() -> None:
    skipped = {"not in Kustomer": 65, "the same member again": 48}
    plan = a_plan([], counts={"skip": 113}, skipped=skipped, notes=("Look.",))
    page = plan_page(CUSTOMERS, plan)
    assert "### Would be skipped" in page
    assert "| not in Kustomer | 65 |" in page
    assert "- Look." in page


def test_a_member_whom_an_earlier_sync_creates_has_no_record_yet() -> None:
    lines: list[list[str | None]] = [["j@example.com", "tag", None, "tags", None, "vip", None]]
    page = plan_page(VIP, a_plan(lines, counts={"tag": 1}))
    assert "to be created by an earlier sync" in page
    assert "None" not in page


def test_a_company_that_an_earlier_sync_creates_is_told_in_clear_text() -> None:
    assert mask("new company A-17", "company") == "new company"


def test_what_turns_the_direction_of_a_text_is_shown() -> None:
    assert "\u202e" not in markdown.text("a\u202eb")
    assert markdown.text("a\u202eb") == r"a\\u202eb"
