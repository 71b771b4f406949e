"""Whatever comes between: forgetting can be asked for again, and then nothing of the person is left."""

import contextlib
import itertools
import logging
import shutil
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from kustomer_pipeline.kustomer import AuthenticationError, KustomerError
from kustomer_pipeline.sync import Beyond, ForgetError, Person, Receipt, StateError, StateStore, SyncSpec, Who, forget
from kustomer_pipeline.sync.state.tables import suppressed, sync_rows
from kustomer_pipeline_tests.dying import KilledError, killed_at
from kustomer_pipeline_tests.world import World, audience, customers, members, people

SPECS: list[SyncSpec] = [customers(), audience()]
STATE_ALONE = Beyond()
EMAIL, KEY = "p1@example.com", "C-1"


class Shelf:
    """Copies beside the state, found by their key."""

    def __init__(self, fails: Callable[[], None] = lambda: None) -> None:
        self.rows = {"C-0", KEY, "C-2"}
        self.fails = fails

    def keys_of(self, person: Person) -> Collection[tuple[str, str]]:
        return ()

    def remove(self, person: Person) -> Mapping[str, int]:
        self.fails()
        theirs = {key for key in self.rows if person.has_row("customers", key)}
        self.rows -= theirs
        return {"shelf": len(theirs)}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(f"sqlite:///{tmp_path / 'state.db'}", in_warehouse=False) as world:
        world.run(customers(), people(3))
        world.run(customers(), people(3, plan="pro"))
        world.run(audience(), members(3))
        yield world


def forgotten(
    world: World, beyond: Beyond = STATE_ALONE, when_suppressed: Callable[[], None] = lambda: None
) -> Receipt:
    with world.client() as client, StateStore.open(world.state_url, clock=world.clock) as state:
        return forget(
            Who(email=EMAIL),
            client=client,
            state=state,
            specs=SPECS,
            beyond=beyond,
            when_suppressed=when_suppressed,
        )


def left(folder: Path, *texts: str) -> list[str]:
    """Files with a trace of the person, byte by byte."""
    files = [path for path in folder.iterdir() if path.is_file()]
    return [path.name for path in files for text in (EMAIL, KEY, *texts) if text.encode() in path.read_bytes()]


def test_killed_at_any_statement_it_goes_on_when_asked_again(world: World, tmp_path: Path) -> None:
    kept = tmp_path.parent / f"{tmp_path.name}-as-it-was"
    shutil.copytree(tmp_path, kept)
    id_ = world.id_of(EMAIL)
    for number in itertools.count(1):
        for path in tmp_path.glob("state.db*"):
            path.unlink()
        shutil.copy(kept / "state.db", tmp_path)
        with killed_at(number), contextlib.suppress(KilledError):
            forgotten(world)
            break  # it came to its end
        receipt = forgotten(world)
        assert receipt.finished_at is not None
        assert left(tmp_path, id_) == [], f"killed at statement {number}"
        with StateStore.open(world.state_url, clock=world.clock) as store:
            receipts = store.receipts(world.sandbox.org_id).all()
            assert [one.finished_at for one in receipts][-1] is not None
            assert sum(one.finished_at is None for one in receipts) == 0
    assert number > 40


@pytest.mark.parametrize("which", ["warehouse", "frames"])
def test_killed_between_two_steps_it_goes_on_when_asked_again(world: World, tmp_path: Path, which: str) -> None:
    def dies() -> None:
        raise KilledError

    shelves = {"warehouse": Shelf(), "frames": Shelf()}
    shelves[which].fails = dies
    beyond = Beyond([shelves["warehouse"]], [shelves["frames"]], everywhere=True)
    with pytest.raises(KilledError):
        forgotten(world, beyond)
    with StateStore.open(world.state_url, clock=world.clock) as store:
        (begun,) = store.receipts(world.sandbox.org_id).all()
    assert begun.finished_at is None
    assert world.run(customers(), people(3)).counts.skipped == 1  # kept out already
    shelves[which].fails = lambda: None
    receipt = forgotten(world, beyond)
    assert receipt.receipt_id == begun.receipt_id
    assert receipt.removed["shelf"] == 2
    assert [shelf.rows for shelf in shelves.values()] == [{"C-0", "C-2"}] * 2
    assert left(tmp_path) == []


