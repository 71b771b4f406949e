"""An audience from a query: a tag on customers."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from kustomer_pipeline.mapping import MATCH_ON
from kustomer_pipeline.sync import AudienceSpec, RemovalLimit

from .attributes import MaxRemovals, TagName
from .problems import Problem, listed
from .sync_component import Sync, SyncAttributes


class AudienceSyncAttributes(SyncAttributes):
    """The attributes of kustomer_pipeline.AudienceSync."""

    tag: TagName = Field(description="The name of the tag that the members get.", examples=["vip"])
    mode: Literal["add", "remove", "mirror"] = Field(
        "add",
        description="add: tag the rows of the query. remove: untag them. "
        "mirror: tag them, and untag who is no longer among them.",
    )
    match_on: list[str] | None = Field(
        None,
        min_length=1,
        description="How a row is recognised in Kustomer, tried in this order: externalId, email, phone. "
        "Default: those of them that are mapped.",
        examples=[["email"]],
    )
    mirror_scope: Literal["owned", "tag"] = Field(
        "owned",
        description="Whom mirror may untag. owned: only customers that this sync has tagged. "
        "tag: whoever holds the tag.",
    )
    max_removals: MaxRemovals = Field(
        MaxRemovals(),
        description="The breaker: when a run would untag more than this share or number of members, "
        "it untags nobody until somebody approves.",
    )


class AudienceSync(Sync, AudienceSyncAttributes):
    """Keeps a tag on the customers that a warehouse query returns.

    Gives the assets `warehouse/<name>` → `mapped/<name>` → `kustomer/<name>` and `plan/<name>`, which shows
    who would be tagged and untagged; checks, the job `sync_<name>`, and a sensor when `watch` is given.
    """

    attributes_of: ClassVar[type[SyncAttributes]] = AudienceSyncAttributes

    @property
    def identifiers(self) -> list[str]:
        """The identity ladder: as written, else every mapped identifier."""
        return self.match_on or [field for field in MATCH_ON["customers"] if field in self.fields]

    @property
    def spec(self) -> AudienceSpec:
        """What the engine needs to know."""
        return AudienceSpec(
            name=self.name,
            tag=self.tag,
            mode=self.mode,
            match_on=tuple(self.identifiers),
            fields=self.mappings,
            mirror_scope=self.mirror_scope,
            max_removals=RemovalLimit(share=self.max_removals.share, count=self.max_removals.count),
            default_region=self.default_region,
        )

    @property
    def is_audience(self) -> bool:
        """It keeps a tag."""
        return True

    def find_problems(self) -> Iterator[Problem]:
        """Fields that find nobody: an audience only looks customers up."""
        problems = list(self.field_problems("customers", self.identifiers))
        yield from problems
        for field in self.fields:
            if not problems and field not in self.identifiers:
                yield Problem(
                    ("fields", field),
                    f"an audience writes nothing but its tag, so {field} would be ignored: remove it, "
                    f"or map {listed(MATCH_ON['customers'])} to find customers by",
                )
