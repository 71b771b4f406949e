"""Who leaves an audience, and the breaker that stops a mass removal.

    tag by name → members this sync tagged (or all holders) - members of the frame → removals → breaker

Law 6: an empty or half-built query result must not untag an audience. Beyond the limit nothing is untagged, unless
the run names exactly this set of removals by its plan id.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from kustomer_pipeline.kustomer import (
    BadRequestError,
    ConfigurationError,
    KustomerClient,
    NotFoundError,
    PermissionDeniedError,
    Tag,
)

from .changes import absent_keys
from .engine import Engine
from .remembered import Snapshot
from .rows import Row
from .session import Session
from .spec import AudienceSpec
from .tags import find_tag

TAG_FACT = "tag_id"
UNMADE_TAG = "(a tag that is not there yet)"


@dataclass(frozen=True)
class Removals:
    """Who would be untagged: state key and Kustomer id of each, out of `members`."""

    leaving: tuple[tuple[str, str], ...]
    members: int | None
    plan_id: str | None
    allowed: bool

    @property
    def held(self) -> int:
        """How many removals the breaker holds back."""
        return 0 if self.allowed else len(self.leaving)

    def rows(self, young: set[str]) -> list[Row]:
        """The leaving members as rows for the engine; none when they are held back. `young`: see Row."""
        if not self.allowed:
            return []
        return [
            Row(position=-1, key=key, fingerprint=0, source={}, known_id=id_, leaving=True, young=key in young)
            for key, id_ in self.leaving
        ]


NO_REMOVALS = Removals((), 0, None, True)


def owned_ids(snapshot: Snapshot) -> frozenset[str]:
    """Kustomer ids of the members whom this sync tagged."""
    return frozenset(id_ for id_ in snapshot.kustomer_ids.filter(snapshot.owned).to_pylist() if id_)


def tag_of(client: KustomerClient, spec: AudienceSpec, *, create: bool) -> Tag | None:
    """The audience's tag, made if it is missing and wanted. Raises KustomerError."""
    tag = find_tag(client.tags(), spec.tag)
    if tag is not None or not create:
        return tag
    try:
        return client.create_tag(spec.tag)
    except (NotFoundError, BadRequestError, PermissionDeniedError) as error:
        raise ConfigurationError(
            f"There is no tag {spec.tag!r}, and Kustomer does not let this API key make one ({error}). "
            "Make it once by hand, in Kustomer's settings under Tags; then run again."
        ) from error


def plan_id(org_id: str, spec: AudienceSpec, tag_id: str, ids: list[str]) -> str:
    """Names exactly one set of removals: other members, another tag or another org give another id."""
    text = "\n".join([org_id, spec.name, spec.mode, tag_id, *sorted(ids)])
    return f"removals-{len(ids)}-{hashlib.blake2b(text.encode(), digest_size=5).hexdigest()}"


@dataclass(frozen=True)
class Absent:
    """Remembered members whose key is not in the frame.

    leaving: Kustomer id → key of those whom this sync tagged and who are there under no other key.
    staying: ids of those who are. forgettable: keys of which nothing needs to be remembered.
    """

    leaving: dict[str, str]
    staying: list[str]
    forgettable: list[str]


def absent_members(session: Session, found: set[str] | None = None) -> Absent:
    """Sort the absent. `found`: records of the frame that this run has come across."""
    snapshot = session.snapshot
    positions = pa.array(absent_keys(session.mapped, snapshot))
    ids, keys = snapshot.kustomer_ids.take(positions), snapshot.keys.take(positions)
    stays = pc.is_in(ids, value_set=session.selection.ids.drop_null())  # under any key, also of an invalid row
    leaving: dict[str, str] = {}
    staying, forgettable = [], []
    columns = (ids.to_pylist(), keys.to_pylist(), snapshot.owned.take(positions).to_pylist(), stays.to_pylist())
    for id_, key, owned, stayed in zip(*columns, strict=True):
        if not owned or not id_:
            forgettable.append(key)
        elif stayed or id_ in (found or ()):
            forgettable.append(key)
            staying.append(id_)
        else:
            leaving[id_] = key
    return Absent(leaving, staying, forgettable)


def mirror_removals(
    spec: AudienceSpec, tag_id: str, session: Session, engine: Engine, approved: str | None
) -> Removals:
    """Members who left: tagged, and not in the frame under any key. Raises KustomerError."""
    leaving = dict(absent_members(session, engine.protected).leaving)
    members = len(owned_ids(session.snapshot))
    if spec.mirror_scope == "tag":
        holders = {record.id for record in session.client.tag_holders(tag_id)}
        known = set(session.selection.ids.drop_null().to_pylist()) | engine.protected
        leaving |= {id_: f"id={id_}" for id_ in holders if id_ not in known and id_ not in leaving}
        members = len(holders | set(leaving))
    return judge_removals(spec, session.state.org_id, tag_id, leaving, members, approved)


def listed_removals(
    spec: AudienceSpec, tag_id: str, session: Session, rows: list[Row], approved: str | None
) -> Removals:
    """Mode remove: the rows to be untagged, judged by their number (who holds the tag is not known before)."""
    leaving = {row.key: row.key for row in rows}
    return judge_removals(spec, session.state.org_id, tag_id, leaving, None, approved)


def judge_removals(
    spec: AudienceSpec, org_id: str, tag_id: str, leaving: dict[str, str], members: int | None, approved: str | None
) -> Removals:
    """The breaker. `leaving`: Kustomer id (or key) → key."""
    if not leaving:
        return Removals((), members, None, True)
    name = plan_id(org_id, spec, tag_id, list(leaving))
    allowed = spec.max_removals.allows(len(leaving), members) or approved == name
    pairs = tuple(sorted((key, id_) for id_, key in leaving.items()))
    return Removals(pairs, members, name, allowed)
