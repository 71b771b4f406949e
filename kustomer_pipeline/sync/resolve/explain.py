"""Why Kustomer refused a row: in its words, and whose identifier stands in the way if one does."""

from __future__ import annotations

from dataclasses import replace

from kustomer_pipeline.kustomer import UNIQUE, KustomerClient, ObjectName

from ..decisions import Decision, Nothing, Resolved
from ..reasons import Reason, ReasonCode

_EXPLANATIONS_A_RUN = 200


class Explainer:
    """Looks for the holder of a refused row's identifiers, for the first refusals of a run."""

    def __init__(self, client: KustomerClient, object_name: ObjectName) -> None:
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

    async def _holder(self, resolved: Resolved, said: Reason) -> Reason | None:
        record = resolved.match.record
        for field in UNIQUE[self._object_name]:
            for value in resolved.case.identifiers(field):
                for other in await self._client.look_up(self._object_name, field, value):
                    if record is None or other.id != record.id:
                        text = f"its {field} belongs to another record in Kustomer ({other.id}); {said}"
                        return Reason(ReasonCode.IDENTIFIER_TAKEN, text, field)
        return None
