"""What the warehouse compares a sync's rows with: asked of the state, before the rows are read.

spec + state → scope ('' or the audience's tag, as far as it is known) → Terms
"""

from __future__ import annotations

from .audience_tag import scope_of
from .rest import Terms
from .spec import SyncSpec
from .state import StateStore


def terms_of(spec: SyncSpec, store: StateStore, org_id: str) -> Terms:
    """The terms of a reading that is made now. Reads the state. Raises StateError."""
    scope = scope_of(spec, store.org(org_id))
    state = store.of(org_id, spec.name, scope)
    trusted = state.lines.trusted()
    if trusted is None or trusted.signature != spec.signature:
        return Terms(scope, spec.signature)
    # What becomes of the rows of jobs that were left behind is known when the run has collected them.
    under_way = {item.key for job in state.journal.jobs() for item in job.items}
    return Terms(scope, spec.signature, trusted.tokens, frozenset(state.lines.not_to_count() | under_way))
