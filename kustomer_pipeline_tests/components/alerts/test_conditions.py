"""Each condition: told when it begins, not while it goes on, and once when it is over. Without Dagster."""

from dataclasses import replace
from typing import Any

import pytest

from kustomer_pipeline.components.alerts.changes import Told, delivered, news, remember
from kustomer_pipeline.components.alerts.conditions import conditions
from kustomer_pipeline.components.alerts.facts import Counted, Drifted, Facts, FailedCheck, RunEnd
from kustomer_pipeline.components.alerts.messages import Message, messages
from kustomer_pipeline.components.alerts.rules import Rule
from kustomer_pipeline.components.sync_config import Condition

NOW = 1_767_250_000.0
DAY = 86_400.0
WELL = Facts(
    first_seen=NOW - 30 * DAY,
    end=RunEnd("run-1", NOW - 60),
    success=NOW - 60,
    checks=(),
    counted=Counted("run-1", NOW - 60, read=2000),
    last_run="run-1",
    settled=True,
    drift=Drifted("run-0", NOW - DAY, 500),
)


class Person:
    """Is told what is news; `takes` is off while the channel takes nothing."""

    def __init__(self, **rule: Any) -> None:
        self.rule = Rule("SLACK", **rule)
        self.memory: dict[str, Told] = {}

    def hears(self, facts: Facts, now: float = NOW, *, takes: bool = True) -> list[Message]:
        known = conditions(facts, self.rule, now)
        self.memory = remember(self.memory, known, now, checks_known=facts.checks is not None)
        told = []
        for message, tells in messages("SLACK", "customers", list(news(self.memory, known)), "https://d.example"):
            told.append(message)
            if takes:
                for one in tells:
                    self.memory = delivered(self.memory, one)
        return told


def counted(**values: Any) -> Facts:
    return replace(WELL, counted=Counted("run-2", NOW - 30, **{"read": 2000, **values}))


BAD: dict[Condition, tuple[Facts, str, str]] = {
    "run_failed": (
        replace(WELL, end=RunEnd("run-2", NOW - 30, ok=False, error="ServerError", said="Kustomer kept failing.")),
        "the run failed",
        "runs succeed again",
    ),
    "does_not_load": (replace(WELL, mistakes=("vip/defs.yaml:5",)), "it does not load", "it loads again"),
    "check_failed": (
        replace(WELL, checks=(FailedCheck("fields_valid", "error", "run-2", NOW - 30, "120 of 2,000 rows"),)),
        "the check fields_valid failed",
        "the check fields_valid passes again",
    ),
    "held": (
        counted(held=1200, held_advice="launch `sync_customers` with approve_changes: changes-1200-0a"),
        "1,200 changes or removals are held",
        "nothing is held any more",
    ),
    "refused_share": (
        counted(invalid=36, rejected=4),
        "2.0% of the rows were refused",
        "few enough rows are refused again",
    ),
    "no_success": (replace(WELL, success=NOW - 27 * 3600), "no success for 26 h", "a run has succeeded again"),
    "budget_starved": (
        counted(waited=2400.0, deferred=500),
        "it runs out of the org's request budget",
        "the request budget is enough again",
    ),
    "drift": (
        replace(WELL, drift=Drifted("run-3", NOW - 20, 500, 12, (("changed", 10), ("deleted", 2)))),
        "2.4% of the records looked at have drifted",
        "few enough records have drifted again",
    ),
}


@pytest.mark.parametrize("condition", BAD)
def test_a_condition_is_told_once_when_it_begins_and_once_when_it_is_over(condition: Condition) -> None:
    bad, begins, over = BAD[condition]
    person = Person(when=frozenset([condition]))
    assert person.hears(WELL) == []
    [told] = person.hears(bad)
    assert (told.kind, told.title) == ("failure", f"Kustomer sync customers: {begins}")
    assert person.hears(bad, NOW + 60) == []
    assert person.hears(bad, NOW + DAY / 4) == []
    [told] = person.hears(WELL, NOW + 600)
    assert (told.kind, told.title) == ("success", f"Kustomer sync customers: {over}")
    assert person.hears(WELL, NOW + 660) == []
    assert person.memory == {}


