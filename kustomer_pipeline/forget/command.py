"""The command `forget`: arguments → who, and which places → sync.forget → the receipt as JSON, and the exit status."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import dagster as dg

from kustomer_pipeline import resources
from kustomer_pipeline.components.of_project import LoadedProject, load_whole, said_by
from kustomer_pipeline.components.sync_config import SyncConfig
from kustomer_pipeline.io_manager import FramesError
from kustomer_pipeline.kustomer import KustomerClient, KustomerError
from kustomer_pipeline.project_folder import NoProjectError, in_project
from kustomer_pipeline.sync import Beyond, Copies, ForgetError, StateError, StateStore, Who, forget
from kustomer_pipeline.sync.wording import quantity
from kustomer_pipeline.warehouse import WarehouseError, open_engine
from kustomer_pipeline.warehouse.comparison import Comparison, ComparisonError

from .places import Frames, Lines, LogTables, RequestLines, RequestLogError
from .under_way import wait_for_runs

Load = Callable[[Path], LoadedProject]
Say = Callable[[str], None]

DESCRIPTION = """Remove one person from what the pipeline keeps, keep them out of later runs, and print a receipt.
The same again goes on where it was stopped. Nothing is done in Kustomer without --delete-in-kustomer."""
_CANNOT = 2
_OURS = (ForgetError, KustomerError, StateError, WarehouseError, FramesError, RequestLogError)
_DEFAULTS = {"warehouse": "warehouse", "state": "state", "frames": "kustomer_frames"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `forget`."""
    parser.description = DESCRIPTION
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--email", help="an e-mail address of the customer; - reads it from the standard input")
    who.add_argument("--key", help="the key of a row, with --sync; - reads it from the standard input")
    who.add_argument("--lift", metavar="RECEIPT", help="take off the list whom this receipt is about")
    parser.add_argument("--sync", help="the sync whose row has the key")
    parser.add_argument(
        "--everywhere",
        action="store_true",
        help="frames, the request log and the tables in the warehouse too, not the state alone",
    )
    parser.add_argument(
        "--delete-in-kustomer", action="store_true", help="delete the customer there too; the key needs the role for it"
    )
    parser.add_argument(
        "--project", type=Path, default=Path(), help="folder of the Dagster project (default: this one)"
    )
    parser.add_argument("--org", help="one of several orgs, as KustomerProject names it: eu reads KUSTOMER_EU_API_KEY")


def run(options: argparse.Namespace, load: Load = load_whole, say: Say = print) -> int:
    """Forget, print the receipt, and give the exit status: 0 done, 2 not done, or not all of it (say it again)."""
    beside = partial(print, file=sys.stderr)
    try:
        with in_project(options.project, resources.setting("", "KUSTOMER_DEFS")) as root:
            return _run(options, load, say, beside, root)
    except NoProjectError as error:
        beside(f"forget: {error}")
        return _CANNOT


def _run(options: argparse.Namespace, load: Load, say: Say, beside: Say, root: Path) -> int:
    try:
        # What a module of the project prints while it loads is no part of the receipt.
        with contextlib.redirect_stdout(sys.stderr):
            syncs = _of_org(load(root).syncs, options.org)
    except Exception as error:  # whatever a file of the project does: the reader needs its reason, not our stack
        beside(f"forget: the project does not load: {said_by(error)}")
        return _CANNOT
    variables = resources.KUSTOMER if options.org is None else f"{resources.KUSTOMER}_{options.org.upper()}"
    try:
        client = resources.KustomerResource(variables=variables).client()
        with client, resources.StateResource().store() as store:
            if options.lift:
                say(_lifted(options.lift, client, store))
            else:
                say(_forgotten(options, syncs, client, store, beside))
    except _OURS as error:
        beside(f"forget: {resources.in_variables(str(error), variables)}")
        return _CANNOT
    return 0


