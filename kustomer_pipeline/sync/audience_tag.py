"""The tag of an audience: which id its name has, made if it is missing; and who holds tags given under other names."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from kustomer_pipeline.kustomer import (
    BadRequestError,
    ConfigurationError,
    KustomerClient,
    NotFoundError,
    PermissionDeniedError,
    Tag,
)

from .resolve import find_tag
from .spec import AudienceSpec, SyncSpec
from .state import OrgState
from .wording import quantity

BY_NAME = "name:"  # scope of an audience whose tag's id is not known yet
UNMADE = "(not made yet)"


@dataclass(frozen=True)
class TagOfAudience:
    """The tag of an audience. `id`: None where there is none, or where nobody can tell (`readable` is false then)."""

    name: str
    id: str | None
    readable: bool = True

    @property
    def fact(self) -> str:
        """Under which name the org's state keeps the id."""
        return f"tag:{self.name.casefold()}"

    @property
    def scope(self) -> str:
        """Where what is remembered of the audience belongs."""
        if self.id is not None:
            return self.id
        return UNMADE if self.readable else f"{BY_NAME}{self.name.casefold()}"


def known_tag(name: str, org: OrgState) -> TagOfAudience:
    """The tag with the id that it had last time, if it is known."""
    return TagOfAudience(name, org.fact(TagOfAudience(name, None).fact))


def scope_of(spec: SyncSpec, org: OrgState) -> str:
    """Where what is remembered of a sync belongs, as far as it was known last time."""
    return "" if spec.tag is None else known_tag(spec.tag, org).scope


async def tag_of(
    client: KustomerClient, org: OrgState, spec: AudienceSpec, known: TagOfAudience, *, make: bool, remember: bool
) -> TagOfAudience:
    """The tag as Kustomer has it now. `make`: make it if it is missing and wanted. `remember`: write its id down.
    Raises KustomerError.

    known: what its id was last time, which has to do where the key may not read tags.
    """
    try:
        found = find_tag(await client.tags(), spec.tag)
    except (PermissionDeniedError, NotFoundError):
        return TagOfAudience(spec.tag, known.id, readable=False)
    if found is None and make and spec.mode != "remove":
        try:
            found = await _make(client, spec.tag)
        except PermissionDeniedError:  # a name that is no tag yet becomes one when it is written
            return TagOfAudience(spec.tag, None, readable=False)
    tag = TagOfAudience(spec.tag, found.id if found else None)
    if found is not None and remember and found.id != known.id:
        org.set_fact(tag.fact, found.id)
    return tag


async def _make(client: KustomerClient, name: str) -> Tag:
    try:
        return await client.create_tag(name)
    except (NotFoundError, BadRequestError) as error:
        raise ConfigurationError(
            f"There is no tag {name!r}, and Kustomer does not let this API key make one ({error}). "
            "Make it once by hand, in Kustomer's settings under Tags; then run again."
        ) from error


def notes_on_former_tags(org: OrgState, sync: str, tag: TagOfAudience) -> list[str]:
    """Whom this sync gave another tag before."""
    return [
        f"{quantity(count, 'record still holds', 'records still hold')} another tag ({scope}) that this sync gave "
        f"before its tag was changed to {tag.name!r}. A run with clean_up takes it from them."
        for scope, count in org.scopes(sync)
        if scope != tag.scope and count
    ]


def notes_on_former_names(org: OrgState, known_as: Collection[str], tag: TagOfAudience) -> list[str]:
    """Whom other syncs gave this tag, which may be former names of this one."""
    return [
        f"{quantity(count, 'record holds', 'records hold')} the tag {tag.name!r} because of the sync {sync!r}, "
        f"and nothing takes it away if that sync is gone. If it is this sync's former name, write renamed_from: {sync}."
        for sync, count in org.syncs_of_scope(tag.scope)
        if sync not in known_as and count
    ]