@pytest.mark.parametrize("condition", BAD)
def test_who_has_not_asked_for_a_condition_is_not_told(condition: Condition) -> None:
    others: frozenset[Condition] = frozenset(BAD) - {condition}
    assert Person(when=others).hears(BAD[condition][0]) == []


@pytest.mark.parametrize("condition", BAD)
def test_what_was_not_delivered_is_told_at_the_next_tick_and_not_at_all_when_it_is_over_before(
    condition: Condition,
) -> None:
    bad = BAD[condition][0]
    person = Person(when=frozenset([condition]))
    first = person.hears(bad, takes=False)
    assert person.hears(bad, NOW + 60) == first != []
    person = Person(when=frozenset([condition]))
    person.hears(bad, takes=False)
    assert person.hears(WELL, NOW + 60) == []


def test_a_recovery_that_was_not_delivered_is_told_later_with_its_time_or_not_when_it_is_back() -> None:
    bad = BAD["held"][0]
    person = Person(when=frozenset(["held"]))
    person.hears(bad)
    first = person.hears(WELL, NOW + 60, takes=False)
    assert first != []
    assert person.hears(WELL, NOW + 120) == first
    person = Person(when=frozenset(["held"]))
    person.hears(bad)
    person.hears(WELL, NOW + 60, takes=False)
    assert person.hears(bad, NOW + 120) == []


def test_while_nothing_is_known_what_was_told_stands() -> None:
    person = Person(when=frozenset(["held", "check_failed", "run_failed"]))
    person.hears(BAD["held"][0])
    unknown = replace(WELL, counted=None, checks=None, end=None)
    assert person.hears(unknown, NOW + 60) == []
    assert person.hears(BAD["held"][0], NOW + 120) == []
    assert len(person.hears(WELL, NOW + 180)) == 1


def test_what_begins_together_is_one_message_with_one_link() -> None:
    bad = replace(
        WELL,
        end=RunEnd("run-2", NOW - 30, ok=False, said="120 of 2,000 rows were refused."),
        counted=Counted("run-2", NOW - 31, read=2000, invalid=120),
    )
    [told] = Person().hears(bad)
    assert told.title == "Kustomer sync customers: the run failed; 6.0% of the rows were refused"
    assert told.body.count("https://d.example/runs/run-2") == 1
    assert "120 of 2,000 rows: 120 invalid, 0 rejected." in told.body


def test_another_check_is_news_and_each_is_over_by_itself() -> None:
    one = FailedCheck("fields_valid", "error", "run-2", NOW)
    other = FailedCheck("removals_accepted", "error", "run-3", NOW)
    person = Person(when=frozenset(["check_failed"]))
    person.hears(replace(WELL, checks=(one,)))
    [told] = person.hears(replace(WELL, checks=(one, other)))
    assert told.title == "Kustomer sync customers: the check removals_accepted failed"
    [told] = person.hears(replace(WELL, checks=(other,)))
    assert told.title == "Kustomer sync customers: the check fields_valid passes again"


def test_checks_that_warn_are_told_to_who_asked_for_them() -> None:
    facts = replace(WELL, checks=(FailedCheck("landed_as_sent", "warn", "run-2", NOW),))
    assert Person(when=frozenset(["check_failed"])).hears(facts) == []
    [told] = Person(when=frozenset(["check_failed"]), severity="warn").hears(facts)
    assert told.title == "Kustomer sync customers: the check landed_as_sent warns"


def test_a_check_does_not_repeat_what_another_condition_says() -> None:
    names = ("all_rows_accepted", "changes_within_limit", "removals_within_limit")
    facts = replace(WELL, checks=tuple(FailedCheck(name, "error", "run-2", NOW) for name in names))
    assert Person().hears(facts) == []
    [told] = Person(when=frozenset(["check_failed"])).hears(facts)
    assert [name for name in names if name not in told.title] == []


@pytest.mark.parametrize(
    "rule, facts",
    [
        ({"refused_share": 0.02}, BAD["refused_share"][0]),
        ({"no_success": 28 * 3600.0}, BAD["no_success"][0]),
        ({"waited": 2400.0}, BAD["budget_starved"][0]),
    ],
)
def test_a_threshold_that_is_not_exceeded_is_not_told(rule: dict[str, float], facts: Facts) -> None:
    assert Person(**rule).hears(facts) == []
    assert len(Person(**{name: value * 0.9 for name, value in rule.items()}).hears(facts)) == 1


