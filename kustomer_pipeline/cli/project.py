"""A Dagster project as a command needs it: its syncs in their order, their resources, and what goes wrong in words.

folder → project, .env → load_project → syncs (companies, customers, audiences) → those that were named
                            → the resources that Dagster would give them
an error → CommandError, in the names of environment variables
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from kustomer_pipeline.components.failures import error_text
from kustomer_pipeline.components.keys import plan_key
from kustomer_pipeline.components.of_project import load_project, resources_in, said_by
from kustomer_pipeline.components.resources_of import Resources
from kustomer_pipeline.components.sharding import partition_keys
from kustomer_pipeline.components.sync_config import BrokenSync, SyncConfig, did_you_mean
from kustomer_pipeline.project_folder import NoProjectError, in_project
from kustomer_pipeline.resources import KUSTOMER, setting

from .errors import CommandError

_ORG = "kustomer_"  # what the resources of several orgs begin with


@dataclass(frozen=True)
class Project:
    """The syncs in their order, and resources by name; the syncs that do not load."""

    syncs: tuple[SyncConfig, ...]
    given: Any
    broken: tuple[BrokenSync, ...] = ()

    def uses(self, sync: SyncConfig) -> Resources:
        """The resources of a sync."""
        return Resources(sync.resource_keys, self.given)

    def one(self, name: str) -> SyncConfig:
        """The sync of that name. Raises CommandError."""
        return self.named([name])[0]

    def named(self, names: Sequence[str]) -> tuple[SyncConfig, ...]:
        """The syncs of these names, in their order; without names all that load. Raises CommandError."""
        known = [sync.name for sync in self.syncs]
        if wrong := [str(sync) for sync in self.broken if sync.name in names or not known]:
            raise CommandError("\n".join(wrong))
        if not known:
            raise CommandError("The project has no syncs yet; the README says how to write the first one")
        for name in names:
            if name not in known:
                hint = did_you_mean(name, known)
                raise CommandError(f'There is no sync "{name}".{hint} There are: {", ".join(known)}')
        return tuple(sync for sync in self.syncs if not names or sync.name in names)

    def of_one_org(self) -> Resources:
        """The resources of the one org that the project has. Raises CommandError if there are several."""
        orgs = sorted({sync.resource_keys.kustomer for sync in self.named([])})
        if len(orgs) > 1:
            names = ", ".join(org.removeprefix(_ORG) for org in orgs)
            raise CommandError(f"The project has several orgs ({names}): say which, with --org")
        return self.uses(self.syncs[0])


@contextlib.contextmanager
def opened(options: argparse.Namespace) -> Iterator[Project]:
    """The project of a command, with its resources. Raises CommandError."""
    with contextlib.ExitStack() as stack:
        try:
            root = stack.enter_context(in_project(options.project, setting("", "KUSTOMER_DEFS")))
        except NoProjectError as error:
            raise CommandError(str(error)) from None
        yield from _opened(root, options)


def _opened(root: Path, options: argparse.Namespace) -> Iterator[Project]:
    try:
        # What a module of the project prints while it loads is no part of a result.
        with contextlib.redirect_stdout(sys.stderr):
            loaded = load_project(root)
            syncs = sorted(_of_org(loaded.syncs, options.org), key=lambda sync: sync.stage)
            names = {name for sync in syncs for name in _resources(sync)}
            given = resources_in(root, loaded.defs, names)
    except CommandError:
        raise
    except Exception as error:  # whatever a file of the project does: the reader needs its reason, not our stack
        raise CommandError(f"The project does not load: {said_by(error)}") from None
    if missing := sorted(names - given.keys()):
        which = next(sync.name for sync in syncs if set(_resources(sync)) & set(missing))
        raise CommandError(
            f"The project gives no resource named {', '.join(missing)}, which {which} needs (resource_keys): write a "
            "KustomerProject beside the syncs, or give it in the project's Definitions"
        )
    with contextlib.ExitStack() as stack:
        with told():
            resources = stack.enter_context(dg.build_resources(given))
        yield Project(tuple(syncs), resources, tuple(loaded.broken))


@contextlib.contextmanager
def told(variables: str = KUSTOMER) -> Iterator[None]:
    """What goes wrong in the body becomes a CommandError. variables: what the names of the org's begin with."""
    try:
        yield
    except (CommandError, BrokenPipeError):
        raise
    except dg.Failure as failure:
        raise CommandError(failure.description or "It failed, and did not say why") from None
    except Exception as error:
        raise CommandError(error_text(error, variables)) from None


def parts_of(sync: SyncConfig, part: str | None) -> list[int | None]:
    """The numbers of the parts to go through: all, or the one that was asked for. Raises CommandError."""
    if sync.parts is None:
        if part is not None:
            raise CommandError(f"{sync.name} is not in shards, so it has no part {part}")
        return [None]
    keys = partition_keys(sync)
    if part is None:
        return list(range(sync.parts))
    if part in keys:
        return [keys.index(part)]
    if part.isascii() and part.isdigit() and int(part) < sync.parts:
        return [int(part)]
    raise CommandError(f"{sync.name} has no part {part}: its parts are 0 to {sync.parts - 1}")


def title_of(sync: SyncConfig, number: int | None) -> str:
    """What a sync, or a part of it, is called."""
    return sync.name if number is None else f"{sync.name} {partition_keys(sync)[number]}"


def made_by_dagster(sync: SyncConfig) -> str | None:
    """Why a sync cannot be run here, and what to do; None where it can."""
    if not isinstance(sync.source, str):
        return None
    return (
        f"The rows of {sync.name} are made by the asset {sync.source}, which only Dagster makes: launch the job "
        f"sync_{sync.name} there (for a plan, materialize {plan_key(sync).to_user_string()})"
    )


def _of_org(syncs: Sequence[SyncConfig], org: str | None) -> list[SyncConfig]:
    if org is None:
        return list(syncs)
    found = [sync for sync in syncs if sync.resource_keys.kustomer == f"{_ORG}{org}"]
    if not found:
        known = sorted({sync.resource_keys.kustomer.removeprefix(_ORG) for sync in syncs})
        raise CommandError(f'No sync is of an org "{org}". There are: {", ".join(known) or "none"}')
    return found


def _resources(sync: SyncConfig) -> tuple[str, str, str]:
    keys = sync.resource_keys
    return keys.warehouse, keys.kustomer, keys.state
