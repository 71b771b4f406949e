"""How a run ended for each sync in it: the one that failed is told of, those that it kept from running are not."""

from kustomer_pipeline.components.alerts.facts import RunEnd
from kustomer_pipeline.components.alerts.verdicts import Ended, Status, StepFailure, verdicts


def steps(name: str) -> tuple[str, str, str]:
    return f"{name}_rows", f"{name}_mapped", name


SYNCS = {name: steps(name) for name in ("companies", "customers", "vip")}


def ended(
    status: Status = "failure",
    *,
    done: tuple[str, ...] = (),
    started: tuple[str, ...] = (),
    failed: dict[str, StepFailure] | None = None,
) -> Ended:
    failures = failed or {}
    return Ended("run", 5.0, status, frozenset([*done, *started, *failures]), frozenset(done), failures)


def told(run: Ended) -> dict[str, str]:
    """well, failed or nothing, of each."""
    ends = verdicts(run, SYNCS)
    return {name: "nothing" if end is None else "well" if end.ok else "failed" for name, end in ends.items()}


def test_a_run_that_succeeded_is_well_for_all() -> None:
    assert set(told(ended("success")).values()) == {"well"}


def test_the_sync_that_failed_is_to_blame_for_those_after_it() -> None:
    run = ended(done=steps("companies"), failed={"customers_mapped": StepFailure("MappingError", "no such column")})
    assert told(run) == {"companies": "well", "customers": "failed", "vip": "nothing"}
    assert verdicts(run, SYNCS)["customers"] == RunEnd(
        "run", 5.0, ok=False, error="MappingError", said="no such column", others=1
    )


def test_a_step_of_somebody_else_that_failed_before_is_told_of_once() -> None:
    run = ended(failed={"dbt_model": StepFailure()})
    assert told(run) == {"companies": "failed", "customers": "nothing", "vip": "nothing"}
    end = verdicts(run, SYNCS)["companies"]
    assert end is not None
    assert (end.said, end.others) == ("The step dbt_model, which comes before it, failed.", 2)


def test_a_process_that_was_killed_failed_the_sync_that_it_was_at() -> None:
    run = ended(done=(*steps("companies"), "customers_rows"), started=("customers_mapped",))
    assert told(run) == {"companies": "well", "customers": "failed", "vip": "nothing"}
    end = verdicts(run, SYNCS)["customers"]
    assert end is not None
    assert "process ended without a word" in end.said


def test_a_run_that_never_started_is_told_of_once() -> None:
    assert told(ended()) == {"companies": "failed", "customers": "nothing", "vip": "nothing"}


def test_a_run_that_somebody_cancelled_says_nothing_but_of_what_was_done_before() -> None:
    run = ended("canceled", done=steps("companies"), failed={"customers": StepFailure("Interrupted")})
    assert told(run) == {"companies": "well", "customers": "nothing", "vip": "nothing"}
