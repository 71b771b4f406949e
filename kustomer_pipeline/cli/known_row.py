"""What is known of a row, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from kustomer_pipeline.components.one_row import Beside, Decision, FoundRows
from kustomer_pipeline.components.sync_config import SyncConfig
from kustomer_pipeline.sync.state import KnownRow, Logged, Overwritten
from kustomer_pipeline.telemetry import RequestLine

from .masks import Masks


@dataclass(frozen=True)
class LiveRecord:
    """A record at this moment. there: Kustomer still shows it. has_tag: the audience's; None where nobody knows."""

    kustomer_id: str
    there: bool = True
    deleted: bool = False
    fields: tuple[Beside, ...] = ()
    has_tag: bool | None = None


@dataclass(frozen=True)
class KnownOfRow:
    """found: what the query has of it; None where the rows are another asset's. decision: None where it has no row."""

    sync: SyncConfig
    key: str
    found: FoundRows | None
    now: datetime
    org_id: str
    remembered: tuple[KnownRow, ...]
    log: tuple[Logged, ...]
    overwritten: tuple[Overwritten, ...]
    requests: tuple[RequestLine, ...]
    decision: Decision | None
    live: LiveRecord | None

    @cached_property
    def masks(self) -> Masks:
        """What may be shown of its values."""
        return Masks(self.sync.spec)
