"""The checks, one after the other, each as far as the ones before it allow.

    a check: Facts → findings · needs something that is not there → one line says so for all of its kind
                              · KustomerError, StateError → `unknown`, and the next check

An examination spends at most MOST_REQUESTS of the org's budget: what is left over then is `unknown`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from kustomer_pipeline.kustomer import KustomerError, PermissionDeniedError
from kustomer_pipeline.sync import StateError

from .facts import Facts
from .findings import SECTIONS, Finding, Level, Report

MOST_REQUESTS: Final = 60
Needs = Literal["nothing", "key", "customers", "companies", "search"]


@dataclass(frozen=True)
class Check:
    """One thing to find out. `needs`: what the checks before must have found."""

    section: str
    name: str
    run: Callable[[Facts], Sequence[Finding]]
    needs: Needs = "key"


def examine(facts: Facts, checks: Sequence[Check]) -> Report:
    """Run the checks. Never raises for what is wrong with settings, Kustomer, state or warehouse."""
    findings: list[Finding] = []
    said: set[tuple[str, str]] = set()
    for check in checks:
        if (missing := _missing(facts, check)) is None:
            findings += _run(facts, check)
        elif (check.section, missing) not in said:  # once for all checks that it keeps from running
            said.add((check.section, missing))
            findings.append(Finding(check.section, "not looked at", Level.UNKNOWN, missing))
    usage = facts.settings.client.usage if facts.settings.client is not None else None
    order = list(SECTIONS)
    return Report(
        findings=tuple(sorted(findings, key=lambda finding: order.index(finding.section))),
        requests=usage.requests if usage else 0,
        searches=usage.searches if usage else 0,
        org_id=facts.token.org_id if facts.token else None,
    )


def _run(facts: Facts, check: Check) -> Iterator[Finding]:
    client = facts.settings.client
    if client is not None and check.needs != "nothing" and client.usage.requests >= MOST_REQUESTS:
        says = f"not asked: the doctor spends at most {MOST_REQUESTS} requests"
        yield Finding(check.section, check.name, Level.UNKNOWN, says)
        return
    try:
        yield from check.run(facts)
    except PermissionDeniedError as error:
        role = f"the role {error.roles[0]}" if error.roles else "a role"
        yield Finding(check.section, check.name, Level.UNKNOWN, f"not asked: the key lacks {role} for it")
    except (KustomerError, StateError) as error:
        yield Finding(check.section, check.name, Level.UNKNOWN, f"could not be found out: {error}")
    except Exception as error:  # an answer of a form that nobody has foreseen keeps no other check from running
        says = f"could not be found out: a mistake of the doctor's own ({type(error).__name__})"
        yield Finding(check.section, check.name, Level.UNKNOWN, says, "Please report it.")


def _missing(facts: Facts, check: Check) -> str | None:
    """Why a check cannot run, None where it can."""
    if check.needs == "nothing":
        return None
    if facts.token is None:
        return "Kustomer does not answer to this key and address: see the problems above"
    if check.needs == "search" and not facts.client.abilities.search:
        return "search was not tried: the key lacks its role"
    of: Literal["customers", "companies"] = "companies" if check.needs == "companies" else "customers"
    if check.needs in ("customers", "companies", "search"):
        sample = facts.samples.get(of)
        if sample is None:
            return f"the list of {of} could not be read, so there are no records to ask with"
        if not sample.live:
            return f"the org has no {of}, so there are no records to ask with"
    return None
