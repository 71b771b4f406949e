"""Why Kustomer refused a row, or would: in its words, and whose identifier stands in the way if one does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from kustomer_pipeline.kustomer import UNIQUE, KustomerClient, ObjectName, identifiers

from ..decisions import Create, Decision, Nothing, Resolved, Update
from ..reasons import Reason, ReasonCode

_EXPLANATIONS_A_RUN = 200


class Explainer:
    """Looks for the holder of a refused row's identifiers, for the first refusals of a run; and, for a plan, of those
    that a change would give to a record, where a run finds out by trying.

    is_row: whether a record is a row of the frame; that row may give the identifier up in the same run.
    """

    def __init__(self, client: KustomerClient, object_name: ObjectName, is_row: Callable[[str], bool]) -> None:
        self._is_row = is_row
        self._client = client
        self._object_name: ObjectName = object_name
        self._left = _EXPLANATIONS_A_RUN

    async def explained(self, decision: Decision) -> Decision:
        """The decision, with a reason that says more if there is more to say."""
        if not isinstance(decision, Nothing) or decision.reason is None or decision.reason.code != ReasonCode.REFUSED:
            return decision
        if self._left <= 0:
            return decision
        self._left -= 1
        with self._client.about(lambda: [decision.case.key]):
            reason = await self._holder(decision.of, decision.reason)
        if reason is None:
            return decision
        kept = decision.remember
        kept = replace(kept, reason=reason.text, reason_code=str(reason.code)) if kept else None
        return replace(decision, reason=reason, remember=kept)

    async def foreseen(self, decisions: Sequence[Decision]) -> list[Reason | None]:
        """Why Kustomer would refuse each, as far as that is to be seen: an identifier that it gives to a record is
        another's. Of a record that is not there yet only where it was refused when it was last tried."""
        return await asyncio.gather(*(self._foreseen(one) for one in decisions))

    async def _foreseen(self, write: Decision) -> Reason | None:
        tried = write.case.remembered
        if isinstance(write, Update) and write.tag is None:
            new, held = write.patch.body, write.live.attributes
        elif isinstance(write, Create) and tried is not None and tried.status == "rejected":
            new, held = write.body, {}
        else:
            return None
        gained = any(set(identifiers(new, one)) - set(identifiers(held, one)) for one in UNIQUE[self._object_name])
        if not gained or self._left <= 0:
            return None
        self._left -= 1
        with self._client.about(lambda: [write.case.key]):
            said = Reason(ReasonCode.IDENTIFIER_TAKEN, "Kustomer would refuse it")
            return await self._holder(write.of, said, beside_rows=True)

    async def _holder(self, resolved: Resolved, said: Reason, *, beside_rows: bool = False) -> Reason | None:
        """beside_rows: a row of the frame is not in the way."""
        record = resolved.match.record
        for field in UNIQUE[self._object_name]:
            for value in resolved.case.identifiers(field):
                for other in await self._client.look_up(self._object_name, field, value):
                    if (record is None or other.id != record.id) and not (beside_rows and self._is_row(other.id)):
                        text = f"its {field} belongs to another record in Kustomer ({other.id}); {said}"
                        return Reason(ReasonCode.IDENTIFIER_TAKEN, text, field)
        return None
