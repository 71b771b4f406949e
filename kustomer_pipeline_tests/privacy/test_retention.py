"""What is kept goes by age, in every run and in small statements; a refusal is logged when it is new."""

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import dagster as dg
import pandas as pd
import pytest
import sqlalchemy as sa
from upath import UPath

from kustomer_pipeline.io_manager import FramesError, ParquetStorage
from kustomer_pipeline.io_manager.frame_folder import FrameFolder, expire_before
from kustomer_pipeline.resources import FramesResource, StateResource
from kustomer_pipeline.sync import StateError, StateStore
from kustomer_pipeline.sync.state import Job, JobItem, LogLine, RunLine, retention
from kustomer_pipeline.sync.state.tables import bulk_jobs, sync_changes, sync_log, sync_rows, sync_runs
from kustomer_pipeline_tests.world import World, audience, customers, members, people

DAY = 86_400.0


@pytest.fixture
def store(world: World) -> Iterator[StateStore]:
    with StateStore.open(world.state_url, clock=world.clock) as store:
        yield store


def column(store: StateStore, of: sa.Column[Any]) -> list[Any]:
    with store.engine.connect() as connection:
        return list(connection.execute(sa.select(of).order_by(of)).scalars())


# --- by age, in every run -------------------------------------------------------------------------------------


def test_a_run_removes_what_is_older_than_the_days(world: World, store: StateStore) -> None:
    world.run(customers(), people(3), run_id="old")
    world.run(customers(), people(3, plan="pro"), run_id="old too")
    world.clock.advance(2 * DAY)
    world.run(customers(), people(3, plan="free"), run_id="young", keep_days=3)
    assert set(column(store, sync_log.c.run_id)) == {"old", "old too", "young"}
    world.clock.advance(2 * DAY)
    world.run(customers(), people(3, plan="free"), run_id="now", keep_days=3)
    assert set(column(store, sync_log.c.run_id)) == {"young"}
    assert set(column(store, sync_changes.c.run_id)) == {"young"}  # KUSTOMER_UNDO_DAYS would keep more
    assert column(store, sync_runs.c.run_id) == ["now", "young"]
    assert len(column(store, sync_rows.c.key)) == 3


def test_what_can_be_undone_goes_before_the_rest_does(world: World, store: StateStore) -> None:
    world.run(customers(), people(3))
    world.run(customers(), people(3, plan="pro"))
    world.clock.advance(2 * DAY)
    world.run(customers(), people(3, plan="pro"), undo_days=1, keep_days=90)
    assert column(store, sync_changes.c.run_id) == []
    assert len(column(store, sync_log.c.run_id)) == 6


def test_0_days_keep_what_the_newest_run_wrote(world: World, store: StateStore) -> None:
    for plan in ("free", "pro", "plus"):
        world.run(customers(), people(3, plan=plan), run_id=plan, keep_days=0)
        world.clock.advance(1)
    assert set(column(store, sync_log.c.run_id)) == {"plus"}
    assert column(store, sync_runs.c.run_id) == ["plus"]


def test_of_each_sync_the_newest_run_stays_also_of_one_that_rests(world: World, store: StateStore) -> None:
    world.run(customers(), people(3), run_id="customers-1")
    world.run(customers(), people(3), run_id="customers-2")
    world.run(audience(), members(3), run_id="vip-1")
    world.clock.advance(100 * DAY)
    world.run(audience(), members(3), run_id="vip-2")
    assert column(store, sync_runs.c.run_id) == ["customers-2", "vip-2"]
    assert column(store, sync_log.c.run_id) == []


def test_of_other_orgs_too_and_jobs_that_nobody_collects(world: World, store: StateStore) -> None:
    gone = store.of("another org", "gone")
    with gone.transaction() as tx:
        tx.log.add([LogLine("K", "created", "id")], "theirs")
    here = store.of(world.sandbox.org_id, "gone")
    for name, state in (("here", here), ("there", gone)):
        with state.transaction() as tx:
            tx.journal.intend(Job(name, "update", "customers", (JobItem("ref", "K"),), created_at=store.now()), "r")
    world.clock.advance(100 * DAY)
    world.run(customers(), people(1))
    assert set(column(store, sync_log.c.key)) == {"C-0"}
    assert column(store, bulk_jobs.c.job_id) == ["there"]


def test_small_statements_each_a_transaction_of_its_own(
    world: World, store: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 10)
    with store.of("org", "customers").transaction() as tx:
        tx.log.add([LogLine(f"K-{n}", "created", "id") for n in range(95)], "old")
    before = store.now() + timedelta(days=1)
    seen: list[int | None] = []  # lines that a statement deleted; None: a commit

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.lower().startswith("delete from sync_log"):
            seen.append(cursor.rowcount)

    sa.event.listen(store.engine, "after_cursor_execute", note)
    sa.event.listen(store.engine, "commit", lambda _: seen.append(None))
    assert store.purge("org", before, before) == 95
    assert [one for one in seen if one is not None] == [10] * 9 + [5]
    assert [after for one, after in pairwise([*seen, 0]) if one is not None] == [None] * 10
    seen.clear()
    assert store.purge("org", before, before) == 0
    assert set(seen) <= {None}


