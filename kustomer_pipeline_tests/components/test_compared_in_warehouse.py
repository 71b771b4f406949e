"""`compare: in_warehouse` through Dagster: only rows that differ leave the warehouse, and the outcome is the same."""

from typing import Any

import dagster as dg
import pytest

from kustomer_pipeline import AudienceSync, ObjectSync, build_definitions
from kustomer_pipeline.components import SyncConfigError

from .pipeline import CUSTOMERS, VIP, Pipeline, Run

ROWS = [(f"C-{n}", f"p{n}@private.example", f"Person {n}", None, "free") for n in range(30)]


@pytest.fixture(params=["sqlite", "postgresql"])
def warehouse_url(request: pytest.FixtureRequest, tmp_path: Any) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'warehouse.db'}"
    return str(request.getfixturevalue("postgres_url"))


def there(sync: Any, **changes: Any) -> Any:
    """The same sync, compared in the warehouse."""
    return type(sync).model_validate(sync.model_dump(exclude_unset=True) | {"compare": "in_warehouse"} | changes)


THERE: ObjectSync = there(CUSTOMERS)
VIP_THERE: AudienceSync = there(VIP)


def left(run: Run, name: str = "customers") -> int:
    """How many rows left the warehouse."""
    return int(run.metadata(f"kustomer/{name}_rows")["dagster/row_count"])


def counted(run: Run, *names: str, sync: str = "customers") -> tuple[Any, ...]:
    metadata = run.metadata(f"kustomer/{sync}")
    return tuple(metadata[name] for name in names)


def test_only_rows_that_differ_leave_the_warehouse(pipeline: Pipeline) -> None:
    pipeline.customers(ROWS)
    first = pipeline.run("sync_customers", THERE)
    assert (left(first), *counted(first, "rows_read", "created")) == (30, 30, 30)
    pipeline.sandbox.clear_requests()
    unchanged = pipeline.run("sync_customers", THERE)
    assert (left(unchanged), *counted(unchanged, "rows_read", "unchanged")) == (0, 30, 30)
    assert [one.path for one in pipeline.sandbox.requests] == ["/v1/auth/tokens/current"] * 2  # to read, and to sync
    pipeline.customers([(*ROWS[0][:4], "pro"), *ROWS[1:], ("C-30", "p30@private.example", "New", None, None)])
    changed = pipeline.run("sync_customers", THERE)
    assert left(changed) == 2
    assert counted(changed, "rows_read", "created", "updated", "unchanged") == (31, 1, 1, 29)
    assert run_says(changed, "customers") == "31 rows, of which 2 left the warehouse"
    assert len(pipeline.sandbox.customers) == 31


def run_says(run: Run, name: str) -> str:
    return str(run.metadata(f"kustomer/{name}_rows")["compared_in_warehouse"])


def test_a_plan_tells_of_all_rows_and_changes_nothing(pipeline: Pipeline) -> None:
    pipeline.customers(ROWS)
    pipeline.run("sync_customers", THERE)
    pipeline.customers([(*ROWS[0][:4], "pro"), *ROWS[1:]])
    for _ in range(2):
        plan = pipeline.run("plan_all", THERE).metadata("kustomer/customers_plan")
        assert (plan["would_update"], plan["unchanged"]) == (1, 29)
    assert counted(pipeline.run("sync_customers", THERE), "updated") == (1,)


def test_a_member_who_is_no_longer_in_the_query_leaves_the_audience(pipeline: Pipeline) -> None:
    pipeline.customers(ROWS)
    pipeline.run("sync_customers", CUSTOMERS)
    pipeline.vips([f"p{n}@private.example" for n in range(12)])
    pipeline.run("sync_vip", VIP_THERE)
    unchanged = pipeline.run("sync_vip", VIP_THERE)
    assert (left(unchanged, "vip"), *counted(unchanged, "rows_read", "unchanged", sync="vip")) == (0, 12, 12)
    pipeline.vips([f"p{n}@private.example" for n in range(1, 12)])
    run = pipeline.run("sync_vip", VIP_THERE)
    assert (left(run, "vip"), *counted(run, "members", "removed", "unchanged", sync="vip")) == (0, 11, 1, 11)
    pipeline.vips([])
    held = pipeline.run("sync_vip", VIP_THERE)
    assert counted(held, "members", "removals_held", sync="vip") == (11, 11)


