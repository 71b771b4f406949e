"""What dbt should know of the syncs: an exposure for each, so that dbt's own lineage ends in Kustomer.

    deps, source, watch.asset of a sync ─→ the dbt models among them ─→ exposures.yml

Which asset is which model is known for sure where the definitions hold the assets of dagster-dbt; elsewhere the last
part of an asset's key is taken for the model's name, which is dagster-dbt's own default.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import dagster as dg
import yaml

from .keys import asset_key, kustomer_key
from .sync_config import SyncConfig

Maturity = Literal["high", "medium", "low"]
MATURITIES: tuple[Maturity, ...] = get_args(Maturity)

# What dagster-dbt says of each of its assets: `model.shop.customers`, `model.shop.customers.v2`, `seed.shop.countries`.
_UNIQUE_ID = "dagster_dbt/unique_id"
_HAVE_A_REF = ("model", "seed", "snapshot")

_HEAD = "# Written by `python -m kustomer_pipeline exposures`. Write it anew when a sync changes; do not edit it.\n"
_LEFT_OUT = "# Left out, because nothing that they are made from is a dbt model: {}\n"
_NO_OWNER = "TODO"
_ASK_FOR_OWNER = "# TODO is the owner of syncs that have none: write owners: into their defs.yaml ({}).\n"


def exposures(
    syncs: Sequence[SyncConfig],
    defs: dg.Definitions | None = None,
    *,
    url: str | None = None,
    maturity: Maturity | None = None,
) -> str:
    """The text of an `exposures.yml` for dbt: one exposure for each sync that a dbt model is upstream of.

    defs: the definitions of the project. With the assets of dagster-dbt among them, only these count as models.
    url: where people open the Dagster UI; each exposure then links to the asset of its sync.
    """
    known = _refs(defs) if defs is not None else {}
    written, left_out, without_owner = [], [], []
    for sync in sorted(syncs, key=lambda one: one.name):
        models = _models(sync, known)
        if not models:
            left_out.append(sync.name)
            continue
        written.append(_exposure(sync, models, url, maturity))
        if not sync.owners:
            without_owner.append(sync.name)
    text = yaml.safe_dump(
        {"version": 2, "exposures": written}, sort_keys=False, allow_unicode=True, width=100, default_flow_style=False
    )
    ask = _ASK_FOR_OWNER.format(", ".join(without_owner)) if without_owner else ""
    rest = _LEFT_OUT.format(", ".join(left_out)) if left_out else ""
    return _HEAD + ask + text + rest


def _refs(defs: dg.Definitions) -> dict[dg.AssetKey, str | None]:
    """Asset → how dbt refers to it (None: it is not of dbt); empty where no asset is dagster-dbt's."""
    # Not by way of the asset graph: that one asks for every resource, which a part of a project may not have.
    specs = [
        spec for one in defs.assets or () for spec in (one.specs if isinstance(one, dg.AssetsDefinition) else [one])
    ]
    ids = {spec.key: spec.metadata.get(_UNIQUE_ID) for spec in specs if isinstance(spec, dg.AssetSpec)}
    if not any(ids.values()):
        return {}
    return {key: _ref(str(getattr(one, "value", one))) if one else None for key, one in ids.items()}


def _ref(unique_id: str) -> str | None:
    kind, _, name, *version = unique_id.split(".")
    if kind not in _HAVE_A_REF:
        return None
    of_version = f", v={version[0].removeprefix('v')}" if version and re.fullmatch(r"v\d+", version[0]) else ""
    return f"ref('{name}'{of_version})"


def _models(sync: SyncConfig, known: Mapping[dg.AssetKey, str | None]) -> list[str]:
    paths = [*sync.deps, sync.source_asset, sync.watch.asset if sync.watch is not None else None]
    keys = [asset_key(path) for path in paths if path is not None]
    refs = [known.get(key) if known else f"ref('{key.path[-1]}')" for key in keys]
    return list(dict.fromkeys(ref for ref in refs if ref is not None))


def _exposure(sync: SyncConfig, models: list[str], url: str | None, maturity: Maturity | None) -> dict[str, Any]:
    link = f"{url.rstrip('/')}/assets/{kustomer_key(sync).to_user_string()}" if url else None
    optional = {"maturity": maturity, "url": link}
    return {
        "name": f"kustomer_{sync.name}",
        "label": f"Kustomer: {sync.name}",
        "type": "application",
        **{key: value for key, value in optional.items() if value is not None},
        "description": _literal(sync.description or _what_it_does(sync)),
        "depends_on": models,
        "owner": _owner(sync.owners),
    }


def _what_it_does(sync: SyncConfig) -> str:
    if sync.is_audience:
        return f"Keeps the tag {sync.tag_name} on {sync.kind} in Kustomer."
    return f"Sends the rows to Kustomer as {sync.kind}."


def _literal(text: str) -> str:
    """dbt renders descriptions as Jinja templates; ours are text."""
    if not re.search(r"\{[{%#]", text):
        return text
    return f"{{% raw %}}{text.replace('{% endraw %}', '')}{{% endraw %}}"


def _owner(owners: Sequence[str]) -> dict[str, str]:
    """dbt takes a name and an e-mail address, and wants at least one of them."""
    if not owners:
        return {"name": _NO_OWNER}
    email = next((owner for owner in owners if not owner.startswith("team:")), None)
    names = ", ".join(owner.removeprefix("team:") for owner in owners if owner != email)
    return ({"name": names} if names else {}) | ({"email": email} if email else {})
