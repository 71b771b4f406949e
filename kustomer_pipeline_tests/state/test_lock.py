"""One writer per org, on SQLite and on a real PostgreSQL; and a lock that was lost stops whoever held it."""

import contextlib
import fcntl
import logging
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from kustomer_pipeline.sync.state import Lock, LockLostError, StateError, StateStore
from kustomer_pipeline_tests.simulated import SimulatedClock

PATIENCE = 30.0
Stores = tuple[StateStore, StateStore]
Elsewhere = Callable[..., "Future[str]"]


@pytest.fixture
def stores(state_url: str, clock: SimulatedClock) -> Iterator[Stores]:
    """Two processes' ways to one state database, as good as."""
    with StateStore.open(state_url, clock) as first, StateStore.open(state_url, clock) as second:
        yield first, second


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    """Take an org's lock in another thread, and give it back."""

    def take(store: StateStore, org_id: str = "org") -> str:
        with store.lock(org_id) as lock:
            lock.check()
            return "has had it"

    with ThreadPoolExecutor(1) as pool:
        yield lambda *arguments: pool.submit(take, *arguments)


@pytest.fixture
def waiting(caplog: pytest.LogCaptureFixture) -> Callable[[], None]:
    """Go on when somebody has said that he waits for the lock."""
    caplog.set_level(logging.INFO)

    def until_said() -> None:
        end = time.monotonic() + PATIENCE
        while "Another run is writing to this Kustomer org" not in caplog.text:
            assert time.monotonic() < end, "nobody waits"
            threading.Event().wait(0.01)

    return until_said


def cut_connections(store: StateStore) -> None:
    """What a server that is restarted does to those who are connected to it."""
    with sa.create_engine(store.engine.url, poolclass=sa.NullPool).connect() as connection:
        connection.exec_driver_sql(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )


def newest(folder: Path) -> Path:
    return max(folder.glob("*.lock"), key=lambda path: path.stat().st_mtime_ns)


