"""The cursor holds what is remembered, and whatever else stands in it is as good as nothing."""

from dataclasses import replace

import pytest

from kustomer_pipeline.components.alerts.changes import Told
from kustomer_pipeline.components.alerts.facts import Counted, Facts, FailedCheck, RunEnd
from kustomer_pipeline.components.alerts.memory import Known, from_json, to_json

END = RunEnd("run-1", 100.5)
FACTS = [
    Facts(first_seen=1.0),
    Facts(1.0, END, 100.5, (), None, "run-1", True),
    Facts(1.0, END, 100.5, (), None, "run-2", False),
    Facts(1.0, RunEnd("run-1", 100.5, False, "ServerError", "wait", 3), 50.25, None, None, "run-1", True),
    Facts(
        1.0, RunEnd("run-1", 100.5, False, others=1), None, (FailedCheck("a", "warn", "r", 1.5, "b"),), None, "", False
    ),
    Facts(1.0, None, None, None, None, "run-9", True),
]


@pytest.mark.parametrize("facts", FACTS)
def test_what_is_remembered_comes_back(facts: Facts) -> None:
    told = {"SLACK": {"held": Told(5.0, True), "check_failed:x": Told(6.0, True, 7.0)}}
    known = {"customers": Known(facts, told), "vip": Known(facts)}
    assert from_json(to_json(known)) == known


def test_what_was_counted_is_read_anew_each_time() -> None:
    facts = replace(FACTS[1], counted=Counted("run-1", 1.0, read=5))
    assert from_json(to_json({"customers": Known(facts)}))["customers"].facts == FACTS[1]


@pytest.mark.parametrize("cursor", [None, "", "nonsense", "[]", "5", '{"customers": 5}', '{"customers": {"end": [1]}}'])
def test_what_somebody_else_wrote_is_as_good_as_nothing(cursor: str | None) -> None:
    assert from_json(cursor) == {}


def test_a_sync_that_is_well_takes_little_room() -> None:
    end = RunEnd("4a9f1c3e-8d0b-4a67-9d9c-0e3f5b7a1c2d", 1_767_250_000.123)
    facts = Facts(1_767_000_000.0, end, end.at, (), None, end.run_id, True)
    assert len(to_json({"customers": Known(facts)})) < 130
