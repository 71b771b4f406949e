"""What is wrong between syncs, although each of them is right on its own."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from .audiences import AudienceSyncConfig
from .common import SyncConfig, sync_asset_names
from .problems import Where, listed


@dataclass(frozen=True)
class Conflict:
    """One mistake of several syncs: their names, the attribute in each where it is written, what to do."""

    names: tuple[str, ...]
    where: Where
    what: str


def conflicts(syncs: Sequence[SyncConfig]) -> Iterator[Conflict]:
    """Every mistake between syncs."""
    yield from _same_names(syncs)
    yield from _same_assets(syncs)
    yield from _shared_tags(syncs)
    yield from _names_in_use(syncs)


def _same_names(syncs: Sequence[SyncConfig]) -> Iterator[Conflict]:
    for name, count in Counter(sync.name for sync in syncs).items():
        if count > 1:
            yield Conflict((name,), (), f"{count} syncs are named {name!r}; each needs its own")


def _same_assets(syncs: Sequence[SyncConfig]) -> Iterator[Conflict]:
    """A sync named as the rows of another: `customers_rows` beside `customers`."""
    mains = {(sync.key_prefix, sync.name): sync for sync in syncs}
    for sync in syncs:
        for asset in sync_asset_names(sync):
            other = mains.get((sync.key_prefix, asset))
            if other is not None and other.name != sync.name:
                what = f"{asset!r} is the name of an asset of the sync {sync.name!r}: rename this one"
                yield Conflict((other.name,), (), what)


def _shared_tags(syncs: Sequence[SyncConfig]) -> Iterator[Conflict]:
    """A mirror untags who is not in its own query: another sync's members, if the tag is shared."""
    by_tag: dict[tuple[str, str], list[AudienceSyncConfig]] = defaultdict(list)
    for sync in syncs:
        if isinstance(sync, AudienceSyncConfig):
            by_tag[(sync.object, sync.tag.casefold())].append(sync)  # Kustomer compares names of tags without case
    for (kind, _), sharing in by_tag.items():
        if len(sharing) > 1 and any(sync.mode == "mirror" for sync in sharing):
            names = tuple(sync.name for sync in sharing)
            yield Conflict(
                names,
                ("tag",),
                f"{listed(names, 'and')} keep one tag, {sharing[0].tag!r}, on {kind}, and a mirror among them untags "
                "the members of the others: give each a tag of its own, or make one query of them",
            )


def _names_in_use(syncs: Sequence[SyncConfig]) -> Iterator[Conflict]:
    names = {sync.name for sync in syncs}
    claimed = Counter(sync.renamed_from for sync in syncs if sync.renamed_from is not None)
    for sync in syncs:
        before = sync.renamed_from
        if before is None:
            continue
        if before in names:
            what = f"{before!r} is another sync of this project: what is remembered under that name is its own"
            yield Conflict((sync.name,), ("renamed_from",), what)
        elif claimed[before] > 1:
            what = f"{claimed[before]} syncs were named {before!r}, they say; only one can be what it was"
            yield Conflict((sync.name,), ("renamed_from",), what)


def bound_to_themselves(syncs: Sequence[SyncConfig], assets: Collection[str]) -> Iterator[Conflict]:
    """A sync that waits for an asset named like one of its own, which is not there: Dagster takes its own for it.

    assets: the keys of all assets of the project, `analytics/customers`.
    """
    for sync in syncs:
        for where, key in sync.upstream_keys():
            if key in sync_asset_names(sync) and key not in assets:
                what = (
                    f"this project has no asset {key!r}, and Dagster would take {sync.key_prefix}/{key} for it, which "
                    "this sync makes itself: write the whole key of the asset, such as "
                    f"analytics/{key}, or rename the sync's folder"
                )
                yield Conflict((sync.name,), where, what)
