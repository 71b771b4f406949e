"""What the checks know: given at the start, and found by the checks before them."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kustomer_pipeline.components.sync_config import BrokenSync, SyncConfig
from kustomer_pipeline.kustomer import Clock, KustomerClient, ObjectName, Page, Record, Token

from .observer import Observer
from .settings import Settings
from .state import StateView

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Sample:
    """The first records of a list: what later questions are asked with. Never shown."""

    page: Page
    records: tuple[Record, ...]

    @property
    def live(self) -> tuple[Record, ...]:
        """Those that are not deleted."""
        return tuple(record for record in self.records if not record.deleted)


@dataclass
class Facts:
    """One examination. The lower half is filled in by the checks, in their order; None means not found out."""

    settings: Settings
    clock: Clock
    chosen: Sequence[str] = ()  # names of syncs; none: all
    syncs: Sequence[SyncConfig] = ()
    broken: Sequence[BrokenSync] = ()  # syncs that do not load
    load_problem: str | None = None  # why nothing at all does

    observer: Observer | None = None
    state: StateView | None = None  # a state of today's layout
    token: Token | None = None
    samples: dict[ObjectName, Sample] = field(default_factory=dict)

    @property
    def client(self) -> KustomerClient:
        """The client; only checks that need the key ask for it."""
        assert self.settings.client is not None  # the engine runs no check that needs it without it
        return self.settings.client

    @property
    def seen(self) -> Observer:
        """What the answers showed."""
        assert self.observer is not None  # it is there as soon as there is a client
        return self.observer

    def ask(self, question: Coroutine[Any, Any, _Result]) -> _Result:
        """Run a coroutine of the client's. Raises KustomerError."""
        return self.client.run(question)

    def remembered(self) -> dict[str, Any]:
        """What the state remembers of the org; empty where there is no state."""
        if self.state is None or self.token is None:
            return {}
        return dict(self.state.learned(self.token.org_id))