def test_nothing_is_done_where_kustomer_cannot_be_asked(world: World) -> None:
    with world.client("no-such-key") as client, StateStore.open(world.state_url, clock=world.clock) as state:
        with pytest.raises(AuthenticationError):
            forget(Who(email=EMAIL), client=client, state=state, specs=SPECS)
        assert state.receipts(world.sandbox.org_id).all() == []
        assert not state.anybody_suppressed()


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "gateway_error_before", "gateway_error_after"])
def test_a_deletion_whose_answer_is_lost_is_sent_again(world: World, fault: str) -> None:
    world.sandbox.faults.set(fault, method="DELETE", times=1)
    assert forgotten(world, Beyond(in_kustomer=True)).removed["kustomer.customers"] == 1
    assert len(world.sandbox.customers) == 2


def test_a_deletion_that_kustomer_refuses_leaves_the_rest_for_the_next_time(world: World, tmp_path: Path) -> None:
    """The roles of the key did not say so."""
    world.sandbox.faults.set("role_removed", "org.permission.customer.delete", method="DELETE")
    with pytest.raises(KustomerError):
        forgotten(world, Beyond(in_kustomer=True))
    assert left(tmp_path) != []
    world.sandbox.faults.clear("role_removed")
    forgotten(world, Beyond(in_kustomer=True))
    assert left(tmp_path) == []
    assert len(world.sandbox.customers) == 2


# --- what was deleted before ----------------------------------------------------------------------------------


def come_and_gone(world: World) -> None:
    """Jobs with the person in them, written and deleted as runs do it: what they held is in pages that are free."""
    file = sa.make_url(world.state_url).database
    with contextlib.closing(sqlite3.connect(str(file), isolation_level=None)) as connection:
        connection.execute("pragma secure_delete=off")
        items = "x" * 500 + EMAIL
        lines = [(f"job-{n}", "org", "s", "", "r", "update", "customers", items, "2026-01-01") for n in range(200)]
        names = "job_id, org_id, sync, scope, run_id, operation, object, items, created_at"
        connection.executemany(f"insert into bulk_jobs ({names}) values (?,?,?,?,?,?,?,?,?)", lines)
        connection.execute("delete from bulk_jobs")


def test_what_was_deleted_before_is_in_no_free_page_any_more(world: World, tmp_path: Path) -> None:
    come_and_gone(world)
    assert EMAIL.encode() in (tmp_path / "state.db").read_bytes()
    forgotten(world)
    assert left(tmp_path) == []


def test_nor_in_the_wal_file_while_others_have_the_state_open(world: World, tmp_path: Path) -> None:
    with StateStore.open(world.state_url, clock=world.clock):
        come_and_gone(world)
        assert EMAIL.encode() in (tmp_path / "state.db-wal").read_bytes()
        forgotten(world)
        assert left(tmp_path) == []


def test_a_reader_who_keeps_the_wal_file_is_told_of(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kustomer_pipeline.sync.state.database._SQLITE_PATIENCE_SECONDS", 0.05)
    with contextlib.closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None)) as reader:
        reader.execute("begin")
        reader.execute("select count(*) from sync_rows").fetchone()
        with pytest.raises(StateError, match=r"being read by somebody else.*run this again"):
            forgotten(world)
        reader.execute("rollback")
    assert forgotten(world).finished_at is not None
    assert left(tmp_path) == []


# --- beside a run that goes on --------------------------------------------------------------------------------


