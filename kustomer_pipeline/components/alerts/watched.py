"""Which syncs are looked at: those about which somebody wants to be told something."""

from collections.abc import Sequence
from dataclasses import dataclass

import dagster as dg

from ..jobs import broken_key
from ..keys import drift_key, kustomer_key, mapped_key, op_name, rows_key
from ..mapped_checks import mapped_check_specs
from ..sync_checks import sync_check_specs
from ..sync_config import Alert, BrokenSync, SyncConfig
from .rules import Rule, rule_of, rules_of
from .verdicts import Steps


@dataclass(frozen=True)
class Watched:
    """A sync as the sensor sees it: its asset, the steps that make it, its checks, who is told what, and the asset that
    looks for drift, where there is one. mistakes: where they are in the file of one that does not load."""

    name: str
    key: dg.AssetKey
    steps: Steps
    checks: tuple[dg.AssetCheckKey, ...]
    rules: tuple[Rule, ...]
    drift_key: dg.AssetKey | None = None
    mistakes: tuple[str, ...] = ()


def watched(
    syncs: Sequence[SyncConfig], of_project: Sequence[Alert], broken: Sequence[BrokenSync] = ()
) -> list[Watched]:
    """The syncs that have somebody to tell. Of one that does not load it is not known whom: the project's are told."""
    found = [*(_watched(sync, of_project) for sync in syncs), *(_broken(sync, of_project) for sync in broken)]
    return [one for one in found if one.rules]


def channels(syncs: Sequence[Watched]) -> list[str]:
    """The variables that hold the URLs of all channels, each once."""
    return list(dict.fromkeys(rule.channel for sync in syncs for rule in sync.rules))


def _broken(sync: BrokenSync, of_project: Sequence[Alert]) -> Watched:
    key = broken_key(sync)
    rules = tuple(rule_of(alert, channel) for alert in of_project for channel in alert.to)
    places = dict.fromkeys("/".join(line.partition("  ")[0].split("/")[-2:]) for line in sync.lines)
    return Watched(sync.name, key, (op_name(key),), (), rules, mistakes=tuple(places))


def _watched(sync: SyncConfig, of_project: Sequence[Alert]) -> Watched:
    specs = [*mapped_check_specs(sync), *sync_check_specs(sync)]
    return Watched(
        name=sync.name,
        key=kustomer_key(sync),
        steps=tuple(op_name(key) for key in (rows_key(sync), mapped_key(sync), kustomer_key(sync))),
        checks=tuple(dg.AssetCheckKey(spec.asset_key, spec.name) for spec in specs),
        rules=rules_of(sync, of_project),
        drift_key=drift_key(sync) if sync.drift is not None else None,
    )