def test_the_second_waits_for_the_first_and_says_so_once(
    stores: Stores, elsewhere: Elsewhere, waiting: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    first, second = stores
    with first.lock("org") as lock:
        other = elsewhere(second)
        waiting()
        lock.check()
        assert not other.done()
    assert other.result(PATIENCE) == "has had it"
    assert caplog.text.count("waiting for it to finish") == 1


def test_another_org_is_free(stores: Stores, elsewhere: Elsewhere) -> None:
    first, second = stores
    with first.lock("org"):
        assert elsewhere(second, "another org").result(PATIENCE) == "has had it"


def test_a_run_that_fails_gives_the_lock_back(stores: Stores, elsewhere: Elsewhere) -> None:
    first, second = stores
    with pytest.raises(ZeroDivisionError), first.lock("org"):
        _ = 1 / 0
    assert elsewhere(second).result(PATIENCE) == "has had it"


@pytest.fixture
def control_c() -> Iterator[None]:
    """Ctrl+C interrupts, also where the tests run in the background of a shell, which has them ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("control_c")
def test_whoever_waits_can_be_stopped(stores: Stores, waiting: Callable[[], None]) -> None:
    first, second = stores

    def press_control_c() -> None:
        waiting()
        os.kill(os.getpid(), signal.SIGINT)

    with first.lock("org") as lock:
        thread = threading.Thread(target=press_control_c)
        thread.start()
        with pytest.raises(KeyboardInterrupt), second.lock("org"):
            pass
        thread.join()
        lock.check()
    with second.lock("org"):
        pass


def test_who_waits_looks_twice_a_second(
    postgres_url: str, clock: SimulatedClock, elsewhere: Elsewhere, waiting: Callable[[], None]
) -> None:
    """However fast the clock of the runs goes: waiting for other processes takes real time, and no processor's."""
    first, second = (StateStore.open(postgres_url, clock) for _ in range(2))
    looks = []
    sa.event.listen(second.engine, "before_cursor_execute", lambda *arguments: looks.append(arguments[2]))
    with first, second, first.lock("org"):
        other = elsewhere(second)
        waiting()
        clock.advance(3600.0)
        assert len([look for look in looks if "pg_try_advisory_lock" in look]) <= 2
    other.result(PATIENCE)


def test_a_lock_whose_connection_is_cut_is_lost_and_the_next_one_has_it(
    postgres_url: str, clock: SimulatedClock, elsewhere: Elsewhere, caplog: pytest.LogCaptureFixture
) -> None:
    with StateStore.open(postgres_url, clock) as first, StateStore.open(postgres_url, clock) as second:
        with first.lock("org") as lock:
            lock.check()
            cut_connections(first)
            assert elsewhere(second).result(PATIENCE) == "has had it"
            clock.advance(1.0)
            for _ in range(2):
                with pytest.raises(LockLostError, match="another run may be writing by now"):
                    lock.check()
        assert elsewhere(first).result(PATIENCE) == "has had it", "the store itself goes on"
        assert caplog.records == []


def test_a_lock_that_somebody_released_behind_our_back_is_lost(postgres_url: str, clock: SimulatedClock) -> None:
    """A pooler that gives each statement another connection does as much."""
    with StateStore.open(postgres_url, clock) as store, store.lock("org") as lock:
        _connection_of(lock).execute(sa.text("select pg_advisory_unlock_all()"))
        clock.advance(1.0)
        with pytest.raises(LockLostError):
            lock.check()


def _connection_of(lock: Lock) -> sa.Connection:
    connection = vars(lock)["_connection"]
    assert isinstance(connection, sa.Connection)
    return connection


def test_the_server_is_asked_once_a_second_at_most(postgres_url: str, clock: SimulatedClock) -> None:
    with StateStore.open(postgres_url, clock) as store, store.lock("org") as lock:
        asked = []
        sa.event.listen(store.engine, "before_cursor_execute", lambda *arguments: asked.append(arguments[2]))
        for _ in range(100):
            lock.check()
            clock.advance(0.05)
        assert 3 <= len(asked) <= 5


def test_a_lost_connection_at_the_end_hides_nothing_of_what_the_run_came_to(
    postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    def run(store: StateStore, result: int) -> float:
        with store.lock("org"):
            cut_connections(store)
            return 1 / result

    with StateStore.open(postgres_url) as store:
        assert run(store, 1) == 1.0
        assert "The connection that held the org's lock was gone at the end" in caplog.text
        with pytest.raises(ZeroDivisionError):
            run(store, 0)


def test_a_server_that_goes_away_while_somebody_waits_is_told(
    postgres_url: str, elsewhere: Elsewhere, waiting: Callable[[], None]
) -> None:
    with StateStore.open(postgres_url) as first, StateStore.open(postgres_url) as second, first.lock("org"):
        other = elsewhere(second)
        waiting()
        cut_connections(first)
        with pytest.raises(StateError, match=r"Locking the state database .* is not there, or not any more"):
            other.result(PATIENCE)


@pytest.mark.parametrize("what", ["deleted", "replaced"])
def test_a_lock_whose_file_is_gone_is_lost(tmp_path: Path, what: str) -> None:
    with StateStore.open(f"sqlite:///{tmp_path / 'state.db'}") as store:
        with store.lock("org") as lock:
            lock.check()
            path = newest(tmp_path)
            path.unlink()
            if what == "replaced":
                path.touch()
            with pytest.raises(LockLostError):
                lock.check()
        with store.lock("org") as lock:
            lock.check()


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    with StateStore.open(f"sqlite:///{tmp_path / 'state.db'}") as store:
        with store.lock("org"):
            path = newest(tmp_path)
        path.unlink()
        path.mkdir()
        with pytest.raises(StateError, match=r"cannot be locked \(Is a directory\)"), store.lock("org"):
            pass


def test_a_state_in_memory_is_locked_within_the_process(elsewhere: Elsewhere, waiting: Callable[[], None]) -> None:
    with StateStore.open("sqlite://") as store:
        with store.lock("org") as lock:
            lock.check()
            other = elsewhere(store)
            waiting()
            assert not other.done()
        assert other.result(PATIENCE) == "has had it"


def test_a_run_of_the_first_release_is_waited_for_before_its_state_is_migrated(
    tmp_path: Path, waiting: Callable[[], None]
) -> None:
    """The locks have the names they had."""
    path, lock = tmp_path / "state.db", tmp_path / "state.db.606f3dcf4b819213.lock"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript((Path(__file__).parent / "first_release.sql").read_text(encoding="utf-8"))
    with lock.open("w") as held, ThreadPoolExecutor(1) as pool:
        fcntl.flock(held, fcntl.LOCK_EX)
        opening = pool.submit(StateStore.open, f"sqlite:///{path}")
        waiting()
        assert not opening.done()
        held.close()
        opening.result(PATIENCE).close()
