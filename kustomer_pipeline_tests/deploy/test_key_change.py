"""The steps of docs/deploy.md for a new API key: the old one is refused, the sync goes on with the new one.

key in the environment of the code server → deleted in Kustomer, before a run or in the middle of one → what the run
says → the new key in its place → the rest lands, once
"""

import pytest

from kustomer_pipeline.sandbox import RequestRecord
from kustomer_pipeline_tests.components.pipeline import Pipeline, people


def put_in_place(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What editing `kustomer.env` and restarting the code server come to."""
    monkeypatch.setenv("KUSTOMER_API_KEY", key)


def delete(of: Pipeline, key: str) -> None:
    """What an administrator of Kustomer does with a key."""
    with of.sandbox.state.lock:
        del of.sandbox.state.keys[key]


def test_with_a_new_key_a_sync_goes_on_where_it_was(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state belongs to the org, not to the key: nothing is read or sent again."""
    pipeline.customers(people(5))
    assert pipeline.run("sync_customers").success
    put_in_place(pipeline.sandbox.add_api_key(), monkeypatch)
    delete(pipeline, pipeline.sandbox.api_key)
    pipeline.sandbox.clear_requests()
    run = pipeline.run("sync_customers")
    assert (run.success, run.metadata("kustomer/customers")["unchanged"]) == (True, 5)
    assert pipeline.sandbox.units() == 1


def test_the_old_key_is_refused_by_name_and_nothing_is_sent(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who deletes it first, and restarts afterwards, has one failed run and no loss."""
    old, new = pipeline.sandbox.api_key, pipeline.sandbox.add_api_key()
    pipeline.customers(people(5))
    delete(pipeline, old)
    run = pipeline.run("sync_customers")
    said = run.failure("kustomer__customers")
    assert not run.success
    assert "KUSTOMER_API_KEY" in said
    assert old not in pipeline.event_log()
    assert len(pipeline.sandbox.customers) == 0

    put_in_place(new, monkeypatch)
    assert pipeline.run("sync_customers").success
    assert len(pipeline.sandbox.customers) == 5


@pytest.mark.parametrize("moment", [2, 3, 4])
def test_a_key_that_is_deleted_under_a_run_costs_no_row_and_doubles_none(
    moment: int, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page says to wait for the run. Whoever does not has a failed run, and the next one does the rest."""
    old, new = pipeline.sandbox.api_key, pipeline.sandbox.add_api_key()
    pipeline.customers(people(250))
    asked = iter(range(1, 1_000))

    def at_the_moment(_: RequestRecord) -> None:
        if next(asked) == moment:
            delete(pipeline, old)

    pipeline.sandbox.hooks.before.append(at_the_moment)
    run = pipeline.run("sync_customers")
    assert not run.success
    pipeline.sandbox.hooks.before.clear()

    put_in_place(new, monkeypatch)
    assert pipeline.run("sync_customers").success
    keys = sorted(str(one["externalId"]) for one in pipeline.sandbox.customers.values())
    assert keys == sorted(row[0] for row in people(250))
    assert {one["rev"] for one in pipeline.sandbox.customers.values()} == {1}