def test_a_sync_that_never_succeeded_is_told_of_after_it_was_watched_for_so_long() -> None:
    never = Facts(first_seen=NOW)
    person = Person()
    assert person.hears(never, NOW + 25 * 3600) == []
    [told] = person.hears(never, NOW + 27 * 3600)
    assert "No run has succeeded since it was first looked at, 2026-01-01" in told.body


@pytest.mark.parametrize(
    "facts",
    [
        counted(out_of_budget=True, deferred=1200),
        replace(WELL, end=RunEnd("run-2", NOW, ok=False, error="RateLimitedError", said="Still 429.")),
    ],
)
def test_a_run_that_was_stopped_by_the_budget_is_starved(facts: Facts) -> None:
    [told] = Person(when=frozenset(["budget_starved"])).hears(facts)
    assert "runs out of the org's request budget" in told.title


def test_a_run_that_failed_for_another_reason_is_not() -> None:
    facts = replace(WELL, end=RunEnd("run-2", NOW, ok=False, error="ServerError"))
    assert Person(when=frozenset(["budget_starved"])).hears(facts) == []


def test_a_message_says_since_when_how_many_what_to_do_and_where() -> None:
    [told] = Person(when=frozenset(["held"])).hears(BAD["held"][0])
    assert told.body == (
        "1,200 changes or removals are held, since 2026-01-01 06:46 UTC.\n"
        "launch `sync_customers` with approve_changes: changes-1200-0a\n\n"
        "Run: https://d.example/runs/run-2"
    )
    known = conditions(BAD["held"][0], Rule("SLACK", when=frozenset(["held"])), NOW)
    [(told, _)] = messages("SLACK", "customers", list(news(remember({}, known, NOW), known)), None)
    assert told.body.endswith("\n\nRun: run-2")


def test_a_failure_that_nobody_may_quote_is_told_by_its_kind() -> None:
    facts = replace(WELL, end=RunEnd("run-2", NOW, ok=False, error="IntegrityError", others=2))
    [told] = Person(when=frozenset(["run_failed"])).hears(facts)
    assert "An error that nobody expected: IntegrityError. Its run says where." in told.body
    assert "2 other syncs were not reached because of it." in told.body


def test_a_long_advice_is_cut() -> None:
    facts = replace(WELL, end=RunEnd("run-2", NOW, ok=False, said="x" * 100_000))
    [told] = Person(when=frozenset(["run_failed"])).hears(facts)
    assert len(told.body) < 2000


def test_drift_is_told_in_numbers_with_where_to_look() -> None:
    [told] = Person(when=frozenset(["drift"])).hears(BAD["drift"][0])
    assert "12 of 500 records are not in Kustomer as accepted: 10 changed, 2 deleted." in told.body
    assert told.body.endswith("Run: https://d.example/runs/run-3")


@pytest.mark.parametrize("rule", [{"drift_share": 0.024}, {"when": frozenset(["check_failed"])}])
def test_drift_below_the_threshold_and_of_a_sync_that_nobody_looks_at_is_not_told(rule: dict[str, Any]) -> None:
    assert Person(**rule).hears(BAD["drift"][0]) == []
    assert Person(when=frozenset(["drift"]), drift_share=0.0).hears(replace(WELL, drift=None)) == []


def test_removals_that_wait_for_refused_rows_are_held_too() -> None:
    facts = counted(invalid=1, waiting=195, held_advice="approve_removals: removals-195-0a")
    [message] = Person(when=frozenset({"held"})).hears(facts)
    assert "195 removals wait, because rows of the audience are refused" in message.title
    assert "approve_removals: removals-195-0a" in message.body


def test_where_the_mistakes_are_is_told_and_not_what_was_written() -> None:
    [message] = Person(when=frozenset({"does_not_load"})).hears(replace(WELL, mistakes=("vip/defs.yaml:5",)))
    assert "vip/defs.yaml:5" in message.body
