"""May this very decision be carried out? Everything may; or, with `approval: required`, what an approved plan holds.

    decision → what a plan shows of it: key, action, record, each field before and after → its seal → in the plan?
             → it goes | it waits, with the reason

The same lines are shown and sealed, so that what somebody approves is what they have read. A decision that came out
otherwise since (an agent was there, the warehouse has changed) has another seal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Protocol

from .decisions import Decision, Nothing, Update, Wave, Write
from .ledger import Outcome
from .masking import to_be_created
from .reasons import Reason, ReasonCode
from .rendering import Line, action_of, lines_of
from .state import SEAL_BYTES

_SEALED = ("kustomer_id", "field", "before", "after")
WAITING = Reason(
    ReasonCode.NOT_APPROVED,
    "waits for approval: materialize the plan, and run the sync with its id as `approve`",
)


class Permit(Protocol):
    """What may go."""

    @property
    def judged_already(self) -> bool:
        """Whether somebody has seen every decision that may go, so that the guard has nothing to ask."""
        ...

    def holds(self, write: Write) -> bool:
        """Whether this may go."""
        ...

    def of(self, wave: Wave) -> Wave:
        """The wave with what may not go put off."""
        ...


class Free:
    """Everything goes."""

    judged_already = False

    def holds(self, write: Write) -> bool:
        """It may."""
        return True

    def of(self, wave: Wave) -> Wave:
        """As it is."""
        return wave


class Waiting:
    """Nothing goes before a plan is approved."""

    judged_already = False

    def holds(self, write: Write) -> bool:
        """It may not."""
        return False

    def of(self, wave: Wave) -> Wave:
        """Every write is put off."""
        return replace(wave, decisions=tuple(_put_off(one, WAITING) for one in wave.decisions))


@dataclass(frozen=True)
class OfPlan:
    """What is in an approved plan goes."""

    plan_id: str
    seals: Collection[bytes]
    judged_already = True

    def holds(self, write: Write) -> bool:
        """Whether it is in the plan; also where a company, or a member's record, was still to be created then."""
        if seal_of(write) in self.seals or seal_with_new_company(write) in self.seals:
            return True
        if not isinstance(write, Update) or write.action != "tag" or write.tag is None:
            return False
        return seal_of_new_member(write.case.key, write.tag) in self.seals

    def of(self, wave: Wave) -> Wave:
        """Writes that are not in the plan are put off."""
        text = f"changed since the plan {self.plan_id}: it is not what was approved, or was not there"
        reason = Reason(ReasonCode.CHANGED_SINCE_PLAN, text)
        decisions = tuple(
            one if isinstance(one, Nothing) or self.holds(one) else _put_off(one, reason) for one in wave.decisions
        )
        return replace(wave, decisions=decisions)


FREE = Free()


def seal_of(write: Write) -> bytes:
    """A hash of what a plan shows of a decision."""
    return _sealed(write.case.key, action_of(write), _shown(lines_of(write)))


def seal_with_new_company(write: Write) -> bytes | None:
    """The same of a record whose company an earlier sync is going to create, so that there is no id to name."""
    company = write.case.row.body.get("company")
    if not isinstance(company, str):
        return None
    new = to_be_created(company)
    lines = [{**line, "after": new} if line["field"] == "company" else line for line in lines_of(write)]
    return _sealed(write.case.key, action_of(write), _shown(lines))


def seal_of_new_member(key: str, tag: str) -> bytes:
    """The same of a tag for somebody whom an earlier sync is going to create: there is no record to name."""
    return _sealed(key, "tag", [[None, "tags", None, tag]])


def _shown(lines: list[Line]) -> list[list[str | None]]:
    return [[line[name] for name in _SEALED] for line in lines]


def _sealed(key: str, action: str, shown: list[list[str | None]]) -> bytes:
    text = json.dumps([key, action, shown])
    return hashlib.blake2b(text.encode(), digest_size=SEAL_BYTES).digest()


def _put_off(decision: Decision, reason: Reason) -> Decision:
    if isinstance(decision, Nothing):
        return decision
    return Nothing(decision.of, Outcome.DEFERRED, reason=reason)
