"""A run in this process and in simulated time that dies at a moment of its own, and stays dead.

Fuse (oracle.py) + InProcess (simulated.py) → run_and_die(world, spec, rows, moment)
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from kustomer_pipeline.sync import AudienceSpec, ObjectSpec, RunOptions, StateStore, run_sync
from kustomer_pipeline_tests import oracle
from kustomer_pipeline_tests.simulated import InProcess
from kustomer_pipeline_tests.world import World, frame_of

Spec = ObjectSpec | AudienceSpec
Rows = Sequence[Mapping[str, Any]]


class LastingFuse(oracle.Fuse):
    """A dead process does nothing more: every moment after the one at which it blew is the end too."""

    def tick(self, *_: Any) -> None:
        """One more moment."""
        self.moments += 1
        if self.blows_at is not None and self.moments >= self.blows_at > 0:
            self.die()


def run_and_die(world: World, spec: Spec, rows: Rows, moment: int | None) -> int:
    """Run a sync that dies at its n-th moment; how many moments it had (fewer than `moment`: it was over before)."""
    fuse = LastingFuse(moment, transport=InProcess(world.sandbox.app, world.clock, world.latency))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a dead process closes nothing, and Python says so of what is collected here
        try:
            with (
                StateStore.open(world.state_url, clock=world.clock) as state,
                fuse.lit(),
                world.client(transport=fuse) as client,
            ):
                mapped = spec.map(frame_of(spec, rows))
                run_sync(spec, mapped, client=client, state=state, options=RunOptions(f"dies at {moment}"))
        except oracle.Died:
            pass
    return fuse.moments