def test_a_line_of_the_future_keeps_nothing_else(world: World, store: StateStore) -> None:
    """A machine whose clock was wrong wrote the first line."""
    world.run(customers(), people(3))
    with store.engine.begin() as connection:
        first = sa.select(sa.func.min(sync_log.c.id)).scalar_subquery()
        connection.execute(
            sa.update(sync_log).where(sync_log.c.id == first).values(at=datetime(2099, 1, 1, tzinfo=UTC))
        )
    world.clock.advance(100 * DAY)
    world.run(customers(), people(3))
    assert len(column(store, sync_log.c.key)) == 1


def test_nothing_old_costs_a_look_at_the_first_lines(world: World, store: StateStore) -> None:
    with store.of("org", "customers").transaction() as tx:
        tx.log.add([LogLine(f"K-{n}", "created", "id") for n in range(2_000)], "young")
        tx.runs.add(RunLine("young", store.now(), store.now(), {}, 0.0))
    statements: list[str] = []
    sa.event.listen(store.engine, "before_cursor_execute", lambda *seen: statements.append(seen[2]))
    long_ago = store.now() - timedelta(days=90)
    assert store.purge("org", long_ago, long_ago) == 0
    assert not [one for one in statements if one.lower().startswith("delete")]
    assert len([one for one in statements if one.startswith("SELECT")]) < 10


# --- refusals -------------------------------------------------------------------------------------------------


def log_of(store: StateStore, key: str) -> list[tuple[str, str]]:
    with store.engine.connect() as connection:
        query = sa.select(sync_log.c.run_id, sync_log.c.outcome).where(sync_log.c.key == key).order_by(sync_log.c.id)
        return [tuple(row) for row in connection.execute(query)]


def test_a_refusal_is_logged_when_it_is_new_or_has_another_reason(world: World, store: StateStore) -> None:
    for n in (0, 1):
        world.sandbox.seed_customer(externalId=f"other-{n}", emails=[{"email": f"p{n}@example.com"}])
    for run_id in ("1", "2", "3"):
        assert world.run(customers(), people(2), run_id=run_id).counts.rejected == 2
    assert log_of(store, "C-0") == [("1", "rejected")]
    world.sandbox.seed_customer(externalId="C-0", emails=[{"email": "new@example.com"}])
    assert world.run(customers(), people(2), run_id="4").counts.rejected == 2
    assert log_of(store, "C-0") == [("1", "rejected"), ("4", "rejected")]
    assert log_of(store, "C-1") == [("1", "rejected")]
    world.run(customers(), people(2), run_id="5")
    assert len(log_of(store, "C-0")) == 2


def test_so_is_a_row_that_is_skipped_or_invalid(world: World, store: StateStore) -> None:
    rows = [{**people(1)[0], "email": "no address"}, people(2)[1]]
    spec = customers(mode="update")
    for run_id in ("1", "2", "3"):
        report = world.run(spec, rows, run_id=run_id)
        assert (report.counts.invalid, report.counts.skipped) == (1, 1)
        world.hours_pass(2)  # who is not in Kustomer is looked for again
    assert log_of(store, "C-0") == [("1", "invalid")]
    assert log_of(store, "C-1") == [("1", "skipped")]


def test_a_row_that_was_put_right_in_between_is_refused_anew(world: World, store: StateStore) -> None:
    bad, good = [{**people(1)[0], "email": "no address"}], people(1)
    for run_id, rows in enumerate([bad, bad, good, bad]):
        world.run(customers(), rows, run_id=str(run_id))
    assert log_of(store, "C-0") == [("0", "invalid"), ("2", "created"), ("3", "invalid")]


def test_a_removal_that_kustomer_refuses_is_logged_once(world: World, store: StateStore) -> None:
    world.run(customers(), people(5))
    world.run(audience(), members(5), run_id="0")
    world.sandbox.faults.set("untag_refused")
    for run_id in ("1", "2", "3"):
        assert world.run(audience(), members(4), run_id=run_id).removals.refused == 1
    world.sandbox.faults.clear("untag_refused")
    assert world.run(audience(), members(4), run_id="4").removed == 1
    assert log_of(store, "p4@example.com") == [("0", "updated"), ("1", "rejected"), ("4", "removed")]


# --- files ----------------------------------------------------------------------------------------------------


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