def _forgotten(
    options: argparse.Namespace, syncs: Sequence[SyncConfig], client: KustomerClient, store: StateStore, beside: Say
) -> str:
    who = Who(_said(options.email), _said(options.key), options.sync)
    known = [sync.name for sync in syncs]
    if who.sync is not None and who.sync not in known:
        beside(
            f"This project has no sync {who.sync} (it has {', '.join(known) or 'none'}); it is looked for all the same"
        )
    with _instance() as instance:
        receipt = forget(
            who,
            client=client,
            state=store,
            specs=[sync.spec for sync in syncs],
            beyond=_beyond(options, syncs, client, instance, beside),
            when_suppressed=lambda: wait_for_runs(instance, syncs, beside) if instance is not None else None,
        )
    if not options.everywhere:
        beside(
            "Only the state was cleaned: frames, the request log and tables in the warehouse keep the person until "
            "--everywhere"
        )
    return receipt.as_json()


def _beyond(
    options: argparse.Namespace,
    syncs: Sequence[SyncConfig],
    client: KustomerClient,
    instance: dg.DagsterInstance | None,
    beside: Say,
) -> Beyond:
    """The places besides the state. Raises ForgetError where one of them cannot be found."""
    if not options.everywhere:
        return Beyond(in_kustomer=options.delete_in_kustomer)
    if instance is None:
        raise ForgetError("DAGSTER_HOME is not set: --everywhere has to know where the frames are. Nothing was done")
    for name, key in ((sync.name, getattr(sync.resource_keys, kind)) for sync in syncs for kind in _DEFAULTS):
        if key not in _DEFAULTS.values():
            beside(f"{name} uses the resource {key}, which this command does not know: look there yourself")
    org_id = client.run(client.token()).org_id
    base = resources.FramesResource().place(instance)
    own_frames = [sync for sync in syncs if sync.resource_keys.frames == _DEFAULTS["frames"]]
    return Beyond(
        warehouse=[*_request_log(), *_tables(syncs, org_id), Frames(base, own_frames, outcomes=True)],
        frames=[Frames(base, own_frames, outcomes=False)],
        everywhere=True,
        in_kustomer=options.delete_in_kustomer,
    )


def _request_log() -> Iterator[Copies]:
    """Where it is kept, also where it was kept until it was switched off."""
    if folder := resources.request_log_folder() or resources.usual_request_log_folder():
        yield RequestLines(folder)


def _tables(syncs: Sequence[SyncConfig], org_id: str) -> Iterator[Copies]:
    """Ours in the warehouse; also those of a sync that the warehouse compared once, and does no longer."""
    ours = [sync for sync in syncs if sync.resource_keys.warehouse == _DEFAULTS["warehouse"]]
    if not ours:
        return
    engine = open_engine(resources.WarehouseResource().address())
    if schemas := {sync.log_to.schema_ for sync in ours if sync.log_to is not None}:
        yield LogTables(engine, schemas, org_id)
    for sync in ours:
        try:
            yield Lines(Comparison(engine, sync.state_schema, org_id, sync.name), sync)
        except ComparisonError:  # this database cannot compare, so there is nothing in it
            return


@contextlib.contextmanager
def _instance() -> Iterator[dg.DagsterInstance | None]:
    """Dagster's own; None where nobody says where it is."""
    if resources.dagster_home() is None:
        yield None
        return
    with dg.DagsterInstance.get() as instance:
        yield instance


def _lifted(receipt_id: str, client: KustomerClient, store: StateStore) -> str:
    org_id = client.run(client.token()).org_id
    count = store.suppressed(org_id).lift(receipt_id)
    if not count:
        raise ForgetError(f"Nobody is on the list of this org by the receipt {receipt_id}")
    return f"{quantity(count, 'identifier is', 'identifiers are')} off the list: the next run sends their rows again"


def _of_org(syncs: Sequence[SyncConfig], org: str | None) -> list[SyncConfig]:
    return [sync for sync in syncs if org is None or sync.resource_keys.kustomer == f"kustomer_{org}"]


def _said(argument: str | None) -> str | None:
    """An argument is seen in the list of processes, and kept in the shell's history: - reads a line instead."""
    return sys.stdin.readline().strip() if argument == "-" else argument
