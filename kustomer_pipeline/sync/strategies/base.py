"""What a kind of sync has to know: the rest of the engine asks a strategy, and never what kind it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from kustomer_pipeline.kustomer import ObjectName, Record

from ..decisions import Decision, Nothing, Resolved
from ..patch import Patch
from ..reasons import Reason
from ..spec import ChangeLimit, RemovalLimit


class Strategy(Protocol):
    """What becomes of a resolved row."""

    @property
    def object_name(self) -> ObjectName:
        """What is written to."""
        ...

    @property
    def actions(self) -> tuple[str, str]:
        """What its writes are called in a plan."""
        ...

    @property
    def one_row_a_record(self) -> bool:
        """Whether two rows for one record are a question for people; else the rows are a set, and one is enough."""
        ...

    @property
    def creates_prove(self) -> bool:
        """Whether a create of a record that exists is refused, so that nobody needs to be looked for first."""
        ...

    @property
    def must_prove(self) -> bool:
        """Whether "Kustomer does not have it" decides something that no create would put right."""
        ...

    @property
    def change_limit(self) -> ChangeLimit | None:
        """The guard of mass changes; None where the changes are none of the guard's business."""
        ...

    @property
    def removal_limit(self) -> RemovalLimit | None:
        """The guard of removals; None where nothing is ever removed."""
        ...

    @property
    def rows_are_removals(self) -> bool:
        """Whether each row of the frame is somebody to be untagged."""
        ...

    def decide(self, resolved: Resolved) -> Decision:
        """What to do with a row, now that it is known who it is. Pure."""
        ...

    def refused(self, resolved: Resolved, reason: Reason) -> Nothing:
        """A row whose write Kustomer does not take, whatever the record is like."""
        ...

    def patch(self, body: Mapping[str, Any], record: Record, sent_lists: Mapping[str, list[str]]) -> Patch:
        """What differs between what is wanted and the record. Raises UnpatchableError."""
        ...
