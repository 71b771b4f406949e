"""The course of a trial: refuse or announce, try, put back whatever happens, verify."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from kustomer_pipeline.kustomer import KustomerError

from ..facts import Facts
from ..findings import Finding, Level, Report
from . import bulk, single
from .subject import CannotBePutBackError, Subject

SECTION = "writes"
Trial = Callable[[Subject], Finding | Sequence[Finding]]


def tried(facts: Facts, report: Report, record_id: str, say: Callable[[str], None]) -> Report:
    """The report with what writes have settled. `say` hears what is about to be done, and that it is put back.

    Whatever comes in between, Ctrl+C included, the record is put back first.
    """
    if facts.token is None:
        return _with(facts, report, [_refused("Kustomer does not answer to this key and address")])
    if facts.client.abilities.may("customer.update") is False:
        return _with(facts, report, [_refused("the key may not update customers")])
    try:
        subject = Subject.read(facts.client, record_id)
    except (CannotBePutBackError, KustomerError) as error:
        return _with(facts, report, [_refused(str(error))])
    for line in _announcement(subject):
        say(line)
    findings: list[Finding] = []
    try:
        findings.extend(_all(facts, subject))
    except Exception as error:  # an answer of a form that nobody has foreseen
        says = f"ended early, by a mistake of the doctor's own ({type(error).__name__})"
        findings.append(Finding(SECTION, "trial", Level.WARNING, says, "Please report it."))
    finally:  # also of what nobody has foreseen: first the record, then the error
        different, words = _put_back(subject)
        say(f"put back: {words}")
    value = {"record": record_id, "put_back": not different, "different": different}
    level = Level.WARNING if different else Level.OK
    advice = f"Look at the customer {record_id} in Kustomer." if different else ""
    findings.append(Finding(SECTION, "put back", level, words, advice, value))
    return replace(_with(facts, report, findings), put_back=value)


def _announcement(subject: Subject) -> Iterator[str]:
    yield f"--write-to: writes to the customer {subject.original.id}, and puts it back:"
    yield "  sends what is there already, with an old rev, an unknown attribute, an undeclared one as null"
    if subject.company is not None:
        yield "  sends an update without company, by itself and in bulk, and links the company again"
    if (name := single.list_to_try(subject)) is not None:
        yield f"  sends {name} without its last item, and then with it"
    if (name := single.scalar_to_try(subject)) is not None:
        yield f"  sends {name} as null, and then as it was"


def _all(facts: Facts, subject: Subject) -> Iterator[Finding]:
    try:
        different = single.rehearsal(subject)
    except KustomerError as error:
        yield _refused(f"what is there already cannot be sent back ({error}), so nothing was tried")
        return
    if different:
        yield _refused(
            f"what is there already does not stay when it is sent ({', '.join(different)}): nothing was tried"
        )
        return
    trials: list[tuple[str, Trial]] = [
        ("rev", single.old_rev),
        ("unknown attribute", single.unknown_key),
        ("undeclared custom attribute", single.undeclared_custom),
        ("company left out", single.without_company),
        ("lists", single.shorter_list),
        ("null", single.null_clears),
    ]
    if facts.client.abilities.bulk("customers"):
        trials += [
            ("bulk job", bulk.same_again),
            ("bulk errors", bulk.refused_items),
            ("company left out in bulk", bulk.without_company),
        ]
    else:
        yield Finding(SECTION, "bulk job", Level.UNKNOWN, "not tried: the key may not follow bulk jobs")
    for name, trial in trials:
        try:
            found = trial(subject)
        except KustomerError as error:
            yield Finding(SECTION, name, Level.UNKNOWN, f"could not be found out: {error}")
            if _put_back(subject)[0]:
                return  # nothing more is tried on a record that is not as it was
            continue
        yield from [found] if isinstance(found, Finding) else found


def _put_back(subject: Subject) -> tuple[list[str], str]:
    """What still differs, and how it is said. Never raises for what Kustomer does."""
    try:
        different = subject.put_back()
    except (CannotBePutBackError, KustomerError) as error:
        return ["not known"], f"not known, {error}"
    by_others = [name for name in different if name not in subject.touched]
    if not different:
        return [], "yes, and verified"
    if len(by_others) == len(different):
        return different, f"yes; {', '.join(by_others)} changed meanwhile, which this did not touch"
    return different, f"no: {', '.join(different)} differ from before"


def _refused(why: str) -> Finding:
    return Finding(SECTION, "trial", Level.WARNING, f"nothing was written: {why}", "Name another customer.")


def _with(facts: Facts, report: Report, findings: Sequence[Finding]) -> Report:
    """The report with these findings in their place, and what they cost."""
    usage: Any = facts.client.usage if facts.settings.client is not None else None
    place = next((n for n, one in enumerate(report.findings) if one.section in ("attributes", "syncs")), None)
    place = len(report.findings) if place is None else place
    joined = (*report.findings[:place], *findings, *report.findings[place:])
    if usage is None:
        return replace(report, findings=joined)
    return replace(report, findings=joined, requests=usage.requests, searches=usage.searches)
