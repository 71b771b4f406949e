"""What is the matter with a sync, as one channel wants to know it. Pure: facts, a rule, the time → conditions.

A condition is raised, clear, or not there: nothing is known of it yet, so what was told of it stands.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from kustomer_pipeline.sync.wording import ARE, RECORDS, ROWS, part, quantity

from ..sync_checks import ACCEPTED, CHANGES, REMOVALS
from ..sync_config import Condition
from .facts import Counted, Drifted, Facts, FailedCheck, RunEnd
from .rules import Rule
from .wording import hours, share, when

# What one condition says is not said again by a check.
_COVERED: dict[str, Condition] = {ACCEPTED: "refused_share", CHANGES: "held", REMOVALS: "held"}
_NO_BUDGET = "RateLimitedError"


@dataclass(frozen=True)
class Raised:
    """Something is the matter, since `since`. `title` goes after the sync's name; `run_id`: where to look."""

    since: float
    title: str
    lines: tuple[str, ...] = ()
    run_id: str = ""


# By name of the condition, of a check with the check's: check_failed:fields_valid. None: it is clear.
Conditions = dict[str, Raised | None]


def conditions(facts: Facts, rule: Rule, now: float) -> Conditions:
    """What the channel of `rule` wants to know of a sync, as far as it is known."""
    return dict(_all(facts, rule, now))


def condition_of(name: str) -> str:
    """`check_failed` of `check_failed:fields_valid`."""
    return name.partition(":")[0]


def _all(facts: Facts, rule: Rule, now: float) -> Iterator[tuple[str, Raised | None]]:
    if "does_not_load" in rule.when:
        yield "does_not_load", _does_not_load(facts, now)
    if "run_failed" in rule.when and facts.end is not None:
        yield "run_failed", _run_failed(facts.end)
    if "check_failed" in rule.when and facts.checks is not None:
        # A check that is not among them passes: `clear_checks` clears what was told.
        yield from ((f"check_failed:{check.name}", _check(check)) for check in _told_checks(facts.checks, rule))
    if "held" in rule.when and facts.counted is not None:
        yield "held", _held(facts.counted)
    if "refused_share" in rule.when and facts.counted is not None:
        yield "refused_share", _refused(facts.counted, rule)
    if "no_success" in rule.when:
        yield "no_success", _no_success(facts, rule, now)
    if "budget_starved" in rule.when and (facts.counted is not None or facts.end is not None):
        yield "budget_starved", _starved(facts, rule)
    if "drift" in rule.when and facts.drift is not None:
        yield "drift", _drift(facts.drift, rule)


def _does_not_load(facts: Facts, now: float) -> Raised | None:
    if not facts.mistakes:
        return None
    said = (
        f"It sends nothing until its file is put right: {', '.join(facts.mistakes)}. The others run. The description "
        "of its asset says what is wrong."
    )
    return Raised(now, "it does not load", (said,))


def _run_failed(end: RunEnd) -> Raised | None:
    if end.ok:
        return None
    lines = [end.said or f"An error that nobody expected{f': {end.error}' if end.error else ''}. Its run says where."]
    if end.others:
        are = "sync was" if end.others == 1 else "syncs were"
        lines.append(f"{end.others} other {are} not reached because of it.")
    return Raised(end.at, "the run failed", tuple(lines), end.run_id)


def _told_checks(checks: tuple[FailedCheck, ...], rule: Rule) -> Iterator[FailedCheck]:
    for check in checks:
        severe = rule.severity == "warn" or check.severity == "error"
        if severe and _COVERED.get(check.name) not in rule.when:
            yield check


def _check(check: FailedCheck) -> Raised:
    how = "failed" if check.severity == "error" else "warns"
    return Raised(check.at, f"the check {check.name} {how}", (check.said,) if check.said else (), check.run_id)


def _held(counted: Counted) -> Raised | None:
    if not counted.held and not counted.waiting:
        return None
    if not counted.held:
        wait = quantity(counted.waiting, "removal waits", "removals wait")
        said = counted.held_advice or "Put the refused rows right; the run says how to let exactly these through."
        return Raised(counted.at, f"{wait}, because rows of the audience are refused", (said,), counted.run_id)
    advice = counted.held_advice or "Look at the plan; the run says how to let exactly these through."
    return Raised(
        counted.at,
        f"{quantity(counted.held, 'change or removal is', 'changes or removals are')} held",
        (advice,),
        counted.run_id,
    )


def _refused(counted: Counted, rule: Rule) -> Raised | None:
    if counted.refused_share <= rule.refused_share:
        return None
    refused = counted.invalid + counted.rejected
    said = (
        f"{refused:,} of {quantity(counted.read, *ROWS)}: {counted.invalid:,} invalid, {counted.rejected:,} rejected. "
        f"More than {share(rule.refused_share)} is told here. The others have been sent. The asset's metadata lists "
        "refused rows and the reasons: correct them at the source; they are tried again in every run."
    )
    return Raised(counted.at, f"{share(counted.refused_share)} of the rows were refused", (said,), counted.run_id)


def _no_success(facts: Facts, rule: Rule, now: float) -> Raised | None:
    since = facts.first_seen if facts.success is None else facts.success
    if now - since <= rule.no_success:
        return None
    said = (
        f"The last run that succeeded ended {when(facts.success)}."
        if facts.success is not None
        else f"No run has succeeded since it was first looked at, {when(since)}."
    )
    advice = "Is its schedule or sensor switched on, is a run stuck, or does every run fail?"
    return Raised(since, f"no success for {hours(rule.no_success)}", (said, advice))


def _starved(facts: Facts, rule: Rule) -> Raised | None:
    end, counted = facts.end, facts.counted
    advice = (
        "Others use up the org's request budget, or the key lacks roles that make the sync cheaper: see the check "
        "key_is_enough. Nothing is lost: the next run goes on."
    )
    title = "it runs out of the org's request budget"
    # The newer of both speaks: a run that failed before it counted anything, or what was counted.
    newer = end is not None and (counted is None or (end.run_id != counted.run_id and end.at > counted.at))
    if end is not None and newer:
        stopped = not end.ok and end.error == _NO_BUDGET
        said = "Kustomer still refused with 429 after several windows were waited out."
        return Raised(end.at, title, (said, advice), end.run_id) if stopped else None
    if counted is None or not (counted.out_of_budget or counted.waited > rule.waited):
        return None
    said = f"The run waited {hours(counted.waited)} for it; {part(counted.deferred, counted.read, *ROWS, ARE)} left."
    return Raised(counted.at, title, (said, advice), counted.run_id)


def _drift(found: Drifted, rule: Rule) -> Raised | None:
    if found.share <= rule.drift_share:
        return None
    kinds = ", ".join(f"{count:,} {what}" for what, count in found.kinds)
    said = (
        f"{part(found.drifted, found.looked_at, *RECORDS, ARE)} not in Kustomer as accepted: {kinds}. More than "
        f"{share(rule.drift_share)} is told here. The sync's drift asset says which fields, since when and by whom; "
        "`on_drift` and `on_deleted` say what the next run does about it."
    )
    return Raised(found.at, f"{share(found.share)} of the records looked at have drifted", (said,), found.run_id)