class Told(logging.Handler):
    """Sets an event when somebody says that they wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if "waiting for it to finish" in record.getMessage():
            self.waits.set()


def in_a_thread(run: Callable[[], None]) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(run).result()


def rows_of(world: World) -> int:
    engine = sa.create_engine(world.state_url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(sync_rows)).scalar_one())


def test_it_waits_for_the_run_that_writes(world: World, tmp_path: Path) -> None:
    told, done = Told(), threading.Event()
    logger = logging.getLogger("kustomer_pipeline")
    before, level = rows_of(world), logger.level
    logger.addHandler(told)
    logger.setLevel(logging.INFO)

    def forget_it() -> None:
        forgotten(world)
        done.set()

    thread = threading.Thread(target=forget_it)
    try:
        with (
            StateStore.open(world.state_url, clock=world.clock) as store,
            store.lock(world.sandbox.org_id),  # as a run holds it
        ):
            thread.start()
            assert told.waits.wait(30)
            assert rows_of(world) == before
            assert not done.is_set()
            assert store.anybody_suppressed()  # but whoever comes next leaves the person out
        thread.join(60)
    finally:
        logger.removeHandler(told)
        logger.setLevel(level)
    assert done.is_set()
    assert left(tmp_path) == []


def test_a_run_that_comes_in_between_leaves_nothing_behind(world: World, tmp_path: Path) -> None:
    """It began before, and writes when the person is on the list already."""

    def a_run() -> None:
        changed = [{**row, "name": f"{row['name']} again"} for row in people(3, plan="free")]
        report = world.run(customers(), changed)
        assert (report.counts.updated, report.counts.skipped) == (2, 1)

    forgotten(world, when_suppressed=lambda: in_a_thread(a_run))
    assert left(tmp_path, "Person 1 again") == []


def test_a_run_that_read_its_list_before_leaves_nothing_behind(world: World, tmp_path: Path) -> None:
    """Written by a run that did not know of the person yet, right before the lock is taken."""

    def an_older_run() -> None:
        changed = [{**row, "name": f"{row['name']} again"} for row in people(3, plan="free")]
        with without_the_list(world):
            assert world.run(customers(), changed).counts.updated == 3

    forgotten(world, when_suppressed=lambda: in_a_thread(an_older_run))
    assert left(tmp_path, "Person 1 again") == []


def test_so_does_one_that_made_the_record_only_then(tmp_path: Path) -> None:
    with World(f"sqlite:///{tmp_path / 'state.db'}", in_warehouse=False) as world:

        def the_first_run() -> None:
            with without_the_list(world):
                assert world.run(customers(), people(3)).counts.created == 3

        receipt = forgotten(world, when_suppressed=lambda: in_a_thread(the_first_run))
        assert receipt.removed["state.sync_rows"] == 1
        assert left(tmp_path, world.id_of(EMAIL)) == []
        under_another_address = {**people(2)[1], "email": "new@example.com"}
        assert world.run(customers(), [under_another_address]).counts.skipped == 1


@contextlib.contextmanager
def without_the_list(world: World) -> Iterator[None]:
    """As a run is that has read it before the person was on it."""
    with StateStore.open(world.state_url, clock=world.clock) as store:
        with store.engine.begin() as connection:
            kept = [dict(line) for line in connection.execute(sa.select(suppressed)).mappings()]
            connection.execute(sa.delete(suppressed))
        yield
        with store.engine.begin() as connection:
            connection.execute(sa.insert(suppressed), kept)


# --- rows that the warehouse compares -------------------------------------------------------------------------


def test_the_state_alone_is_refused_where_the_warehouse_has_the_row(tmp_path: Path) -> None:
    with World(f"sqlite:///{tmp_path / 'state.db'}", in_warehouse=True) as world:
        world.run(customers(), people(3))
        with pytest.raises(ForgetError, match=r"customers are compared in the warehouse.*--everywhere"):
            forgotten(world)
        with StateStore.open(world.state_url, clock=world.clock) as store:
            assert not store.anybody_suppressed()
        forgotten(world, Beyond(everywhere=True))
