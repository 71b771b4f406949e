"""One sync of one org, opened: what a run and a plan set up alike before the first row is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from kustomer_pipeline.kustomer import KustomerClient, PermissionDeniedError, missing_roles
from kustomer_pipeline.mapping import wire_rows

from .changes import Selection, fingerprints, select
from .decide import Decider, ObjectDecider
from .engine import Engine, frame_keys
from .identity import Finder
from .links import CompanyLinks
from .patch import Policies
from .recovery import SETTLED_AFTER
from .remembered import Snapshot
from .report import Ledger, Outcome
from .rows import Row
from .spec import AudienceSpec, ObjectSpec
from .sync_state import SyncState
from .tags import TagNames

RECHECK_MISSING_AFTER = timedelta(hours=1)


@dataclass
class Session:
    """The frame, what is remembered of it, and which rows need attention."""

    spec: ObjectSpec | AudienceSpec
    mapped: pd.DataFrame
    client: KustomerClient
    state: SyncState
    run_id: str
    full_resync: bool
    prints: np.ndarray
    snapshot: Snapshot
    selection: Selection
    ledger: Ledger
    young: set[str] = field(default_factory=set)

    @classmethod
    def open(
        cls,
        spec: ObjectSpec | AudienceSpec,
        mapped: pd.DataFrame,
        client: KustomerClient,
        state: SyncState,
        *,
        run_id: str,
        full_resync: bool = False,
    ) -> Session:
        """Compare the frame with what is remembered. Reads the state only."""
        prints = fingerprints(mapped, spec.signature)
        session = cls(
            spec,
            mapped,
            client,
            state,
            run_id,
            full_resync,
            prints,
            snapshot := state.snapshot(),
            _select(spec, mapped, prints, snapshot, full_resync),
            Ledger(mapped["_key"]),
        )
        session.note_settled()
        return session

    def reload(self) -> None:
        """Compare again, after the state was changed under the session."""
        self.snapshot = self.state.snapshot()
        self.selection = _select(self.spec, self.mapped, self.prints, self.snapshot, self.full_resync)
        self.ledger = Ledger(self.mapped["_key"])
        self.note_settled()

    def note_settled(self) -> None:
        """Outcomes that need neither Kustomer nor the state."""
        chosen = self.selection
        for position, reason in self.mapped["_invalid"].iloc[chosen.invalid].items():
            self.ledger.set(int(str(position)), Outcome.INVALID, reason=str(reason))
        self.ledger.set_many(chosen.repeated, Outcome.SKIPPED, reason="the same member as an earlier row")
        self.ledger.set_many(chosen.unchanged, Outcome.UNCHANGED, kustomer_ids=chosen.ids.take(chosen.unchanged))
        reason = "exists already" if isinstance(self.spec, ObjectSpec) else "the same customer as another row"
        self.ledger.set_many(
            chosen.settled, Outcome.SKIPPED, kustomer_ids=chosen.ids.take(chosen.settled), reason=reason
        )

    def positions_to_attempt(self) -> np.ndarray:
        """Pending rows, without those that were missing last time, are not due for another look and have no hint."""
        missing = self.selection.missing
        if not len(missing):
            return self.selection.pending
        due = self.state.keys_older_than("skipped", datetime.now(UTC) - RECHECK_MISSING_AFTER)
        keys = self.mapped["_key"].iloc[missing]
        looked_at = np.array([key in due for key in keys], dtype=bool)
        rows = self.rows(missing[~looked_at])
        hinted = self._hinted(rows)
        looked_at[~looked_at] = hinted
        self.ledger.set_many(missing[~looked_at], Outcome.SKIPPED, reason="not in Kustomer")
        return np.setdiff1d(self.selection.pending, missing[~looked_at], assume_unique=True)

    def _hinted(self, rows: Sequence[Row]) -> list[bool]:
        known: set[int] = set()
        for name in self.spec.match_on:
            values = sorted({value for row in rows for value in row.identifiers(name)})
            hints = self.state.identities(self.spec.object, name, values) if values else {}
            known.update(row.position for row in rows if any(value in hints for value in row.identifiers(name)))
        return [row.position in known for row in rows]

    def rows(self, positions: np.ndarray, *, doubt: bool = False) -> list[Row]:
        """The rows at these positions, with what is remembered of each."""
        if not len(positions):
            return []
        subset = self.mapped.iloc[positions]
        wanted = wire_rows(subset, self.spec.fields, object=self.spec.object)
        keys = subset["_key"].tolist()
        ids, statuses, owned = (
            column.take(positions).to_pylist()
            for column in (self.selection.ids, self.selection.statuses, self.selection.owned)
        )
        lists = self.state.sent_lists(keys) if self._keeps_lists else {}
        unsettled = {key for key, status in zip(keys, statuses, strict=True) if status == "unsettled"}
        waited = self.state.keys_older_than("unsettled", datetime.now(UTC) - SETTLED_AFTER) if unsettled else set()
        missing = set(self.selection.missing.tolist())
        certain = self._must_be_proven or doubt
        return [
            Row(
                position=position,
                key=key,
                fingerprint=int(self.prints[position]),
                source=source,
                known_id=id_,
                doubt=(certain and position not in missing) or key in unsettled,
                maybe_created=key in unsettled,
                waited=key in waited,
                young=key in self.young,
                owned=bool(owns),
                owned_before=bool(owns),
                sent_lists=lists.get(key, {}),
            )
            for position, key, source, id_, owns in zip(positions.tolist(), keys, wanted, ids, owned, strict=True)
        ]

    @property
    def _keeps_lists(self) -> bool:
        return isinstance(self.spec, ObjectSpec) and self.spec.nulls == "clear"

    @property
    def _must_be_proven(self) -> bool:
        """Whether acting on "not found" needs proof: a create of a customer proves itself, everything else does not."""
        if isinstance(self.spec, AudienceSpec) or self.spec.mode == "update":
            return True
        return self.spec.object == "companies" and "name" in self.spec.match_on

    def engine(self, decider: Decider, *, proofs_left: int | None = None) -> Engine:
        """What settles the rows of this session."""
        links, tags = None, None
        if isinstance(self.spec, ObjectSpec):
            link = next((mapping for mapping in self.spec.fields if mapping.field == "company"), None)
            links = CompanyLinks(self.client, self.state, link.match or "externalId") if link else None
            tags = TagNames(self.client) if any(mapping.field == "tags" for mapping in self.spec.fields) else None
        finder = Finder(
            self.client,
            self.state,
            self.spec.object,
            self.spec.match_on,
            proofs_left=proofs_left,
            creates=not self._must_be_proven,
            every_rung=isinstance(self.spec, AudienceSpec),
        )
        return Engine(
            spec=self.spec,
            client=self.client,
            state=self.state,
            run_id=self.run_id,
            decider=decider,
            finder=finder,
            snapshot=self.snapshot,
            frame_keys=frame_keys(self.mapped),
            ledger=self.ledger,
            links=links,
            tag_names=tags,
        )


def object_decider(spec: ObjectSpec) -> ObjectDecider:
    """The decider of an object sync."""
    return ObjectDecider(spec, Policies.of(spec.object, spec.fields, spec.nulls))


def require_roles(client: KustomerClient, spec: ObjectSpec | AudienceSpec, *, writing: bool) -> None:
    """Say which roles the API key lacks before anything is sent. Raises PermissionDeniedError."""
    noun = "customer" if spec.object == "customers" else "company"
    needed = [f"{noun}.read"]
    if isinstance(spec, ObjectSpec) and any(mapping.field == "company" for mapping in spec.fields):
        needed.append("company.read")
    if writing:
        needed.append("bulk.read")
        if spec.mode in ("upsert", "insert"):
            needed.append(f"{noun}.create")
        if spec.mode != "insert":
            needed.append(f"{noun}.update")
    token = client.token()
    missing = missing_roles(token.roles, needed)
    if missing:
        raise PermissionDeniedError(
            f"The API key{f' {token.name!r}' if token.name else ''} lacks what sync {spec.name!r} needs: "
            f"{', '.join(missing)}. A key's roles cannot be changed: create a new key with them in Kustomer under "
            "Settings > Security > API Keys. Nothing was sent."
        )


def _select(
    spec: ObjectSpec | AudienceSpec, mapped: pd.DataFrame, prints: np.ndarray, snapshot: Snapshot, full_resync: bool
) -> Selection:
    return select(
        mapped,
        prints,
        snapshot,
        full_resync=full_resync,
        keep_first_of_repeated=isinstance(spec, AudienceSpec),
    )