def test_the_state_is_its_owners_only_with_everything_beside_it(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with StateStore.open(f"sqlite:///{tmp_path / 'state.db'}") as store:
            with store.of("org", "customers").transaction() as tx:
                tx.log.add([LogLine("K", "created")], "run")
            beside = sorted(path.name for path in tmp_path.glob("state.db*") if path.suffix != ".lock")
            assert beside == ["state.db", "state.db-shm", "state.db-wal"]
            assert {mode(tmp_path / name) for name in beside} == {"0o600"}
    finally:
        os.umask(before)


@pytest.mark.parametrize("of_a_uri", [False, True])
def test_so_is_a_state_that_others_could_read_until_now(tmp_path: Path, of_a_uri: bool) -> None:
    file = tmp_path / "state.db"
    url = f"sqlite:///file:{file}?uri=true" if of_a_uri else f"sqlite:///{file}"
    with StateStore.open(url) as first:
        for path in tmp_path.glob("state.db*"):
            path.chmod(0o644)
        with StateStore.open(url):
            assert {mode(path) for path in tmp_path.glob("state.db*") if path.suffix != ".lock"} == {"0o600"}
        assert first.now() is not None


# --- frames ---------------------------------------------------------------------------------------------------


def nothing(file: BinaryIO) -> None:
    """An empty file."""


def aged(path: Path, days: float) -> Path:
    moment = datetime.now(UTC).timestamp() - days * DAY
    os.utime(path, (moment, moment))
    return path


def write(instance: dg.DagsterInstance, key: list[str], storage: ParquetStorage) -> None:
    @dg.asset(key=dg.AssetKey(key))
    def upstream() -> pd.DataFrame:
        return pd.DataFrame({"n": [1]})

    dg.materialize([upstream], resources={"io_manager": storage}, instance=instance)


def test_old_frames_go_with_the_next_run_also_those_of_a_sync_that_is_gone(tmp_path: Path) -> None:
    storage = ParquetStorage(base_dir=str(tmp_path), keep_frames=5, keep_days=90)
    with dg.DagsterInstance.ephemeral() as instance:
        for name in ("gone", "here", "here", "young"):
            write(instance, ["kustomer", name], storage)
        write(instance, ["analytics", "elsewhere"], storage)
        (old_of_gone,) = (tmp_path / "kustomer" / "gone").iterdir()
        first, _ = sorted((tmp_path / "kustomer" / "here").iterdir())
        (of_another_prefix,) = (tmp_path / "analytics" / "elsewhere").iterdir()
        half = tmp_path / "kustomer" / "gone" / "00000009-killed.parquet.part"
        half.write_text("half")
        for path in (old_of_gone, first, of_another_prefix, half):
            aged(path, 91)
        write(instance, ["kustomer", "here"], storage)
        assert not old_of_gone.exists()
        assert not first.exists()
        assert not half.exists()
        assert of_another_prefix.exists()
        assert len(list((tmp_path / "kustomer" / "here").iterdir())) == 2
        assert len(list((tmp_path / "kustomer" / "young").iterdir())) == 1


def test_a_frame_of_a_run_that_goes_on_stays_however_old(tmp_path: Path) -> None:
    folder = FrameFolder(UPath(tmp_path / "kustomer" / "rows"))
    path = Path(folder.write("goes-on", nothing).path)
    aged(path, 91)
    moment = datetime.now(UTC) - timedelta(days=90)
    expire_before(UPath(tmp_path), moment, lambda run_id: run_id == "goes-on")
    assert path.exists()
    expire_before(UPath(tmp_path), moment, lambda run_id: False)
    assert not path.exists()


def test_in_a_store_that_is_no_folder(tmp_path: Path) -> None:
    place = UPath("memory://kept")
    FrameFolder(place / "kustomer" / "rows").write("run", nothing)
    expire_before(place, datetime.now(UTC) - timedelta(days=1), lambda _: False)
    assert place.fs.find(place.path) != []
    expire_before(place, datetime.now(UTC) + timedelta(days=1), lambda _: False)
    assert place.fs.find(place.path) == []


# --- settings -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "days"), [("", 90), ("7", 7), ("0", 0), (" 36500 ", 36_500)])
def test_the_days_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch, text: str, days: int) -> None:
    monkeypatch.setenv("KUSTOMER_KEEP_DAYS", text)
    assert StateResource().days_to_keep() == days
    assert StateResource(keep_days=1).days_to_keep() == 1


@pytest.mark.parametrize("text", ["-1", "ever", "1.5", "123456"])
def test_days_that_are_none_are_an_error_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
) -> None:
    monkeypatch.setenv("KUSTOMER_KEEP_DAYS", text)
    with pytest.raises(StateError, match="KUSTOMER_KEEP_DAYS is"):
        StateResource().days_to_keep()
    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(FramesError, match="KUSTOMER_KEEP_DAYS is"):
        FramesResource(base_dir=str(tmp_path)).create_io_manager(dg.build_init_resource_context(instance=instance))
