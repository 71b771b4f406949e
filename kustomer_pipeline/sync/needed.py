"""What a key has to be allowed for a sync."""

from __future__ import annotations

from collections.abc import Sequence

from kustomer_pipeline.kustomer import SINGULAR, PermissionDeniedError, missing_roles

from .spec import SyncSpec


def actions_of(spec: SyncSpec, *, writes: bool = True) -> list[str]:
    """What a key has to be allowed for this sync, in the words of kustomer/roles.py; `writes`: not only for a plan."""
    noun = SINGULAR[spec.object]
    needed = [f"{noun}.read"]
    if any(mapping.field == "company" for mapping in spec.fields):
        needed.append("company.read")
    if writes:
        needed += [f"{noun}.create"] * (spec.mode in ("upsert", "insert"))
        needed += [f"{noun}.update"] * (spec.mode != "insert")
    return needed


def require_roles(spec: SyncSpec, roles: Sequence[str], *, writes: bool = True) -> None:
    """Say which roles the key surely lacks, before anything is sent. Raises PermissionDeniedError."""
    missing = missing_roles(roles, actions_of(spec, writes=writes))
    if missing:
        raise PermissionDeniedError(
            f"The API key lacks what sync {spec.name!r} needs: {', '.join(missing)}. A key's roles cannot be "
            "changed: create a new key with them in Kustomer under Settings > Security > API Keys. "
            "Nothing was sent."
        )
