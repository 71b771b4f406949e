"""What comes of the rows while a stream is executed: outcomes, removals, notes, examples of what is held."""

from __future__ import annotations

import pandas as pd

from ..decisions import Create, Nothing, Update, Wave
from ..ledger import Ledger, Outcome
from ..readback import Sample
from ..reasons import Reason, ReasonCode
from ..rendering import Line, lines_of
from ..report import CHANGE_COLUMNS, REMOVAL_COLUMNS
from ..rows import Case
from .journaling import Written


class Tally:
    """Counts for one executor. `removed`: members who lost the tag. `notes`: records that were written only in part."""

    def __init__(self, ledger: Ledger, sample: Sample | None) -> None:
        self.removed = 0
        self.notes: dict[str, Reason] = {}
        self._ledger = ledger
        self._sample = sample
        self._refused: list[tuple[str, str | None, str]] = []
        self._examples: list[Line] = []

    @property
    def removals_refused(self) -> pd.DataFrame:
        """Members whom Kustomer did not let go, and why."""
        return pd.DataFrame(self._refused, columns=list(REMOVAL_COLUMNS)).astype("string")

    @property
    def examples(self) -> pd.DataFrame:
        """The first of the changes that the guard holds."""
        return pd.DataFrame(self._examples, columns=list(CHANGE_COLUMNS)).astype("string")

    def held(self, wave: Wave) -> None:
        """Decisions that the guard does not let go."""
        self._examples += [line for one in wave.decisions for line in lines_of(one)]

    def settled(self, decision: Nothing) -> None:
        """A row that nothing had to be sent for."""
        case = decision.case
        if case.position is not None:
            self._set(case, decision.outcome, decision.kustomer_id, decision.reason)
        elif decision.outcome is Outcome.REJECTED:
            self.removal_refused(case, str(decision.reason))
        else:
            self.removed += decision.outcome is Outcome.UPDATED  # its answer was lost, the work was done

    def written(self, one: Written) -> None:
        """A write that has come to its end for this run."""
        if one.result == "done":
            self._done(one)
        elif one.result == "unfinished":
            text = "sent, and still in Kustomer's queue; the next run collects the answer"
            self._defer(one.write.case, ReasonCode.ANSWER_PENDING, text)
        else:
            text = "it kept changing in Kustomer while it was written; next run"
            self._defer(one.write.case, ReasonCode.KEPT_CHANGING, text)

    def removal_refused(self, case: Case, reason: str) -> None:
        """A member who keeps the tag."""
        self._refused.append((case.key, case.known_id, reason))

    def _done(self, one: Written) -> None:
        case, write = one.write.case, one.write
        if case.position is None:
            self.removed += 1
            return
        outcome = Outcome.CREATED if isinstance(write, Create) else Outcome.UPDATED
        self._set(case, outcome, one.kustomer_id, write.of.lacks)
        if isinstance(write, Update) and write.patch.notes:
            self.notes[case.key] = write.patch.notes[0]
        if one.kustomer_id is not None and self._sample is not None:
            self._sample.add(write.of, one.kustomer_id)

    def _defer(self, case: Case, code: ReasonCode, text: str) -> None:
        if case.position is not None:
            self._set(case, Outcome.DEFERRED, None, Reason(code, text))
        else:
            self.removal_refused(case, text)

    def _set(self, case: Case, outcome: Outcome, kustomer_id: str | None, reason: Reason | None = None) -> None:
        assert case.position is not None
        self._ledger.set(case.position, outcome, kustomer_id=kustomer_id, reason=reason)
