"""What is wrong between syncs, although each of them is right on its own."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from .audiences import AudienceSyncConfig
from .broken import BrokenSync
from .common import SyncConfig, sync_asset_names
from .problems import Where, listed


@dataclass(frozen=True)
class Conflict:
    """One mistake of several syncs: their names, the attribute in each where it is written, what to do."""

    names: tuple[str, ...]
    where: Where
    what: str


def conflicts(syncs: Sequence[SyncConfig], broken: Sequence[BrokenSync] = ()) -> Iterator[Conflict]:
    """Every mistake between syncs.

    broken: those that do not load: what is theirs stays theirs until somebody has put them right.
    """
    yield from _same_names(syncs, broken)
    yield from _same_assets(syncs)
    yield from _assets_of_broken(syncs, broken)
    yield from _shared_tags(syncs)
    yield from _tags_of_broken(syncs, broken)
    yield from _names_in_use(syncs, broken)


def _same_names(syncs: Sequence[SyncConfig], broken: Sequence[BrokenSync]) -> Iterator[Conflict]:
    working = {sync.name for sync in syncs}
    for name, count in Counter([*(sync.name for sync in syncs), *(sync.name for sync in broken)]).items():
        if count > 1 and name in working:
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


def _assets_of_broken(syncs: Sequence[SyncConfig], broken: Sequence[BrokenSync]) -> Iterator[Conflict]:
    """A sync named as the plan of another that does not load, `customers_plan` beside `customers`; or the reverse."""
    for sync in syncs:
        for other in broken:
            together = {asset for asset in sync_asset_names(sync) if asset in (other.name, f"{other.name}_plan")}
            if sync.key_prefix == other.key_prefix and sync.name != other.name and together:
                what = f"it and the sync {other.name!r} both have an asset named {min(together)!r}: rename one of them"
                yield Conflict((sync.name,), (), what)


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


def _tags_of_broken(syncs: Sequence[SyncConfig], broken: Sequence[BrokenSync]) -> Iterator[Conflict]:
    """A mirror of a tag that a sync keeps which does not load: it would untag that one's members."""
    for sync in syncs:
        if isinstance(sync, AudienceSyncConfig) and sync.mode == "mirror":
            for other in broken:
                if other.keeps(sync.tag):
                    what = (
                        f"{other.name}, which does not load, has the tag {sync.tag!r} too, and a mirror untags the "
                        f"members of others: put {other.name} right first"
                    )
                    yield Conflict((sync.name,), ("tag",), what)


def _names_in_use(syncs: Sequence[SyncConfig], broken: Sequence[BrokenSync]) -> Iterator[Conflict]:
    names = {sync.name for sync in syncs} | {sync.name for sync in broken}
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
