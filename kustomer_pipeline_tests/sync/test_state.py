"""The state, on SQLite and on a real PostgreSQL."""

from pathlib import Path

import pytest

from kustomer_pipeline.sync import StateError, StateStore
from kustomer_pipeline.sync.remembered import JobItem, LogLine, RowState
from kustomer_pipeline_tests.world import World, audience, companies, customers, members, people


@pytest.fixture(params=["sqlite", "postgresql"])
def state_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


def test_rows_are_remembered_per_org_and_sync(state_url: str) -> None:
    with StateStore.open(state_url) as store:
        mine = store.of("org", "customers")
        mine.remember(
            "r1", [RowState("a", "accepted", -5, "id-a", sent_lists={"phones": ["h"]}), RowState("b", "skipped")]
        )
        mine.remember("r2", [RowState("b", "accepted", 2**62, "id-b", owned=True)], forget=["nobody"])
    with StateStore.open(state_url) as store:
        snapshot = store.of("org", "customers").snapshot()
        found = sorted(zip(*(column.to_pylist() for column in vars(snapshot).values()), strict=True))
        assert [("a", -5, "accepted", "id-a", False), ("b", 2**62, "accepted", "id-b", True)] == found
        assert {"a": {"phones": ["h"]}} == store.of("org", "customers").sent_lists(["a", "b"])
        assert 0 == len(store.of("other", "customers").snapshot().keys)
        assert 0 == len(store.of("org", "other").snapshot().keys)


def test_a_job_is_in_flight_until_it_is_settled(state_url: str) -> None:
    with StateStore.open(state_url) as store:
        state = store.of("org", "customers")
        job = state.intend("r", "create", [JobItem("j-0", "a", 1, None), JobItem("j-1", "b", 2, None)])
        state.submitted(job, "bulk-1")
        (left,) = state.jobs_in_flight()
        assert ("bulk-1", job.items) == (left.bulk_id, left.items)
        state.settle_job("r", job, [RowState("a", "accepted", 1, "id")], log=[LogLine("a", "created", "id")])
        assert [] == state.jobs_in_flight()


def test_hints_are_found_by_value(state_url: str) -> None:
    with StateStore.open(state_url) as store:
        state = store.of("org", "customers")
        values = [f"v{n}" for n in range(12_000)]
        state.learn(("customers", "email", value, f"id-{value}") for value in values)
        assert 12_000 == len(state.identities("customers", "email", values))
        state.learn([("customers", "email", "v1", "elsewhere")])
        assert {"v1": "elsewhere", "v2": "id-v2"} == state.identities("customers", "email", ["v1", "v2", "v"])
        assert {} == state.identities("customers", "phone", ["v2"])
        assert {} == store.of("other", "customers").identities("customers", "email", ["v2"])


def test_a_whole_sync_on_either_database(state_url: str) -> None:
    with World(state_url) as world:
        assert 3 == world.run(companies(), [{"id": f"A-{n}", "name": f"Company {n}"} for n in range(3)]).counts.created
        assert 250 == world.run(customers(), people(250)).counts.created
        assert 10 == world.run(audience(), members(10)).counts.updated
        assert 250 == world.run(customers(), people(250)).counts.unchanged
        assert 1 == world.run(audience(), members(9)).removed


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "KUSTOMER_STATE_URL is not a database URL"),
        ("mysql://x", "state is kept in SQLite or PostgreSQL, not in mysql"),
        ("sqlite:////proc/nowhere/state.db", "cannot be opened"),
        ("postgresql+psycopg://u:hunter2@127.0.0.1:1/x", "cannot be opened"),
    ],
)
def test_a_state_that_cannot_be_used_says_so(url: str, said: str) -> None:
    with pytest.raises(StateError, match=said) as raised:
        StateStore.open(url)
    assert "hunter2" not in str(raised.value)


def test_only_one_run_writes_to_an_org(state_url: str) -> None:
    """The lock belongs to whoever holds it; another org is free."""
    import threading

    order: list[str] = []
    with StateStore.open(state_url) as first, StateStore.open(state_url) as second:
        started = threading.Event()

        def other() -> None:
            started.set()
            with second.lock("org"):
                order.append("second")

        with first.lock("org"):
            thread = threading.Thread(target=other)
            thread.start()
            started.wait()
            with second.lock("another org"):
                order.append("another org")
            order.append("first")
        thread.join()
    assert ["another org", "first", "second"] == order