def test_a_full_resync_reads_every_row(pipeline: Pipeline) -> None:
    pipeline.customers(ROWS)
    pipeline.run("sync_customers", THERE)
    pipeline.sandbox.agent_edit(next(iter(pipeline.sandbox.customers)), name="By an agent")
    run = pipeline.run("sync_customers", THERE, config={"full_resync": True})
    assert (left(run), *counted(run, "updated", "unchanged")) == (30, 1, 29)
    assert left(pipeline.run("sync_customers", THERE)) == 0


def test_rows_that_are_refused_are_read_again_until_they_are_put_right(pipeline: Pipeline) -> None:
    pipeline.customers([*ROWS[:3], ("C-0", "other@private.example", "The same id", None, None)])
    first = pipeline.run("sync_customers", THERE)
    assert counted(first, "created", "invalid") == (2, 2)
    second = pipeline.run("sync_customers", THERE)
    assert (left(second), *counted(second, "unchanged", "invalid")) == (2, 2, 2)
    pipeline.customers(ROWS[:3])
    assert counted(pipeline.run("sync_customers", THERE), "created", "unchanged") == (1, 2)
    assert left(pipeline.run("sync_customers", THERE)) == 0


def test_a_row_that_shares_an_identifier_with_one_that_stayed_is_found(pipeline: Pipeline) -> None:
    pipeline.customers(ROWS[:3])
    pipeline.run("sync_customers", THERE)
    pipeline.customers([*ROWS[:3], ("C-9", ROWS[0][1], "The same address", None, None)])
    run = pipeline.run("sync_customers", THERE)
    assert (left(run), *counted(run, "invalid", "unchanged", "created")) == (2, 2, 2, 0)


def test_another_definition_of_the_sync_is_compared_with_nothing(pipeline: Pipeline) -> None:
    pipeline.customers(ROWS)
    pipeline.run("sync_customers", THERE)
    run = pipeline.run("sync_customers", there(THERE, nulls="clear"))
    assert (left(run), *counted(run, "rows_read")) == (30, 30)


def test_a_sync_may_change_where_it_is_compared(pipeline: Pipeline) -> None:
    pipeline.customers(ROWS)
    pipeline.run("sync_customers", THERE)
    pipeline.customers([(*ROWS[0][:4], "pro"), *ROWS[1:]])
    assert counted(pipeline.run("sync_customers", CUSTOMERS), "updated", "unchanged") == (1, 29)
    pipeline.customers(ROWS)  # as the warehouse remembers it, but not as it was accepted last
    run = pipeline.run("sync_customers", THERE)
    assert (left(run), *counted(run, "updated", "unchanged")) == (1, 1, 29)


def test_the_variable_is_for_syncs_that_do_not_say_where(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUSTOMER_COMPARE", "in_warehouse")
    pipeline.customers(ROWS)
    pipeline.run("sync_customers", CUSTOMERS)
    assert left(pipeline.run("sync_customers", CUSTOMERS)) == 0
    assert left(pipeline.run("sync_customers", there(CUSTOMERS, compare="embedded"))) == 30
    monkeypatch.setenv("KUSTOMER_COMPARE", "somewhere")
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="KUSTOMER_COMPARE is 'somewhere'; use embedded"):
        build_definitions([CUSTOMERS])


def test_a_dataframe_is_not_in_the_warehouse() -> None:
    with pytest.raises(SyncConfigError, match="compare: the rows are a DataFrame, which the warehouse cannot compare"):
        there(CUSTOMERS, query=None, source="analytics/customers")
